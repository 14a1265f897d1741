/* The listener against a real broker: events come, each decoded; it says when some were missed. */
#include "amqp_fixture.h"

#include <bus/bundle.h>
#include <bus/listener.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

struct number {
  int64_t value;
};
static const struct bus_field fields[] = {BUS_FIELD_INT64(struct number, value, 0, 1000000, BUS_REQUIRED, "a number")};
static const struct bus_schema schema = BUS_SCHEMA("number", struct number, fields);
static const struct bus_message_type noticed = BUS_NOTICE("test.noticed.v1", &schema, "admin");
static const struct bus_message_type foreign = BUS_NOTICE("test.foreign.v1", &schema, "other");
static const struct bus_message_type changed = BUS_EVENT("test.changed.v1", &schema, "admin");
static const struct bus_message_type *const types[] = {&noticed, &foreign, &changed};

enum { LENGTH = 3000, FLOOD = 6000 };

/* One listener, and what it was told. */
struct heard {
  struct bus_queue queue;
  struct bus_topology_part admin, other;
  const struct bus_topology_part *parts[2];
  struct bus_topology topology;
  struct bus_listener *listener;
  struct link *link;
  atomic_int events, last, attached, lost;
  atomic_bool stuck; /* the next event waits */
};

static void on_event(void *context, const struct bus_message_type *type, struct bus_str sender, const void *body) {
  struct heard *heard = context;
  while (atomic_load(&heard->stuck))
    usleep(1000);
  atomic_store(&heard->last, type != &foreign ? (int)((const struct number *)body)->value : -1);
  if (bus_str_is(sender, "admin"))
    atomic_fetch_add(&heard->events, 1);
}

static void on_attached(void *context) {
  atomic_fetch_add(&((struct heard *)context)->attached, 1);
}

static void on_lost(void *context) {
  atomic_fetch_add(&((struct heard *)context)->lost, 1);
}

static const struct bus_listener_calls calls = {.event = on_event, .attached = on_attached, .lost = on_lost};

static void await(atomic_int *what, int least) {
  for (int i = 0; i < 2000 && atomic_load(what) < least; i++)
    usleep(10000);
  assert_true(atomic_load(what) >= least);
}

static void begin(struct heard *heard) {
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct bus_error err;
  heard->queue = (struct bus_queue)BUS_EVENT_QUEUE("admin.event", types);
  heard->queue.max_length = LENGTH;
  heard->admin = (struct bus_topology_part){.user = {.name = "admin"}, .queues = &heard->queue, .queue_count = 1};
  heard->other = (struct bus_topology_part){.user = {.name = "other"}, .types = types, .type_count = 3};
  heard->parts[0] = &heard->admin;
  heard->parts[1] = &heard->other;
  heard->topology = (struct bus_topology){.parts = heard->parts, .part_count = 2};
  heard->link = link_open(url);
  declare_exchanges(heard->link);
  const struct bus_listener_settings settings = {.amqp_url = url,
                                                 .instance = fresh_name("i"),
                                                 .topology = &heard->topology,
                                                 .queue = &heard->queue,
                                                 .calls = &calls,
                                                 .context = heard};
  if (!bus_listener_new(&settings, &heard->listener, &err))
    fail_msg("%s", err.text);
  await(&heard->attached, 1);
  assert_true(bus_listener_is_attached(heard->listener));
}

static void end(struct heard *heard) {
  bus_listener_free(heard->listener);
  link_close(heard->link);
}

static void publish(struct heard *heard, const char *type, const char *key, const char *body) {
  const struct bus_envelope envelope = {.type = bus_str(type), .message_id = next_id()};
  const struct bus_publication publication = {.exchange = BUS_EXCHANGE_EVENT,
                                              .key = bus_str(key),
                                              .transient = true,
                                              .envelope = &envelope,
                                              .body = bus_str(body)};
  uint64_t seq;
  if (!bus_amqp_publish(heard->link->amqp, &publication, &seq, &heard->link->err))
    fail_msg("%s", heard->link->err.text);
  bus_amqp_flush(heard->link->amqp);
}

static void publish_number(struct heard *heard, int number) {
  char body[64];
  (void)snprintf(body, sizeof body, "{\"value\":%d}", number);
  publish(heard, "test.noticed.v1", "test.noticed", body);
}

TEST(listener_takes_events_and_drops_what_is_none)
{
  struct heard heard = {.last = 0};
  begin(&heard);
  publish(&heard, "test.noticed.v1", "test.noticed", "{\"value\":\"x\"}");
  publish(&heard, "test.strange.v1", "test.noticed", "{\"value\":1}");
  publish(&heard, "test.foreign.v1", "test.foreign", "{\"value\":2}"); /* admin may not send it */
  publish_number(&heard, 3);
  await(&heard.events, 1);
  assert_int_equal(atomic_load(&heard.last), 3);
  assert_int_equal(atomic_load(&heard.events), 1);
  end(&heard);
  assert_int_equal(atomic_load(&heard.lost), 1); /* its end */
}

/* The middle one cannot be decoded; then a bundle that says another number than it has. */
TEST(listener_takes_the_events_of_a_bundle)
{
  static const struct bus_str bodies[] = {BUS_STR("{\"value\":4}"), BUS_STR("{]"), BUS_STR("{\"value\":5}")};
  struct heard heard = {.last = 0};
  struct bus_envelope envelopes[3], outer;
  struct bus_bundle_item items[3];
  struct bus_uuid id = next_id();
  struct bus_publication publication = {
      .exchange = BUS_EXCHANGE_EVENT, .key = BUS_STR("test.changed"), .envelope = &outer};
  uint64_t seq;
  begin(&heard);
  for (size_t i = 0; i < 3; i++) {
    envelopes[i] = (struct bus_envelope){.message_id = next_id()};
    items[i] = (struct bus_bundle_item){&changed, &envelopes[i], bodies[i], 0};
  }
  bus_bundle_envelope(items, 3, &id, &outer);
  assert_true(bus_bundle_encode("admin", items, 3, heard.link->arena, &publication.body));
  assert_true(bus_amqp_publish(heard.link->amqp, &publication, &seq, &heard.link->err));
  outer.bundle_count = 2;
  assert_true(bus_amqp_publish(heard.link->amqp, &publication, &seq, &heard.link->err));
  publish_number(&heard, 6);
  await(&heard.events, 3);
  assert_int_equal(atomic_load(&heard.events), 3);
  assert_int_equal(atomic_load(&heard.last), 6);
  end(&heard);
}

TEST(listener_says_that_its_queue_was_full)
{
  struct heard heard = {.last = 0};
  begin(&heard);
  atomic_store(&heard.stuck, true);
  for (int i = 1; i <= FLOOD; i++)
    publish_number(&heard, i);
  (void)link_pump_for(heard.link, 500);
  atomic_store(&heard.stuck, false);
  await(&heard.attached, 2);
  assert_int_equal(atomic_load(&heard.lost), 1);
  publish_number(&heard, FLOOD + 1);
  for (int i = 0; i < 500 && atomic_load(&heard.last) != FLOOD + 1; i++)
    usleep(10000);
  assert_int_equal(atomic_load(&heard.last), FLOOD + 1);
  end(&heard);
}

TEST(listener_keeps_up_with_many_events)
{
  struct heard heard = {.last = 0};
  begin(&heard);
  for (int i = 1; i <= FLOOD; i++) {
    publish_number(&heard, i);
    if (i % 500 == 0)
      await(&heard.events, i);
  }
  await(&heard.events, FLOOD);
  assert_int_equal(atomic_load(&heard.attached), 1);
  assert_int_equal(atomic_load(&heard.lost), 0);
  end(&heard);
}
