/* Metrics of inventory-svc, counted after COMMIT. */
#include "inventory_metrics.h"

#include "inventory_service.h"

#include <bus/log.h>
#include <bus/metrics.h>
#include <pthread.h>

enum { REASONS = STOCK_NO_RESERVATION + 1 };

static struct bus_series *changes[RESERVATION_STATES], *repeats[RESERVATION_COMMANDS], *rejections[REASONS],
    *units[RESERVATION_STATES], *alarms[RESERVATION_ALARMS];

static void register_series(const struct bus_metric_spec *spec, const char *const *values, size_t count,
                            struct bus_series **ret) {
  struct bus_metric *metric = bus_metric_register(spec);
  for (size_t i = 0; i < count; i++)
    ret[i] = bus_metric_series(metric, &values[i]);
}

static void register_all(void) {
  static const struct bus_metric_spec change_spec = {.name = "inventory_reservations_total",
                                                     .help = "Reservations that came into a state.",
                                                     .kind = BUS_COUNTER,
                                                     .labels = {"state"}};
  static const struct bus_metric_spec repeat_spec = {.name = "inventory_commands_unchanged_total",
                                                     .help = "Commands answered with the outcome as it was.",
                                                     .kind = BUS_COUNTER,
                                                     .labels = {"command"}};
  static const struct bus_metric_spec rejection_spec = {.name = "inventory_rejections_total",
                                                        .help = "Reservations rejected, by reason.",
                                                        .kind = BUS_COUNTER,
                                                        .labels = {"reason"}};
  static const struct bus_metric_spec unit_spec = {.name = "inventory_stock_units_total",
                                                   .help = "Units of stock that moved with reservations.",
                                                   .kind = BUS_COUNTER,
                                                   .labels = {"state"}};
  static const struct bus_metric_spec alarm_spec = {.name = "inventory_alarms_total",
                                                    .help = "Reservations that a person should look at.",
                                                    .kind = BUS_COUNTER,
                                                    .labels = {"alarm"}};
  register_series(&change_spec, reservation_state_names + 1, RESERVATION_STATES - 1, changes + 1);
  register_series(&repeat_spec, reservation_command_names, RESERVATION_COMMANDS, repeats);
  register_series(&rejection_spec, stock_reason_names, STOCK_ALREADY_RELEASED, rejections);
  register_series(&unit_spec, reservation_state_names + 1, RESERVATION_REJECTED - 1, units + 1);
  register_series(&alarm_spec, reservation_alarm_names + 1, RESERVATION_ALARMS - 1, alarms + 1);
}

void inventory_metrics_register(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, register_all); /* fails only for a wrong argument */
}

static void sound_alarm(const struct inventory_tally *tally) {
  bus_series_add(alarms[tally->alarm], 1);
  bus_log(BUS_ERROR, "reservation alarm", BUS_F_STR("alarm", reservation_alarm_names[tally->alarm]),
          BUS_F_UUID("order_id", &tally->order_id));
}

void inventory_metrics_count(void *context, const void *action) {
  (void)context;
  const struct inventory_tally *tally = action;
  if (tally->alarm != ALARM_NONE)
    sound_alarm(tally);
  if (tally->alarm == ALARM_HELD)
    return;
  if (!tally->changed) {
    bus_series_add(repeats[tally->command], 1);
    return;
  }
  bus_series_add(changes[tally->state], 1);
  if (tally->state == RESERVATION_REJECTED)
    bus_series_add(rejections[tally->reason], 1);
  else
    bus_series_add(units[tally->state], tally->units);
}
