/* Metrics of inventory-svc, counted after COMMIT. */
#include "inventory_metrics.h"

#include "inventory_service.h"

#include <bus/log.h>
#include <bus/metrics.h>
#include <pthread.h>

enum { REASONS = STOCK_NO_RESERVATION + 1 };
enum { LOW, OUT, SCARCITIES };

static struct bus_series *changes[RESERVATION_STATES], *repeats[RESERVATION_COMMANDS], *rejections[REASONS],
    *units[RESERVATION_STATES], *alarms[RESERVATION_ALARMS], *scarce[SCARCITIES];

/* A series for each value of the metric's one label. */
static void register_each(const char *name, const char *help, const char *label, const char *const *values,
                          size_t count, struct bus_series **ret) {
  const struct bus_metric_spec spec = BUS_COUNTER_SPEC(name, help, .labels = {label});
  bus_metric_series_each(&spec, values, count, ret);
}

static void register_all(void) {
  register_each("inventory_reservations_total", "Reservations that came into a state.", "state",
                reservation_state_names + 1, RESERVATION_STATES - 1, changes + 1);
  register_each("inventory_commands_unchanged_total", "Commands answered with the outcome as it was.", "command",
                reservation_command_names, RESERVATION_COMMANDS, repeats);
  register_each("inventory_rejections_total", "Reservations rejected, by reason.", "reason", stock_reason_names,
                STOCK_ALREADY_RELEASED, rejections);
  register_each("inventory_stock_units_total", "Units of stock that moved with reservations.", "state",
                reservation_state_names + 1, RESERVATION_STATES - 1, units + 1);
  static const struct bus_metric_spec scarcities[SCARCITIES] = {
      [LOW] = BUS_GAUGE_SPEC("inventory_products_low_stock",
                             "Products on sale with fewer on hand than LOW_STOCK, those without any among them."),
      [OUT] = BUS_GAUGE_SPEC("inventory_products_out_of_stock", "Products on sale with none on hand."),
  };
  bus_metric_singles(scarcities, SCARCITIES, scarce);
  register_each("inventory_alarms_total", "Reservations that a person should look at.", "alarm",
                reservation_alarm_names + 1, RESERVATION_ALARMS - 1, alarms + 1);
}

void inventory_metrics_register(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, register_all); /* fails only for a wrong argument */
}

bool inventory_metrics_open(const void *settings, struct bus_worker *worker, void **ret_context,
                            struct bus_error *err) {
  (void)settings, (void)worker, (void)err; /* nothing here can fail */
  inventory_metrics_register();
  *ret_context = NULL;
  return true;
}

void inventory_metrics_scarcity(const struct inventory_scarcity *found) {
  bus_series_set(scarce[LOW], found->low);
  bus_series_set(scarce[OUT], found->out);
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
