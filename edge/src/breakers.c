/* The circuit breakers of the services behind the edge, shared by all threads. */
#include "edge.h"

#include <bus/log.h>

void edge_breaker_open(struct edge_breaker *breaker, const char *name, const struct bus_breaker_settings *settings) {
  (void)pthread_mutex_init(&breaker->mutex, NULL); /* a default mutex: cannot fail on Linux */
  bus_breaker_init(&breaker->breaker, settings);
  breaker->name = name;
  breaker->shown = BUS_BREAKER_CLOSED;
  bus_breaker_metrics_init(&breaker->metrics, name);
  bus_breaker_metrics_add(&breaker->metrics);
}

static void lock(struct edge_breaker *breaker) {
  (void)pthread_mutex_lock(&breaker->mutex); /* a plain mutex does not fail */
}

/* Unlocks, and shows the state where it changed. → the state */
static enum bus_breaker_state unlock(struct edge_breaker *breaker, int64_t now) {
  enum bus_breaker_state before = breaker->shown, state = bus_breaker_state(&breaker->breaker, now);
  breaker->shown = state;
  if (state != before)
    bus_breaker_metrics_move(&breaker->metrics, before, state);
  (void)pthread_mutex_unlock(&breaker->mutex);
  if (state != before)
    bus_log(state == BUS_BREAKER_CLOSED ? BUS_INFO : BUS_WARN, "circuit breaker changed",
            BUS_F_STR("dependency", breaker->name), BUS_F_STR("state", bus_breaker_state_name(state)));
  return state;
}

bool edge_breaker_begin(struct edge_breaker *breaker, struct bus_breaker_call *call, uint64_t item, int64_t now,
                        int64_t *ret_retry_at) {
  lock(breaker);
  bool allowed = bus_breaker_begin(&breaker->breaker, call, item, BUS_BREAKER_FRESH, now);
  if (!allowed)
    *ret_retry_at = bus_breaker_retry_at(&breaker->breaker, item, BUS_BREAKER_FRESH, now);
  (void)unlock(breaker, now);
  return allowed;
}

void edge_breaker_end(struct edge_breaker *breaker, struct bus_breaker_call *call, enum edge_verdict verdict,
                      int64_t now) {
  lock(breaker);
  if (verdict == EDGE_SAYS_NOTHING)
    bus_breaker_drop(&breaker->breaker, call, now);
  else
    bus_breaker_end(&breaker->breaker, call, verdict == EDGE_WORKS, now);
  (void)unlock(breaker, now);
}

void edge_breaker_alive(struct edge_breaker *breaker, int64_t now) {
  lock(breaker);
  bus_breaker_alive(&breaker->breaker, now);
  (void)unlock(breaker, now);
}

bool edge_breaker_is_open(struct edge_breaker *breaker, int64_t now) {
  lock(breaker);
  return unlock(breaker, now) != BUS_BREAKER_CLOSED;
}
