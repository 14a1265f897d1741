/* Figures that a process says of itself, read from its metrics: sums of the series that count, and nothing where there
 * is no such metric. */
#include <bus/alive_measure.h>
#include <bus/breaker_metrics.h>
#include <bus/metrics.h>

#include "test.h"

static struct bus_series *series(const struct bus_metric_spec *spec, const char *a, const char *b) {
  return bus_metric_series(bus_metric_register(spec), (const char *const[]){a, b});
}

static const struct bus_metric_spec messages =
    BUS_COUNTER_SPEC("bus_messages_total", "Messages.", .labels = {"type", "outcome"});
static const double bounds[] = {0.1, 1};
static const struct bus_metric_spec batches =
    BUS_HISTOGRAM_SPEC("bus_batch_duration_seconds", bounds, "Batches.", .labels = {"worker"}, .scale = 1e-6);
static const struct bus_metric_spec age = BUS_GAUGE_SPEC("bus_outbox_oldest_age_seconds", "Age.", .scale = 1e-6);

static struct bus_alive measure(void) {
  static struct bus_alive_breaker room[BUS_ALIVE_BREAKERS_MAX];
  struct bus_alive alive = {.state = BUS_ALIVE_READY};
  bus_alive_measure(&alive, room);
  return alive;
}

TEST(a_process_without_metrics_says_nothing)
{
  const struct bus_alive alive = measure();
  assert_int_equal(alive.figures.messages, BUS_NO_INT64);
  assert_int_equal(alive.figures.outbox_age_ms, BUS_NO_INT64);
  assert_int_equal(alive.breaker_count, 0);
}

TEST(messages_of_all_types_are_added_up_by_outcome)
{
  bus_series_add(series(&messages, "order.place.v1", "done"), 5);
  bus_series_add(series(&messages, "order.place.v1", "parked"), 2);
  bus_series_add(series(&messages, "order.cancel.v1", "parked"), 1);
  bus_series_add(series(&messages, "order.cancel.v1", "retried"), 4);
  const struct bus_alive alive = measure();
  assert_int_equal(alive.figures.messages, 12);
  assert_int_equal(alive.figures.dead_lettered, 3);
  assert_int_equal(alive.figures.retried, 4);
}

TEST(batches_are_those_that_write)
{
  bus_series_observe(series(&batches, "command", NULL), 2000);
  bus_series_observe(series(&batches, "command", NULL), 3000);
  bus_series_observe(series(&batches, "request", NULL), 1000);
  bus_series_observe(series(&batches, "query", NULL), 70);
  const struct bus_alive alive = measure();
  assert_int_equal(alive.figures.batches, 3);
  assert_int_equal(alive.figures.batch_us, 6000);
}

TEST(times_are_milliseconds)
{
  bus_series_set(series(&age, NULL, NULL), 1234567);
  assert_int_equal(measure().figures.outbox_age_ms, 1234);
}

TEST(breakers_have_the_state_of_their_dependency)
{
  static struct bus_breaker_metrics one, other;
  bus_breaker_metrics_init(&one, "bank");
  bus_breaker_metrics_init(&other, "post");
  bus_breaker_metrics_add(&one);
  bus_breaker_metrics_add(&other);
  bus_breaker_metrics_move(&other, BUS_BREAKER_CLOSED, BUS_BREAKER_OPEN);
  const struct bus_alive alive = measure();
  assert_int_equal(alive.breaker_count, 2);
  assert_true(bus_str_is(alive.breakers[0].dependency, "bank"));
  assert_int_equal(alive.breakers[0].state, BUS_ALIVE_CLOSED);
  assert_int_equal(alive.breakers[1].state, BUS_ALIVE_OPEN);
}

TEST(breakers_beyond_the_room_are_left_out)
{
  static struct bus_breaker_metrics many[BUS_ALIVE_BREAKERS_MAX + 2];
  char name[] = "a";
  for (size_t i = 0; i < BUS_COUNT(many); i++, name[0]++) {
    bus_breaker_metrics_init(&many[i], name);
    bus_breaker_metrics_add(&many[i]);
  }
  assert_int_equal(measure().breaker_count, BUS_ALIVE_BREAKERS_MAX);
}
