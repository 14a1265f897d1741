/* What order-svc counts, and the alarms that it logs: after COMMIT. Thread-safe. */
#ifndef ORDER_METRICS_H
#define ORDER_METRICS_H

#include <stdint.h>

void order_metrics_register(void);
/* As struct bus_service's act(): action is a struct order_tally. */
void order_metrics_count(void *context, const void *action);
/* How many sagas are open, up to the gate's bound. */
void order_metrics_open(int64_t open, int64_t late);

#endif
