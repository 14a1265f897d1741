/* Metrics of order-svc. */
#include "order_metrics.h"

#include "order_service.h"

#include <bus/log.h>
#include <bus/metrics.h>
#include <pthread.h>
#include <string.h>

static const char *const resent_names[] = {"order.confirmed", "inventory.release", "payment.refund"};
static const unsigned resent_bits[] = {SEND_CONFIRMED, SEND_RELEASE, SEND_REFUND}; /* of the same commands */

static const double age_bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};

enum { CREATED, OPEN_SAGAS, LATE_SAGAS, INTAKE_CLOSED, SINGLES, FINISHED = SINGLES, AGE, RESENT, ALARMS, REVENUE };
static const struct bus_metric_spec specs[] = {
    [CREATED] = BUS_COUNTER_SPEC("orders_created_total", "Orders placed."),
    [OPEN_SAGAS] = BUS_GAUGE_SPEC("orders_open_sagas", "Sagas that count against MAX_OPEN_SAGAS: without those that "
                                                       "wait only to be undone, or for a person."),
    [LATE_SAGAS] = BUS_GAUGE_SPEC("orders_late_sagas", "Sagas that count against MAX_LATE_SAGAS: not reserved or paid "
                                                       "in time, and no newer order is CONFIRMED."),
    [INTAKE_CLOSED] = BUS_GAUGE_SPEC("orders_intake_closed", "1 while new orders wait in their queue."),
    [FINISHED] =
        BUS_COUNTER_SPEC("orders_finished_total", "Orders that came into a final status, by the code of their reason.",
                         .labels = {"status", "reason"}),
    [AGE] = BUS_HISTOGRAM_SPEC("orders_saga_seconds", age_bounds, "From placing an order to its final status.",
                               .labels = {"status"}, .scale = 1e-6),
    [RESENT] =
        BUS_COUNTER_SPEC("orders_saga_resends_total", "Commands of open sagas sent again.", .labels = {"command"}),
    [ALARMS] = BUS_COUNTER_SPEC("orders_saga_alarms_total",
                                "Messages that no sound saga brings, by the order's status.", .labels = {"status"}),
    /* Currencies come from the catalogue, by messages. */
    [REVENUE] = BUS_COUNTER_SPEC("orders_revenue_minor_units_total",
                                 "Captured and not refunded when the order became CONFIRMED, in minor units (cents) of "
                                 "the currency.",
                                 .labels = {"currency"}, .series_max = ORDER_REVENUE_CURRENCIES + 1),
};

static struct bus_series *singles[SINGLES], *confirmed, *finished[ORDER_WHYS + 1], *age[ORDER_STATUS_COUNT],
    *resent[BUS_COUNT(resent_names)], *alarms[ORDER_STATES];
static struct bus_metric *revenue;

/* Each reason belongs to one status. One without a known code is that of an order which an older release began to undo.
 */
static void register_finished(void) {
  struct bus_metric *metric = bus_metric_register(&specs[FINISHED]);
  confirmed = bus_metric_series(metric, (const char *const[]){order_state_name(ORDER_CONFIRMED), "none"});
  for (size_t why = 0; why <= ORDER_WHYS; why++) {
    int status = why < ORDER_WHY_CUSTOMER ? ORDER_REJECTED : ORDER_CANCELLED;
    const char *const values[] = {order_state_name(status), why < ORDER_WHYS ? order_why_name(why) : "other"};
    finished[why] = bus_metric_series(metric, values);
  }
}

static void register_metrics(void) {
  const char *states[ORDER_STATES];
  for (int state = 0; state < ORDER_STATES; state++)
    states[state] = order_state_name(state);
  enum { FINAL = ORDER_CONFIRMED, FINALS = ORDER_CANCELLED + 1 - FINAL };
  bus_metric_singles(specs, SINGLES, singles);
  register_finished();
  bus_metric_series_each(&specs[AGE], states + FINAL, FINALS, age + FINAL);
  bus_metric_series_each(&specs[RESENT], resent_names, BUS_COUNT(resent_names), resent);
  bus_metric_series_each(&specs[ALARMS], states, ORDER_STATES, alarms);
  revenue = bus_metric_register(&specs[REVENUE]);
}

void order_metrics_register(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, register_metrics); /* fails only for a wrong argument */
}

void order_metrics_intake(const struct order_load *load, bool closed) {
  bus_series_set(singles[OPEN_SAGAS], load->open);
  bus_series_set(singles[LATE_SAGAS], load->late);
  bus_series_set(singles[INTAKE_CLOSED], closed);
}

static void count_revenue(const char *currency, int64_t amount) {
  bool is_code =
      strlen(currency) == ORDER_CURRENCY_LEN && strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ORDER_CURRENCY_LEN;
  const char *label = is_code ? currency : "other";
  bus_series_add(bus_metric_series(revenue, &label), amount);
}

static void sound_order_alarm(const struct order_tally *tally) {
  bus_series_add(alarms[tally->status], 1);
  bus_log(BUS_ERROR, "saga alarm", BUS_F_UUID("order_id", &tally->order_id), BUS_F_STR("what", tally->alarm),
          BUS_F_STR("status", order_state_name(tally->status)));
}

void order_metrics_count(void *context, const void *action) {
  const struct order_tally *tally = action;
  (void)context;
  if (tally->created)
    bus_series_add(singles[CREATED], 1);
  if (tally->finished >= 0) {
    bus_series_add(tally->finished == ORDER_CONFIRMED ? confirmed : finished[tally->why], 1);
    bus_series_observe_in(age[tally->finished], tally->age, &tally->trace);
  }
  if (tally->finished == ORDER_CONFIRMED)
    count_revenue(tally->currency, tally->earned);
  for (size_t i = 0; i < BUS_COUNT(resent_bits); i++)
    if (tally->resent & resent_bits[i])
      bus_series_add(resent[i], 1);
  if (tally->alarm)
    sound_order_alarm(tally);
}
