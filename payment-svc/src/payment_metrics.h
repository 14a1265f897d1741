/* Metrics of payment-svc: facts after their COMMIT, calls when they end, states when they change. Thread-safe. */
#ifndef PAYMENT_METRICS_H
#define PAYMENT_METRICS_H

#include "payment_service.h"

#include <bus/breaker.h>

/* Once a process; further calls do nothing. */
void payment_metrics_register(void);

void payment_metrics_fact(const struct payment_action *action);
void payment_metrics_call(const struct payment_call *call, const struct payment_result *result, int64_t duration);
/* A call that was not made, and why: "breaker_open" … */
void payment_metrics_held_back(const char *reason);
/* Calls of all workers that wait or are under way. */
void payment_metrics_pending(int64_t more);
/* A worker's circuit breaker: it is there, closed; it changed; it is gone. */
void payment_metrics_breaker_added(void);
void payment_metrics_breaker(enum bus_breaker_state from, enum bus_breaker_state to);
void payment_metrics_breaker_removed(enum bus_breaker_state state);

/* As LOOK_AFTER found it. age: microseconds. */
struct payment_gauges {
  int64_t open, refunds_failing, unknown, oldest_age;
};
void payment_metrics_gauges(const struct payment_gauges *gauges);

#endif
