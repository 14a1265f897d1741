/* Reads the figures of service.alive from the metrics that workers and breakers keep: no worker counts anything twice.
 */
#include <bus/alive_measure.h>
#include <bus/breaker.h>
#include <bus/metrics.h>

/* Series of one metric, added up: all of them, or those with one label's value. */
struct sum {
  size_t label;
  const char *value; /* NULL: all */
  bool but;          /* those with another value */
  int64_t (*read)(const struct bus_series *series);
  int64_t total; /* BUS_NO_INT64: there is no such metric */
};

static void add_series(void *context, const struct bus_series *series) {
  struct sum *sum = context;
  if (sum->total == BUS_NO_INT64)
    sum->total = 0;
  if (sum->value == NULL || (strcmp(bus_series_label(series, sum->label), sum->value) == 0) != sum->but)
    sum->total += sum->read(series);
}

static int64_t sum_of(const char *metric, struct sum sum) {
  sum.total = BUS_NO_INT64;
  sum.read = sum.read ? sum.read : bus_series_value;
  bus_metric_each(metric, add_series, &sum);
  return sum.total;
}

static int64_t all_of(const char *metric) {
  return sum_of(metric, (struct sum){.value = NULL});
}

static int64_t messages_that(const char *outcome) {
  return sum_of("bus_messages_total", (struct sum){.label = 1, .value = outcome});
}

/* Transactions of all workers but those that answer queries. */
static int64_t batches_by(int64_t (*read)(const struct bus_series *series)) {
  return sum_of("bus_batch_duration_seconds", (struct sum){.value = "query", .but = true, .read = read});
}

static void add_breaker(void *context, const struct bus_series *series) {
  struct bus_alive *alive = context;
  if (alive->breaker_count < BUS_ALIVE_BREAKERS_MAX)
    alive->breakers[alive->breaker_count++] =
        (struct bus_alive_breaker){bus_str(bus_series_label(series, 0)), (int)bus_series_value(series)};
}

void bus_alive_measure(struct bus_alive *alive, struct bus_alive_breaker room[BUS_ALIVE_BREAKERS_MAX]) {
  int64_t age = all_of("bus_outbox_oldest_age_seconds");
  _Static_assert((int)BUS_ALIVE_OPEN == (int)BUS_BREAKER_OPEN && (int)BUS_ALIVE_CLOSED == (int)BUS_BREAKER_CLOSED,
                 "the metric's values are the message's");
  alive->figures = (struct bus_alive_figures){
      .messages = all_of("bus_messages_total"),
      .retried = messages_that("retried"),
      .dead_lettered = messages_that("parked"),
      .batches = batches_by(bus_series_value),
      .batch_us = batches_by(bus_series_sum),
      .outbox_messages = all_of("bus_outbox_depth"),
      .outbox_age_ms = age == BUS_NO_INT64 ? age : age / BUS_MILLISECOND,
      .outbox_unroutable = all_of("bus_outbox_unroutable"),
      .held_messages = all_of("bus_held_messages"),
      .stalled_workers = all_of("bus_stalled_workers"),
  };
  alive->breakers = room;
  alive->breaker_count = 0;
  bus_metric_each("circuit_breaker_state", add_breaker, alive);
}
