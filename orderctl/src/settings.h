/* The variables of orderctl. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "program.h"

/* From the environment, or from program->env_file, into the program. -1: go on; else the status to exit with, and
 * stderr says why. */
int settings_read(struct program *program);
/* Writes their table for --help. */
void settings_print(void);
void settings_done(void);

#endif
