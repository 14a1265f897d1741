/* Metrics of inventory-svc, counted after COMMIT. */
#ifndef INVENTORY_METRICS_H
#define INVENTORY_METRICS_H

/* Registers the series; again does nothing. Call before the first count, from any thread. */
void inventory_metrics_register(void);

/* bus_service.act: action is a struct inventory_tally. */
void inventory_metrics_count(void *context, const void *action);

#endif
