/* Metrics and logged alarms of order-svc, after COMMIT. Thread-safe. */
#pragma once

#include "order_schedule.h"

/* The first so many currencies have a series each; all others share the label "other", as does a code that is not three
 * capital letters. */
enum { ORDER_REVENUE_CURRENCIES = 16 };

void order_metrics_register(void);
/* As struct bus_service's act(): action is a struct order_tally. */
void order_metrics_count(void *context, const void *action);
/* closed: new orders wait in their queue. */
void order_metrics_intake(const struct order_load *load, bool closed);
