/* Tests messages that no queue takes: they are kept until one does, commands in the outbox, dead letters unacked. */
#include "toy.h"

#include <bus/clock.h>
#include <bus/metrics.h>
#include <test.h>

#include <stdio.h>

enum { METRICS_MAX = 1 << 16 };

static void find_text(void *context, struct bus_str piece) {
  char *text = context;
  size_t len = strlen(text);
  (void)snprintf(text + len, METRICS_MAX - len, "%.*s", (int)piece.len, piece.data);
}

static bool metrics_say(const char *line) {
  static char text[METRICS_MAX];
  text[0] = '\0';
  bus_metrics_print(BUS_METRICS_TEXT, find_text, text);
  return strstr(text, line) != NULL;
}

static void await_metric(const char *line) {
  for (int i = 0; i < 200 && !metrics_say(line); i++)
    toy_sleep_ms(50);
  if (!metrics_say(line))
    fail_msg("no \"%s\" in the metrics", line);
}

TEST(keeps_an_unroutable_command_until_the_route_exists)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy.settings.outbox_grace_ms = 300;
  toy.settings.outbox_lease_ms = 300;
  (void)toy_publish(&toy, 1, TOY_UNHEARD);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, OUTBOX " WHERE unroutable", 1, 10);
  await_metric("bus_outbox_unroutable 1\n");
  assert_false(metrics_say("bus_confirms_total{outcome=\"returned\"} 0\n"));
  struct bus_error err;
  struct bus_declaration binding = {.kind = BUS_DECLARE_BINDING, .exchange = "bus.cmd"};
  struct bus_str key = bus_message_key(&toy_unheard_type);
  (void)snprintf(binding.key, sizeof binding.key, "%.*s", (int)key.len, key.data);
  (void)snprintf(binding.name, sizeof binding.name, "%s", toy.events);
  assert_true(bus_amqp_declare(toy.amqp, &binding, false, &err));
  toy_await(&toy, "UPDATE bus.outbox SET next_attempt_at = now() RETURNING 1", 1, 5);
  toy_await(&toy, OUTBOX, 0, 10);
  await_metric("bus_outbox_unroutable 0\n");
  toy_stop(&run);
  toy_await_depth(&toy, toy.events, 1, 5);
  toy_teardown(&toy);
}

/* Nowhere to park it: it stays where it is, alarmed, and what comes behind is processed and acked with it later. */
TEST(keeps_a_message_to_park_until_the_dead_queue_exists)
{
  struct toy toy;
  struct toy_run run;
  char dead[80];
  toy_setup(&toy);
  toy_start(&toy, &run);
  (void)toy_publish(&toy, 1, 1);
  toy_await(&toy, SUM, 1, 10);
  toy_delete_queue(&toy, ".dead");
  (void)toy_publish(&toy, 2, TOY_PARK);
  (void)toy_publish(&toy, 3, 10);
  toy_flush(&toy);
  toy_await(&toy, SUM, 11, 10);
  await_metric("bus_held_messages 1\n");
  toy_declare_queues(&toy);
  (void)snprintf(dead, sizeof dead, "%s.dead", toy.queue);
  toy_await_depth(&toy, dead, 1, 10);
  await_metric("bus_held_messages 0\n");
  toy_stop(&run);
  toy_await_depth(&toy, toy.queue, 0, 5);
  toy_teardown(&toy);
}

/* So many commands into a queue that takes one; the rest are nacked, and swept at this pace. */
static void start_nacked(struct toy *toy, struct toy_run *run, unsigned count, int64_t sweep_ms) {
  toy_setup(toy);
  toy->settings.outbox_grace_ms = toy->settings.outbox_lease_ms = sweep_ms;
  for (unsigned i = 0; i < count; i++)
    (void)toy_publish(toy, i, TOY_FULL);
  toy_flush(toy);
  toy_start(toy, run);
  toy_await(toy, SUM, (int64_t)count * TOY_FULL, 10);
}

/* Nacked confirms leave their rows to the sweeper, until the queue takes them. */
TEST(sweeps_what_a_full_queue_nacked)
{
  struct toy toy;
  struct toy_run run;
  start_nacked(&toy, &run, 20, 300);
  toy_await(&toy, "SELECT (count(*) > 5)::int FROM bus.outbox WHERE attempts > 1", 1, 10);
  struct bus_error err;
  struct bus_amqp *reader = NULL;
  const struct bus_amqp_settings amqp = {.url = toy.amqp_url, .name = "toy reader"};
  struct bus_arena *arena = bus_arena_new(1 << 20);
  assert_true(bus_amqp_open(&amqp, &reader, &err));
  bus_amqp_set_arena(reader, arena);
  assert_true(bus_amqp_consume(reader, toy.full, 0, 100, true, &err));
  for (int i = 0; i < 400 && toy_number(&toy, OUTBOX) > 0; i++) {
    assert_true(bus_amqp_pump(reader, &(struct bus_amqp_events){0}, NULL, &err));
    toy_sleep_ms(50);
  }
  assert_int_equal(toy_number(&toy, OUTBOX), 0);
  bus_amqp_free(reader);
  bus_arena_free(arena);
  toy_stop(&run);
  toy_teardown(&toy);
}

/* A queue that has lost its leader may nack on this connection what it would take on another one. */
TEST(opens_a_new_connection_when_messages_are_nacked_for_long)
{
  struct toy toy;
  struct toy_run run;
  start_nacked(&toy, &run, 2, 100);
  int64_t began = bus_monotonic();
  await_metric("bus_reconnects_total{link=\"broker\"} 1\n");
  assert_true(bus_monotonic() - began > BUS_SECOND / 2);
  toy_stop(&run);
  toy_teardown(&toy);
}
