/* Bundles through a worker: what a transaction sends travels in few messages, and what comes in a bundle is carried
 * message by message. */
#include "toy.h"

#include <bus/bundle.h>
#include <test.h>

#include <stdio.h>

enum { EVENTS = 300 };

/* ---- out ---- */

/* Deliveries and messages that came to the test. */
struct seen {
  struct bus_arena *arena;
  size_t deliveries, messages, singles;
};

static void see(void *context, const struct bus_delivery *delivery) {
  struct seen *seen = context;
  struct bus_bundle_element *elements;
  struct bus_error err;
  size_t count = 1;
  seen->deliveries++;
  if (!delivery->envelope.bundle)
    seen->singles++;
  else if (!bus_bundle_cut(&delivery->envelope, delivery->body, seen->arena, &elements, &count, &err))
    fail_msg("%s", err.text);
  seen->messages += count;
}

/* Reads the queue until so many messages have come. */
static struct seen drain(struct toy *toy, const char *queue, size_t messages) {
  struct bus_amqp_events events = {.delivery = see};
  struct seen seen = {.arena = toy->arena};
  struct bus_error err;
  bus_amqp_set_arena(toy->amqp, toy->arena);
  assert_true(bus_amqp_consume(toy->amqp, queue, 0, 1000, true, &err));
  for (int i = 0; i < 2000 && seen.messages < messages; i++) {
    assert_true(bus_amqp_pump(toy->amqp, &events, &seen, &err));
    toy_sleep_ms(5);
  }
  return seen;
}

TEST(a_transactions_events_travel_in_few_messages)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_added_type.single = false;
  for (unsigned i = 0; i < EVENTS; i++)
    (void)toy_publish(&toy, i, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, EVENTS, 20);
  toy_await(&toy, OUTBOX, 0, 20);
  toy_stop(&run);
  struct seen seen = drain(&toy, toy.events, EVENTS);
  toy_added_type.single = true;
  assert_int_equal(seen.messages, EVENTS);
  assert_true(seen.deliveries < EVENTS / 10);
  assert_true(toy_metric("bus_bundles_total{direction=\"published\"} ") > 0);
  toy_teardown(&toy);
}

TEST(a_lone_event_travels_as_it_always_did)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_added_type.single = false;
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 1, 20);
  toy_stop(&run);
  struct seen seen = drain(&toy, toy.events, 1);
  toy_added_type.single = true;
  assert_int_equal(seen.singles, 1);
  toy_teardown(&toy);
}

/* The row holds the bundle, so the sweeper sends the same messages under the same ids. */
TEST(a_bundle_that_was_not_confirmed_is_sent_again_as_it_was)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy.settings.outbox_grace_ms = 300;
  toy.settings.outbox_lease_ms = 300;
  for (unsigned i = 0; i < 20; i++)
    (void)toy_publish(&toy, i, TOY_UNHEARD);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, "SELECT coalesce(sum(messages), 0)::bigint FROM bus.outbox WHERE unroutable", 20, 20);
  assert_true(toy_number(&toy, OUTBOX) < 10);
  struct bus_error err;
  struct bus_declaration binding = {.kind = BUS_DECLARE_BINDING, .exchange = "bus.cmd"};
  struct bus_str key = bus_message_key(&toy_unheard_type);
  (void)snprintf(binding.key, sizeof binding.key, "%.*s", (int)key.len, key.data);
  (void)snprintf(binding.name, sizeof binding.name, "%s", toy.events);
  assert_true(bus_amqp_declare(toy.amqp, &binding, false, &err));
  toy_execute(&toy, "UPDATE bus.outbox SET next_attempt_at = now()");
  toy_await(&toy, OUTBOX, 0, 20);
  toy_stop(&run);
  struct seen seen = drain(&toy, toy.events, 20);
  assert_int_equal(seen.messages, 20);
  assert_true(seen.deliveries < 10);
  toy_teardown(&toy);
}

/* ---- in ---- */

static const struct bus_envelope envelope_of_adds = {.first_failed_at = BUS_NO_TIME};

/* Publishes adds of these amounts as one bundle; ids: of the adds, made where they are nil. */
static void publish_bundle(struct toy *toy, const int64_t *amounts, size_t count, struct bus_uuid *ids) {
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_envelope *envelopes = bus_arena_array(arena, count, sizeof *envelopes), outer;
  struct bus_bundle_item *items = bus_arena_array(arena, count, sizeof *items);
  struct bus_uuid id;
  struct bus_str body;
  assert_true(arena && envelopes && items);
  for (size_t i = 0; i < count; i++) {
    const struct toy_add add = {.counter = toy_counter((unsigned)i), .by = amounts[i]};
    if (bus_uuid_is_nil(&ids[i]))
      bus_uuid_v7(&toy->ids, 0, &ids[i]);
    envelopes[i] = envelope_of_adds;
    envelopes[i].message_id = ids[i];
    envelopes[i].type = bus_str(toy_add_type.type);
    items[i] = (struct bus_bundle_item){.type = &toy_add_type, .envelope = &envelopes[i]};
    assert_true(bus_encode(toy_add_type.schema, &add, arena, &items[i].body));
  }
  bus_uuid_v7(&toy->ids, 0, &id);
  bus_bundle_envelope(items, count, &id, &outer);
  assert_true(bus_bundle_encode("admin", items, count, arena, &body));
  toy_publish_raw(toy, &outer, body.data);
  toy_flush(toy);
  bus_arena_free(arena);
}

TEST(each_message_of_a_bundle_is_processed_once)
{
  struct toy toy;
  struct toy_run run;
  int64_t amounts[50];
  struct bus_uuid ids[50] = {{{0}}};
  toy_setup(&toy);
  for (size_t i = 0; i < 50; i++)
    amounts[i] = 2;
  publish_bundle(&toy, amounts, 50, ids);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 100, 20);
  publish_bundle(&toy, amounts, 50, ids); /* in another bundle */
  publish_bundle(&toy, amounts + 20, 30, ids + 20);
  toy_await_depth(&toy, toy.queue, 0, 20);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, SUM), 100);
  assert_int_equal(toy_number(&toy, INBOX), 50);
  toy_await_depth(&toy, toy.queue, 0, 5);
  toy_teardown(&toy);
}

/* Dead-lettered or retried alone, while its neighbours commit; the delivery is acked when the last one is settled. */
TEST(a_message_of_a_bundle_that_fails_goes_its_way_alone)
{
  struct toy toy;
  struct toy_run run;
  int64_t amounts[] = {1, TOY_PARK, 10, TOY_REFUSED, 100, TOY_RETRY, 1000};
  struct bus_uuid ids[BUS_COUNT(amounts)] = {{{0}}};
  char dead[80];
  toy_setup(&toy);
  publish_bundle(&toy, amounts, BUS_COUNT(amounts), ids);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 1111 + TOY_RETRY, 30);
  toy_await(&toy, PARKED, 2, 10);
  toy_stop(&run);
  (void)snprintf(dead, sizeof dead, "%s.dead", toy.queue);
  toy_await_depth(&toy, dead, 2, 5);
  struct seen seen = drain(&toy, dead, 2);
  assert_int_equal(seen.singles, 2);
  toy_await_depth(&toy, toy.queue, 0, 5);
  toy_teardown(&toy);
}

TEST(a_bundle_that_cannot_be_cut_is_dead_lettered_whole)
{
  struct toy toy;
  struct toy_run run;
  char dead[80];
  struct bus_envelope outer = {.first_failed_at = BUS_NO_TIME, .bundle = true, .bundle_count = 3};
  toy_setup(&toy);
  outer.type = bus_str(toy_add_type.type);
  bus_uuid_v7(&toy.ids, 0, &outer.message_id);
  toy_publish_raw(&toy, &outer, "[{\"specversion\":\"1.0\"},{},{}]");
  (void)toy_publish(&toy, 1, 5);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 5, 20);
  toy_await(&toy, PARKED " WHERE cause LIKE 'bundle[0]%'", 1, 10);
  toy_stop(&run);
  (void)snprintf(dead, sizeof dead, "%s.dead", toy.queue);
  toy_await_depth(&toy, dead, 1, 5);
  toy_teardown(&toy);
}
