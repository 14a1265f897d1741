/* payment-svc's metrics. */
#include "payment_metrics.h"

#include <bus/breaker_metrics.h>
#include <bus/metrics.h>

#include <pthread.h>

static const double duration_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7, 10};

static struct bus_series *states[PAYMENT_STATES], *alarms[PAYMENT_ALARMS];
static struct bus_series *calls[PAYMENT_CALL_NAMES][PAYMENT_INPUTS], *durations[PAYMENT_CALL_NAMES];
static struct bus_metric *held_back;
static struct bus_breaker_metrics breakers;
static struct bus_series *pending, *open_payments, *refunds_failing, *unknown, *oldest_age;

static struct bus_series *series(const struct bus_metric_spec *spec, const char *a, const char *b) {
  const char *const values[] = {a, b};
  return bus_metric_series(bus_metric_register(spec), values);
}

static void register_facts(void) {
  static const struct bus_metric_spec state_spec = {.name = "payment_payments_total",
                                                    .help = "Payments that came into a state.",
                                                    .kind = BUS_COUNTER,
                                                    .labels = {"state"}};
  static const struct bus_metric_spec alarm_spec = {
      .name = "payment_alarms_total", .help = "Alarms for an operator.", .kind = BUS_COUNTER, .labels = {"alarm"}};
  for (int i = PAYMENT_NONE + 1; i < PAYMENT_STATES; i++)
    states[i] = series(&state_spec, payment_state_names[i], NULL);
  for (int i = PAYMENT_NO_ALARM + 1; i < PAYMENT_ALARMS; i++)
    alarms[i] = series(&alarm_spec, payment_alarm_names[i], NULL);
}

static void register_calls(void) {
  static const struct bus_metric_spec call_spec = {.name = "payment_psp_calls_total",
                                                   .help = "Calls to the PSP, by what they gave.",
                                                   .kind = BUS_COUNTER,
                                                   .labels = {"call", "outcome"}};
  static const struct bus_metric_spec duration_spec = {.name = "payment_psp_call_duration_seconds",
                                                       .help = "How long calls to the PSP took.",
                                                       .kind = BUS_HISTOGRAM,
                                                       .labels = {"call"},
                                                       .bounds = duration_bounds,
                                                       .bound_count = BUS_COUNT(duration_bounds),
                                                       .scale = 1e-6};
  static const struct bus_metric_spec pending_spec = {
      .name = "payment_psp_calls_pending", .help = "Calls under way or waiting for their turn.", .kind = BUS_GAUGE};
  for (int call = 0; call < PAYMENT_CALL_NAMES; call++) {
    for (int i = PAYMENT_ON_CAPTURED; i < PAYMENT_INPUTS; i++)
      calls[call][i] = series(&call_spec, payment_call_names[call], payment_input_names[i]);
    durations[call] = series(&duration_spec, payment_call_names[call], NULL);
  }
  static const struct bus_metric_spec held_spec = {.name = "payment_psp_calls_held_back_total",
                                                   .help = "Calls that were not made, by reason.",
                                                   .kind = BUS_COUNTER,
                                                   .labels = {"reason"}};
  held_back = bus_metric_register(&held_spec);
  pending = series(&pending_spec, NULL, NULL);
}

static void register_gauges(void) {
  static const struct bus_metric_spec open_spec = {
      .name = "payment_open", .help = "Payments that someone must look at again.", .kind = BUS_GAUGE};
  static const struct bus_metric_spec failing_spec = {
      .name = "payment_refunds_failing", .help = "Refunds that failed more than a few times.", .kind = BUS_GAUGE};
  static const struct bus_metric_spec unknown_spec = {
      .name = "payment_unknown", .help = "Payments that an operator must settle.", .kind = BUS_GAUGE};
  static const struct bus_metric_spec age_spec = {.name = "payment_open_oldest_age_seconds",
                                                  .help = "Age of the oldest open payment.",
                                                  .kind = BUS_GAUGE,
                                                  .scale = 1e-6};
  open_payments = series(&open_spec, NULL, NULL);
  refunds_failing = series(&failing_spec, NULL, NULL);
  unknown = series(&unknown_spec, NULL, NULL);
  oldest_age = series(&age_spec, NULL, NULL);
}

static void register_all(void) {
  register_facts();
  register_calls();
  bus_breaker_metrics_init(&breakers, "payment_provider");
  register_gauges();
}

void payment_metrics_register(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, register_all); /* fails only for a wrong argument */
}

void payment_metrics_fact(const struct payment_action *action) {
  if (action->moved)
    bus_series_add(states[action->state], 1);
  if (action->alarm != PAYMENT_NO_ALARM)
    bus_series_add(alarms[action->alarm], 1);
}

void payment_metrics_call(const struct payment_call *call, const struct payment_result *result, int64_t duration) {
  size_t name = payment_call_name(call);
  bus_series_add(calls[name][result->kind], 1);
  if (result->kind != PAYMENT_ON_NOT_STARTED)
    bus_series_observe_in(durations[name], duration, &call->trace);
}

void payment_metrics_held_back(const char *reason) {
  bus_series_add(bus_metric_series(held_back, &reason), 1);
}

void payment_metrics_pending(int64_t more) {
  bus_series_add(pending, more);
}

void payment_metrics_breaker_added(void) {
  bus_breaker_metrics_add(&breakers);
}

void payment_metrics_breaker(enum bus_breaker_state from, enum bus_breaker_state to) {
  bus_breaker_metrics_move(&breakers, from, to);
}

void payment_metrics_breaker_removed(enum bus_breaker_state state) {
  bus_breaker_metrics_remove(&breakers, state);
}

void payment_metrics_gauges(const struct payment_gauges *gauges) {
  bus_series_set(open_payments, gauges->open);
  bus_series_set(refunds_failing, gauges->refunds_failing);
  bus_series_set(unknown, gauges->unknown);
  bus_series_set(oldest_age, gauges->oldest_age);
}
