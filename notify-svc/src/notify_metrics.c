/* notify-svc's metrics. */
#include "notify_metrics.h"

#include <bus/metrics.h>

#include <pthread.h>

static const double bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15};
static const char *const outcomes[] = {"delivered", "retried", "failed"};
static const char *const kinds[] = {"webhook", "mail"};
enum { WAITING, OLDEST_AGE, DURATION, SINGLES };

static struct bus_series *deliveries[BUS_COUNT(outcomes)][BUS_COUNT(kinds)], *overdue[BUS_COUNT(kinds)],
    *disabled[WEBHOOK_CAUSES], *singles[SINGLES];

static void register_all(void) {
  static const struct bus_metric_spec deliveries_spec =
      BUS_COUNTER_SPEC("notify_deliveries_total", "Attempts of webhooks and mails by what became of their deliveries.",
                       .labels = {"outcome", "kind"});
  static const struct bus_metric_spec overdue_spec =
      BUS_GAUGE_SPEC("notify_deliveries_overdue_seconds",
                     "How long the delivery has been due that has been due longest, of endpoints that do not fail.",
                     .labels = {"kind"}, .scale = 1e-6);
  static const struct bus_metric_spec disabled_spec = BUS_COUNTER_SPEC(
      "notify_endpoints_disabled_total", "Webhooks and addresses that were disabled, by cause.", .labels = {"cause"});
  static const struct bus_metric_spec specs[SINGLES] = {
      [WAITING] = BUS_GAUGE_SPEC("notify_deliveries_waiting",
                                 "Deliveries that wait for an attempt, of endpoints that are enabled; at most 10,000."),
      [OLDEST_AGE] =
          BUS_GAUGE_SPEC("notify_deliveries_oldest_age_seconds", "Age of the oldest of them.", .scale = 1e-6),
      [DURATION] = BUS_HISTOGRAM_SPEC("notify_attempt_duration_seconds", bounds,
                                      "Duration of attempts of webhooks and mails.", .scale = 1e-6),
  };
  struct bus_metric *metric = bus_metric_register(&deliveries_spec);
  for (size_t i = 0; i < BUS_COUNT(outcomes); i++)
    for (size_t kind = 0; kind < BUS_COUNT(kinds); kind++)
      deliveries[i][kind] = bus_metric_series(metric, (const char *const[]){outcomes[i], kinds[kind]});
  bus_metric_series_each(&overdue_spec, kinds, BUS_COUNT(kinds), overdue);
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

void notify_metrics_delivery(const char *outcome, bool is_mail) {
  for (size_t i = 0; i < BUS_COUNT(outcomes); i++)
    if (strcmp(outcomes[i], outcome) == 0)
      bus_series_add(deliveries[i][is_mail], 1);
}

void notify_metrics_disabled(enum webhook_cause cause) {
  bus_series_add(disabled[cause], 1);
}

void notify_metrics_gauges(const struct notify_gauges *gauges) {
  bus_series_set(singles[WAITING], gauges->waiting);
  bus_series_set(singles[OLDEST_AGE], gauges->oldest_age);
  bus_series_set(overdue[false], gauges->webhook_overdue);
  bus_series_set(overdue[true], gauges->mail_overdue);
}
