/* Faults of whole servers and processes, at times that are drawn beforehand. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "world.h"

void faults_init(struct world *world);

#endif
