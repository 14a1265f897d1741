/*
 * Metrics of circuit breakers, named alike in every service:
 *
 *   circuit_breaker_state{dependency}                    0 closed, 1 half-open, 2 open; of several breakers around one
 *                                                        dependency (one a worker) the worst
 *   circuit_breaker_transitions_total{dependency,state}  changes, by the new state
 *
 * Thread-safe, but for bus_breaker_metrics_init.
 */
#pragma once

#include <bus/breaker.h>
#include <bus/metrics.h>

#include <pthread.h>

BUS_C_BEGIN

/* The metrics of one dependency. */
struct bus_breaker_metrics {
  struct bus_series *state, *transitions[BUS_BREAKER_STATES];
  pthread_mutex_t mutex;
  int64_t breakers[BUS_BREAKER_STATES]; /* in each state; under the mutex */
};

/* Registers the metrics, for bus_metrics_print_list. */
void bus_breaker_metrics_register(void);
/* Registers the metrics. dependency: such as "payment_provider"; it is copied. `metrics` stays where it is. */
void bus_breaker_metrics_init(struct bus_breaker_metrics *metrics, const char *dependency);
/* Adds a closed breaker. */
void bus_breaker_metrics_add(struct bus_breaker_metrics *metrics);
/* Moves a breaker from state `from` to state `to`. */
void bus_breaker_metrics_move(struct bus_breaker_metrics *metrics, enum bus_breaker_state from,
                              enum bus_breaker_state to);
/* Removes a breaker in that state. */
void bus_breaker_metrics_remove(struct bus_breaker_metrics *metrics, enum bus_breaker_state state);

BUS_C_END
