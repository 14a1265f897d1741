/* Metrics of order-svc. */
#include "order_metrics.h"

#include "order_revenue.h"
#include "order_service.h"

#include <bus/log.h>
#include <bus/metrics.h>
#include <pthread.h>

static const struct resent {
  unsigned bit;
  const char *command;
} resent_commands[] = {
    {SEND_CONFIRMED, "order.confirmed"}, {SEND_RELEASE, "inventory.release"}, {SEND_REFUND, "payment.refund"}};

static struct bus_series *created, *finished[ORDER_STATUS_COUNT], *age[ORDER_STATUS_COUNT],
    *resent[BUS_COUNT(resent_commands)], *alarms[ORDER_STATES], *open_sagas, *late_sagas, *intake_closed;

static struct bus_series *single(const struct bus_metric_spec *spec) {
  return bus_metric_series(bus_metric_register(spec), NULL);
}

static struct bus_series *labelled(const struct bus_metric_spec *spec, const char *value) {
  return bus_metric_series(bus_metric_register(spec), &value);
}

static void register_final(int status) {
  static const double bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};
  static const struct bus_metric_spec finished_spec = {.name = "orders_finished_total",
                                                       .help = "Orders that came into a final status.",
                                                       .kind = BUS_COUNTER,
                                                       .labels = {"status"}};
  static const struct bus_metric_spec age_spec = {.name = "orders_saga_seconds",
                                                  .help = "From placing an order to its final status.",
                                                  .kind = BUS_HISTOGRAM,
                                                  .labels = {"status"},
                                                  .bounds = bounds,
                                                  .bound_count = BUS_COUNT(bounds),
                                                  .scale = 1e-6};
  finished[status] = labelled(&finished_spec, order_state_name(status));
  age[status] = labelled(&age_spec, order_state_name(status));
}

static void register_all(void) {
  static const struct bus_metric_spec created_spec = {
      .name = "orders_created_total", .help = "Orders placed.", .kind = BUS_COUNTER};
  static const struct bus_metric_spec resent_spec = {.name = "orders_saga_resends_total",
                                                     .help = "Commands of open sagas sent again.",
                                                     .kind = BUS_COUNTER,
                                                     .labels = {"command"}};
  static const struct bus_metric_spec alarm_spec = {.name = "orders_saga_alarms_total",
                                                    .help =
                                                        "Messages that no sound saga brings, by the order's status.",
                                                    .kind = BUS_COUNTER,
                                                    .labels = {"status"}};
  static const struct bus_metric_spec open_spec = {
      .name = "orders_open_sagas",
      .help = "Sagas that count against MAX_OPEN_SAGAS: without those that wait only to be undone, or for a person.",
      .kind = BUS_GAUGE};
  static const struct bus_metric_spec late_spec = {
      .name = "orders_late_sagas",
      .help = "Sagas that count against MAX_LATE_SAGAS: not reserved or paid in time, and no newer order is CONFIRMED.",
      .kind = BUS_GAUGE};
  static const struct bus_metric_spec closed_spec = {
      .name = "orders_intake_closed", .help = "1 while new orders wait in their queue.", .kind = BUS_GAUGE};
  created = single(&created_spec);
  open_sagas = single(&open_spec);
  late_sagas = single(&late_spec);
  intake_closed = single(&closed_spec);
  for (int status = ORDER_CONFIRMED; status <= ORDER_CANCELLED; status++)
    register_final(status);
  for (size_t i = 0; i < BUS_COUNT(resent_commands); i++)
    resent[i] = labelled(&resent_spec, resent_commands[i].command);
  for (int state = 0; state < ORDER_STATES; state++)
    alarms[state] = labelled(&alarm_spec, order_state_name(state));
  order_revenue_register();
}

void order_metrics_register(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, register_all); /* fails only for a wrong argument */
}

void order_metrics_intake(const struct order_load *load, bool closed) {
  bus_series_set(open_sagas, load->open);
  bus_series_set(late_sagas, load->late);
  bus_series_set(intake_closed, closed);
}

static void sound_alarm(const struct order_tally *tally) {
  bus_series_add(alarms[tally->status], 1);
  bus_log(BUS_ERROR, "saga alarm", BUS_F_UUID("order_id", &tally->order_id), BUS_F_STR("what", tally->alarm),
          BUS_F_STR("status", order_state_name(tally->status)));
}

void order_metrics_count(void *context, const void *action) {
  const struct order_tally *tally = action;
  (void)context;
  if (tally->created)
    bus_series_add(created, 1);
  if (tally->finished >= 0) {
    bus_series_add(finished[tally->finished], 1);
    bus_series_observe(age[tally->finished], tally->age);
  }
  if (tally->finished == ORDER_CONFIRMED)
    order_revenue_add(tally->currency, tally->earned);
  for (size_t i = 0; i < BUS_COUNT(resent_commands); i++)
    if (tally->resent & resent_commands[i].bit)
      bus_series_add(resent[i], 1);
  if (tally->alarm)
    sound_alarm(tally);
}
