/* The periodic statements of inventory-svc. */
#ifndef INVENTORY_UPKEEP_H
#define INVENTORY_UPKEEP_H

#include <bus/worker.h>

enum { INVENTORY_PERIODICS = 3 };
extern const struct bus_periodic inventory_periodics[INVENTORY_PERIODICS];

#endif
