/* Metrics of inventory-svc, counted after COMMIT. */
#ifndef INVENTORY_METRICS_H
#define INVENTORY_METRICS_H

#include "inventory_walk.h"

#include <bus/worker.h>

/* Registers the metrics once a process. */
void inventory_metrics_register(void);

/* bus_service.open: registers the series once a process. */
bool inventory_metrics_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);

/* Products with little stock, as the last walk through the catalogue counted them. */
void inventory_metrics_scarcity(const struct inventory_scarcity *found);

/* bus_service.act: action is a struct inventory_tally. */
void inventory_metrics_count(void *context, const void *action);

#endif
