/* notify-svc's metrics. */
#include "notify_metrics.h"

#include <bus/metrics.h>

#include <pthread.h>

static const double bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15};
static const char *const outcomes[] = {"delivered", "retried", "failed"};
enum { WAITING, OLDEST_AGE, DURATION, SINGLES };

static struct bus_series *deliveries[BUS_COUNT(outcomes)], *disabled[WEBHOOK_CAUSES], *singles[SINGLES];

static void register_all(void) {
  static const struct bus_metric_spec deliveries_spec = BUS_COUNTER_SPEC(
      "notify_deliveries_total", "Attempts of webhooks by what became of their deliveries.", .labels = {"outcome"});
  static const struct bus_metric_spec disabled_spec = BUS_COUNTER_SPEC(
      "notify_endpoints_disabled_total", "Webhooks that were disabled, by cause.", .labels = {"cause"});
  static const struct bus_metric_spec specs[SINGLES] = {
      [WAITING] = BUS_GAUGE_SPEC("notify_deliveries_waiting",
                                 "Deliveries that wait for an attempt, of webhooks that are enabled; at most 10,000."),
      [OLDEST_AGE] =
          BUS_GAUGE_SPEC("notify_deliveries_oldest_age_seconds", "Age of the oldest of them.", .scale = 1e-6),
      [DURATION] = BUS_HISTOGRAM_SPEC("notify_attempt_duration_seconds", bounds, "Duration of attempts of webhooks.",
                                      .scale = 1e-6),
  };
  bus_metric_series_each(&deliveries_spec, outcomes, BUS_COUNT(outcomes), deliveries);
  bus_metric_series_each(&disabled_spec, webhook_cause_names, BUS_COUNT(disabled), disabled);
  bus_metric_singles(specs, SINGLES, singles);
}

void notify_metrics_register(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, register_all); /* fails only for a wrong argument */
}

void notify_metrics_attempt(int64_t duration) {
  bus_series_observe(singles[DURATION], duration);
}

void notify_metrics_delivery(const char *outcome) {
  for (size_t i = 0; i < BUS_COUNT(outcomes); i++)
    if (strcmp(outcomes[i], outcome) == 0)
      bus_series_add(deliveries[i], 1);
}

void notify_metrics_disabled(enum webhook_cause cause) {
  bus_series_add(disabled[cause], 1);
}

void notify_metrics_gauges(int64_t waiting, int64_t oldest_age) {
  bus_series_set(singles[WAITING], waiting);
  bus_series_set(singles[OLDEST_AGE], oldest_age);
}
