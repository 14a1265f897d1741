/* The metrics of circuit breakers: the worst state around a dependency, and how often states changed. */
#include <bus/breaker_metrics.h>

static const struct bus_metric_spec state_spec = BUS_GAUGE_SPEC(
    "circuit_breaker_state", "0 closed, 1 half-open, 2 open; of several breakers around one dependency the worst.",
    .labels = {"dependency"});
static const struct bus_metric_spec transition_spec =
    BUS_COUNTER_SPEC("circuit_breaker_transitions_total", "Changes of a circuit breaker, by new state.",
                     .labels = {"dependency", "state"});

void bus_breaker_metrics_register(void) {
  bus_metric_register(&state_spec);
  bus_metric_register(&transition_spec);
}

void bus_breaker_metrics_init(struct bus_breaker_metrics *metrics, const char *dependency) {
  struct bus_metric *states = bus_metric_register(&state_spec), *transitions = bus_metric_register(&transition_spec);
  *metrics = (struct bus_breaker_metrics){.state = bus_metric_series(states, &dependency)};
  (void)pthread_mutex_init(&metrics->mutex, NULL); /* a default mutex: cannot fail on Linux */
  for (int state = 0; state < BUS_BREAKER_STATES; state++) {
    const char *const values[] = {dependency, bus_breaker_state_name((enum bus_breaker_state)state)};
    metrics->transitions[state] = bus_metric_series(transitions, values);
  }
}

static void change(struct bus_breaker_metrics *metrics, const enum bus_breaker_state *from,
                   const enum bus_breaker_state *to) {
  (void)pthread_mutex_lock(&metrics->mutex); /* a plain mutex does not fail */
  metrics->breakers[from ? *from : *to] -= from != NULL;
  metrics->breakers[to ? *to : *from] += to != NULL;
  int worst = BUS_BREAKER_STATES - 1;
  while (worst > BUS_BREAKER_CLOSED && metrics->breakers[worst] == 0)
    worst--;
  bus_series_set(metrics->state, worst);
  (void)pthread_mutex_unlock(&metrics->mutex);
}

void bus_breaker_metrics_add(struct bus_breaker_metrics *metrics) {
  change(metrics, NULL, &(enum bus_breaker_state){BUS_BREAKER_CLOSED});
}

void bus_breaker_metrics_move(struct bus_breaker_metrics *metrics, enum bus_breaker_state from,
                              enum bus_breaker_state to) {
  change(metrics, &from, &to);
  bus_series_add(metrics->transitions[to], 1);
}

void bus_breaker_metrics_remove(struct bus_breaker_metrics *metrics, enum bus_breaker_state state) {
  change(metrics, &state, NULL);
}
