/* data-svc's metrics. */
#include "data_metrics.h"

#include <bus/metrics.h>

#include <pthread.h>

static const double bounds[] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400};

static struct bus_series *events[DATA_OUTCOMES], *ages[1];

static void register_all(void) {
  static const struct bus_metric_spec events_spec =
      BUS_COUNTER_SPEC("data_events_total", "Events of orders by what became of them.", .labels = {"outcome"});
  static const struct bus_metric_spec age_spec = BUS_HISTOGRAM_SPEC(
      "data_event_age_seconds", bounds, "Time from an event of an order until reports have it.", .scale = 1e-6);
  bus_metric_series_each(&events_spec, data_outcome_names, DATA_OUTCOMES, events);
  bus_metric_singles(&age_spec, 1, ages);
}

void data_metrics_register(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, register_all); /* fails only for a wrong argument */
}

void data_metrics_event(enum data_outcome outcome, int64_t age) {
  bus_series_add(events[outcome], 1);
  if (age != BUS_NO_INT64)
    bus_series_observe(ages[0], age);
}
