/* Consuming from a real broker: settling, redelivery, cancellation, heartbeats, alarms, and messages from strangers. */
#include "amqp_fixture.h"
#include "connection.h"

#include <bus/bundle.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void fill(struct link *link, const char *queue, size_t count) {
  assert_true(bus_amqp_confirm(link->amqp, &link->err));
  for (size_t i = 0; i < count; i++)
    link_publish(link, BUS_EXCHANGE_EVENT, queue, true, NULL);
  uint64_t last = 0;
  for (int i = 0; last < count && i < 200; i++) {
    assert_true(link_pump_for(link, 20));
    if (link_count(link, SEEN_ACK) > 0)
      last = link_nth(link, SEEN_ACK, link_count(link, SEEN_ACK) - 1)->seq;
  }
}

/* A connection with a queue of its own that holds so many messages. */
static struct link *open_with_messages(const char **ret_queue, size_t count) {
  struct link *link = link_open(test_url());
  *ret_queue = fresh_name("consume");
  declare_bound_queue(link, BUS_EXCHANGE_EVENT, *ret_queue);
  fill(link, *ret_queue, count);
  return link;
}

TEST(consume_takes_in_order_and_acks_up_to_a_tag)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 10);
  link_consume(link, queue, 2, 100);
  link_await(link, SEEN_DELIVERY, 10, 5000);
  for (size_t i = 0; i < 10; i++) {
    const struct seen *seen = link_nth(link, SEEN_DELIVERY, i);
    assert_int_equal(seen->seq, i + 1);
    assert_int_equal(seen->consumer, 2);
    assert_true(bus_str_is(seen->delivery.body, "{}"));
    assert_true(bus_str_is(seen->delivery.envelope.type, "test.thing.v1"));
    assert_true(bus_str_is(seen->delivery.envelope.user_id, bus_amqp_user(link->amqp)));
  }
  assert_true(bus_amqp_ack(link->amqp, 7, true, &link->err));
  link_close(link);
  struct link *next = link_open(test_url());
  link_consume(next, queue, 0, 100);
  link_await(next, SEEN_DELIVERY, 3, 5000);
  assert_true(link_pump_for(next, 100));
  assert_int_equal(link_count(next, SEEN_DELIVERY), 3);
  assert_true(link_nth(next, SEEN_DELIVERY, 0)->delivery.envelope.redelivered);
  link_close(next);
}

TEST(consume_prefetch_bounds_what_is_unsettled)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 10);
  link_consume(link, queue, 0, 3);
  link_await(link, SEEN_DELIVERY, 3, 5000);
  assert_true(link_pump_for(link, 200));
  assert_int_equal(link_count(link, SEEN_DELIVERY), 3);
  assert_true(bus_amqp_ack(link->amqp, 2, true, &link->err));
  link_await(link, SEEN_DELIVERY, 5, 5000);
  link_close(link);
}

/* RabbitMQ 3.10 numbers a quorum queue's deliveries by consumer tag: where a tag is used again while deliveries of the
 * consumer before are unsettled, it loses count and closes the connection with INTERNAL_ERROR. */
TEST(consume_again_while_deliveries_are_unsettled)
{
  enum { FIRST = 40, MORE = 20, ROUNDS = 6 };
  const char *queue = fresh_name("consume");
  struct link *link = link_open(test_url());
  size_t seen = 0;
  declare_quorum_queue(link, BUS_EXCHANGE_EVENT, queue);
  fill(link, queue, FIRST);
  for (int round = 0; round < ROUNDS; round++) {
    link_consume(link, queue, 0, 2);
    link_await(link, SEEN_DELIVERY, seen + 2, 5000);
    assert_true(bus_amqp_ack(link->amqp, seen + 1, true, &link->err));
    assert_true(bus_amqp_cancel(link->amqp, 0, &link->err));
    assert_true(link_pump_for(link, 50));
    seen = link_count(link, SEEN_DELIVERY);
  }
  for (size_t i = 0; i < MORE; i++)
    link_publish(link, BUS_EXCHANGE_EVENT, queue, true, NULL);
  link_consume(link, queue, 0, 100);
  link_await(link, SEEN_DELIVERY, FIRST + MORE, 5000);
  assert_true(bus_amqp_ack(link->amqp, FIRST + MORE, true, &link->err));
  assert_true(link_pump_for(link, 200));
  link_close(link);
}

TEST(consume_cancelled_by_us_keeps_what_was_prefetched)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 5);
  link_consume(link, queue, 0, 100);
  link_await(link, SEEN_DELIVERY, 1, 5000);
  assert_true(bus_amqp_cancel(link->amqp, 0, &link->err));
  link_await(link, SEEN_DELIVERY, 5, 5000);
  assert_true(bus_amqp_ack(link->amqp, 5, true, &link->err));
  link_publish(link, BUS_EXCHANGE_EVENT, queue, true, NULL);
  assert_true(link_pump_for(link, 300));
  assert_int_equal(link_count(link, SEEN_DELIVERY), 5);
  link_consume(link, queue, 0, 100); /* again, under the same index */
  link_await(link, SEEN_DELIVERY, 6, 5000);
  assert_false(link_nth(link, SEEN_DELIVERY, 5)->delivery.envelope.redelivered);
  link_close(link);
}

TEST(consume_several_queues_by_index)
{
  const char *first, *second;
  struct link *link = open_with_messages(&first, 1), *other = open_with_messages(&second, 1);
  link_consume(link, first, 0, 1);
  link_consume(link, second, 7, 1);
  link_await(link, SEEN_DELIVERY, 2, 5000);
  assert_int_equal(link_nth(link, SEEN_DELIVERY, 0)->consumer + link_nth(link, SEEN_DELIVERY, 1)->consumer, 7);
  link_close(link);
  link_close(other);
}

/* Through the broker and back; a bundle that is published again, as to a dead queue, stays one. */
TEST(consume_bundle_and_cut_it)
{
  static const struct bus_message_type type = BUS_EVENT("test.thing.v1", NULL, "test");
  const char *queue;
  struct link *link = open_with_messages(&queue, 0);
  struct bus_envelope sent[3], outer;
  struct bus_bundle_item items[3];
  struct bus_publication publication = {.exchange = BUS_EXCHANGE_EVENT, .key = bus_str(queue), .envelope = &outer};
  for (size_t i = 0; i < 3; i++) {
    sent[i] = (struct bus_envelope){
        .message_id = next_id(), .correlation_id = next_id(), .timestamp = (bus_time)(1 + i) * BUS_SECOND};
    items[i] = (struct bus_bundle_item){&type, &sent[i], BUS_STR("{\"n\":5}"), 0};
  }
  struct bus_uuid id = next_id();
  uint64_t seq;
  bus_bundle_envelope(items, 3, &id, &outer);
  assert_true(bus_bundle_encode(bus_amqp_user(link->amqp), items, 3, link->arena, &publication.body));
  assert_true(bus_amqp_publish(link->amqp, &publication, &seq, &link->err));
  link_consume(link, queue, 0, 10);
  link_await(link, SEEN_DELIVERY, 1, 5000);
  outer = link_nth(link, SEEN_DELIVERY, 0)->delivery.envelope;
  assert_true(bus_amqp_publish(link->amqp, &publication, &seq, &link->err));
  link_await(link, SEEN_DELIVERY, 2, 5000);
  const struct bus_delivery *delivery = &link_nth(link, SEEN_DELIVERY, 1)->delivery;
  struct bus_bundle_element *elements;
  size_t count;
  assert_true(bus_uuid_equal(&delivery->envelope.message_id, &id));
  if (!bus_bundle_cut(&delivery->envelope, delivery->body, link->arena, &elements, &count, &link->err))
    fail_msg("%s", link->err.text);
  assert_int_equal(count, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_true(bus_uuid_equal(&elements[i].envelope.message_id, &sent[i].message_id));
    assert_true(bus_uuid_equal(&elements[i].envelope.correlation_id, &sent[i].correlation_id));
    assert_true(bus_str_is(elements[i].envelope.user_id, bus_amqp_user(link->amqp)));
    assert_true(bus_str_is(elements[i].body, "{\"n\":5}"));
  }
  link_close(link);
}

TEST(consume_is_told_when_its_queue_is_deleted)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 0), *admin = link_open(test_url());
  link_consume(link, queue, 4, 1);
  (void)amqp_queue_delete(admin->amqp->state, CHANNEL, amqp_cstring_bytes(queue), 0, 0);
  link_await(link, SEEN_CANCEL, 1, 5000);
  assert_int_equal(link_nth(link, SEEN_CANCEL, 0)->consumer, 4);
  link_close(link);
  link_close(admin);
}

TEST(consume_ack_of_an_unknown_tag_closes_the_channel)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 0);
  assert_true(bus_amqp_ack(link->amqp, 77, false, &link->err));
  assert_int_equal(link_await_failure(link, 5000), BUS_E_AMQP_CONNECTION);
  assert_non_null(strstr(link->err.text, "406"));
  link_close(link);
}

TEST(consume_missing_queue_is_a_matter_of_topology)
{
  struct link *link = link_open(test_url());
  assert_false(bus_amqp_consume(link->amqp, "no-such-queue", 0, 1, false, &link->err));
  assert_int_equal(link->err.code, BUS_E_TOPOLOGY);
  link_close(link);
}

/* ---- the reply queue ---- */

TEST(consume_reply_queue_is_its_owners_alone)
{
  struct link *link = link_open(test_url()), *other = link_open(test_url());
  const char *name = fresh_name("edge.reply.");
  declare_exchanges(link);
  assert_true(bus_amqp_reply_queue(link->amqp, name, &link->err));
  assert_true(bus_amqp_consume(link->amqp, name, 0, 100, true, &link->err));
  link_publish(other, BUS_EXCHANGE_REPLY, name, true, NULL);
  assert_true(link_pump_for(other, 50));
  link_await(link, SEEN_DELIVERY, 1, 5000);
  assert_false(bus_amqp_consume(other->amqp, name, 0, 100, true, &other->err));
  assert_int_equal(other->err.code, BUS_E_AMQP_CONNECTION); /* 405: it may be ours of before, still dying */
  link_close(other);
  link_close(link);
  struct link *later = link_open(test_url());
  struct bus_declaration d = queue_of(name);
  assert_false(bus_amqp_declare(later->amqp, &d, true, &later->err));
  assert_int_equal(later->err.code, BUS_E_TOPOLOGY); /* gone with its owner */
  link_close(later);
}

/* ---- heartbeats and alarms ---- */

TEST(consume_heartbeats_are_kept_while_it_is_quiet)
{
  const char *queue;
  struct link *setup = open_with_messages(&queue, 0);
  struct link *link = link_open_as(test_url(), "quiet", 2);
  link_consume(link, queue, 0, 1);
  for (int i = 0; i < 12; i++) {
    usleep(660000); /* a third of a heartbeat, as the header asks */
    assert_true(link_pump_for(link, 1));
  }
  link_publish(setup, BUS_EXCHANGE_EVENT, queue, true, NULL);
  assert_true(link_pump_for(setup, 50));
  link_await(link, SEEN_DELIVERY, 1, 5000);
  link_close(link);
  link_close(setup);
}

TEST(consume_without_pump_loses_the_connection)
{
  struct link *link = link_open_as(test_url(), "sleeper", 2);
  usleep(7000000);
  assert_int_equal(link_await_failure(link, 2000), BUS_E_AMQP_CONNECTION);
  link_close(link);
}

TEST(consume_memory_alarm_blocks_and_unblocks)
{
  const char *queue;
  require_rabbitmqctl();
  struct link *link = open_with_messages(&queue, 1);
  set_watermark("0.0000001");
  link_publish(link, BUS_EXCHANGE_EVENT, queue, true, NULL);
  link_await(link, SEEN_BLOCKED, 1, 10000);
  set_watermark("0.4");
  link_await(link, SEEN_UNBLOCKED, 1, 10000);
  link_close(link);
}

/* ---- messages from strangers ---- */

static void publish_raw(struct link *link, const char *key, const amqp_basic_properties_t *properties,
                        struct bus_str body) {
  assert_int_equal(amqp_basic_publish(link->amqp->state, CHANNEL, amqp_cstring_bytes("bus.event"),
                                      amqp_cstring_bytes(key), 1, 0, properties, rabbit_bytes(body)),
                   AMQP_STATUS_OK);
}

TEST(consume_message_without_properties)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 0);
  amqp_basic_properties_t none = {._flags = 0};
  publish_raw(link, queue, &none, BUS_STR("not json"));
  link_consume(link, queue, 0, 1);
  link_await(link, SEEN_DELIVERY, 1, 5000);
  const struct bus_delivery *delivery = &link_nth(link, SEEN_DELIVERY, 0)->delivery;
  assert_true(bus_uuid_is_nil(&delivery->envelope.message_id));
  assert_null(delivery->envelope.type.data);
  assert_null(delivery->envelope.user_id.data);
  assert_true(bus_str_is(delivery->body, "not json"));
  link_close(link);
}

/* One header of each kind that the broker takes, tables in arrays in tables among them. */
static int odd_headers(amqp_table_entry_t *entries) {
  static char k[] = "k", x[] = "x";
  static amqp_table_entry_t inner = {.key = {1, k}, .value = {.kind = AMQP_FIELD_KIND_I8}};
  static amqp_field_value_t items[2] = {{.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {1, x}},
                                        {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {1, &inner}}};
  const amqp_field_value_t values[] = {
      {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1},
      {.kind = AMQP_FIELD_KIND_I8, .value.i8 = -1},
      {.kind = AMQP_FIELD_KIND_U8, .value.u8 = 255},
      {.kind = AMQP_FIELD_KIND_I16, .value.i16 = -1},
      {.kind = AMQP_FIELD_KIND_U16, .value.u16 = 65535},
      {.kind = AMQP_FIELD_KIND_I32, .value.i32 = -1},
      {.kind = AMQP_FIELD_KIND_U32, .value.u32 = 1},
      {.kind = AMQP_FIELD_KIND_I64, .value.i64 = INT64_MIN},
      {.kind = AMQP_FIELD_KIND_F32, .value.f32 = 1.5F},
      {.kind = AMQP_FIELD_KIND_F64, .value.f64 = 1e300},
      {.kind = AMQP_FIELD_KIND_DECIMAL, .value.decimal = {2, 3}},
      {.kind = AMQP_FIELD_KIND_TIMESTAMP, .value.u64 = 1},
      {.kind = AMQP_FIELD_KIND_VOID},
      {.kind = AMQP_FIELD_KIND_BYTES, .value.bytes = {2, k}},
      {.kind = AMQP_FIELD_KIND_ARRAY, .value.array = {2, items}},
      {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {1, &inner}},
  };
  static char names[32][8];
  for (size_t i = 0; i < BUS_COUNT(values); i++) {
    (void)snprintf(names[i], sizeof names[i], "odd-%zu", i);
    entries[i] = (amqp_table_entry_t){.key = amqp_cstring_bytes(names[i]), .value = values[i]};
  }
  return (int)BUS_COUNT(values);
}

TEST(consume_message_with_odd_headers)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 0);
  amqp_table_entry_t entries[64];
  int count = odd_headers(entries);
  static const char *const ours[] = {"traceparent", "causation-id", "bus-attempt", "bus-first-failed"};
  for (int i = 0; i < 4; i++) { /* ours, with a table where a text or number belongs */
    entries[count] = entries[15];
    entries[count++].key = amqp_cstring_bytes(ours[i]);
  }
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG,
                                        .message_id = amqp_cstring_bytes("../../etc/passwd"),
                                        .headers = {.num_entries = count, .entries = entries}};
  publish_raw(link, queue, &properties, BUS_STR(""));
  link_consume(link, queue, 0, 1);
  link_await(link, SEEN_DELIVERY, 1, 5000);
  const struct bus_envelope *envelope = &link_nth(link, SEEN_DELIVERY, 0)->delivery.envelope;
  assert_true(bus_uuid_is_nil(&envelope->message_id));
  assert_true(bus_uuid_is_nil(&envelope->causation_id));
  assert_false(bus_trace_is_set(&envelope->trace));
  assert_int_equal(envelope->attempt, 0);
  assert_int_equal(envelope->first_failed_at, BUS_NO_TIME);
  link_close(link);
}

TEST(consume_message_with_a_thousand_headers)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 0);
  static amqp_table_entry_t entries[1000];
  static char names[1000][8];
  for (int i = 0; i < 1000; i++) {
    (void)snprintf(names[i], sizeof names[i], "h%d", i);
    entries[i] = (amqp_table_entry_t){.key = amqp_cstring_bytes(names[i]),
                                      .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = i}};
  }
  entries[999].key = amqp_cstring_bytes("bus-attempt");
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG,
                                        .headers = {.num_entries = 1000, .entries = entries}};
  publish_raw(link, queue, &properties, BUS_STR("{}"));
  link_consume(link, queue, 0, 1);
  link_await(link, SEEN_DELIVERY, 1, 5000);
  assert_int_equal(link_nth(link, SEEN_DELIVERY, 0)->delivery.envelope.attempt, 999);
  link_close(link);
}

/* The broker's own limit may refuse it first; else we do not keep it. */
TEST(consume_message_of_two_mebibytes)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 0), *sender = link_open(test_url());
  static char body[2 << 20];
  memset(body, 'x', sizeof body);
  amqp_basic_properties_t none = {._flags = 0};
  publish_raw(sender, queue, &none, (struct bus_str){body, sizeof body});
  if (!link_pump_for(sender, 500)) {
    assert_non_null(strstr(sender->err.text, "406"));
  } else {
    link_consume(link, queue, 0, 1);
    link_await(link, SEEN_DELIVERY, 1, 5000);
    assert_null(link_nth(link, SEEN_DELIVERY, 0)->delivery.body.data);
  }
  link_close(sender);
  link_close(link);
}

TEST(consume_message_of_many_frames)
{
  const char *queue;
  struct link *link = open_with_messages(&queue, 0);
  static char body[1000000];
  for (size_t i = 0; i < sizeof body; i++)
    body[i] = (char)('a' + i % 23);
  amqp_basic_properties_t none = {._flags = 0};
  publish_raw(link, queue, &none, (struct bus_str){body, sizeof body});
  link_consume(link, queue, 0, 1);
  link_await(link, SEEN_DELIVERY, 1, 5000);
  const struct bus_delivery *delivery = &link_nth(link, SEEN_DELIVERY, 0)->delivery;
  assert_true(bus_str_equal(delivery->body, (struct bus_str){body, sizeof body}));
  link_close(link);
}
