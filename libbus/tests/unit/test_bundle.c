/* bundle_encode.c: the text of a bundle, the bound of its size, and that any messages come back as they were. */
#include <bus/bundle.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <test.h>

#include "topology_sample.h"

enum { ROUNDS = 400, BODY_ROOM = 300 };

static struct bus_arena *arena;
static const struct bus_uuid own_id = {{0x77, 1}};

static struct bus_uuid id_of(const char *text) {
  struct bus_uuid id;
  assert_true(bus_uuid_parse(bus_str(text), &id));
  return id;
}

TEST(bundle_is_a_batch_of_cloud_events)
{
  struct bus_envelope full = {.message_id = id_of("01890a5d-ac96-774b-bcce-b302099a8057"),
                              .correlation_id = id_of("11223344-5566-5788-99aa-bbccddeeff01"),
                              .causation_id = id_of("01890a5d-ac96-774b-bcce-b302099a8000"),
                              .timestamp = 1772366400 * BUS_SECOND + 123 * BUS_MILLISECOND};
  struct bus_envelope bare = {.message_id = id_of("01890a5d-ac96-774b-bcce-b302099a8058"), .timestamp = BUS_NO_TIME};
  const struct bus_bundle_item items[] = {{&order_place, &full, BUS_STR("{\"a\":[1]}"), 0},
                                          {&order_place, &bare, BUS_STR("{}"), 0}};
  struct bus_str text;
  assert_true(bus_trace_parse(BUS_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &full.trace));
  bus_trace_set_state(&full.trace, BUS_STR("vendor=a\"b"));
  arena = bus_arena_new(1 << 20);
  assert_true(bus_bundle_encode("edge", items, 2, arena, &text));
  assert_string_equal(text.data,
                      "[{\"specversion\":\"1.0\",\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"source\":\"/edge\","
                      "\"type\":\"order.place.v1\",\"subject\":\"11223344-5566-5788-99aa-bbccddeeff01\","
                      "\"time\":\"2026-03-01T12:00:00.123Z\",\"datacontenttype\":\"application/json\","
                      "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\","
                      "\"tracestate\":\"vendor=a\\\"b\",\"causationid\":\"01890a5d-ac96-774b-bcce-b302099a8000\","
                      "\"data\":{\"a\":[1]}},"
                      "{\"specversion\":\"1.0\",\"id\":\"01890a5d-ac96-774b-bcce-b302099a8058\",\"source\":\"/edge\","
                      "\"type\":\"order.place.v1\",\"datacontenttype\":\"application/json\",\"data\":{}}]");
  assert_int_equal(strlen(text.data), text.len);
  bus_arena_free(arena);
}

/* ---- any messages ---- */

static uint64_t below(struct bus_uuid_source *random, uint64_t most) {
  return bus_uuid_source_random(random) % most;
}

/* Members of a tracestate may have any visible character but two; some of them are escaped in JSON. */
static void set_state(struct bus_uuid_source *random, struct bus_trace *trace) {
  char state[BUS_TRACESTATE_MAX + 1] = "k=";
  size_t len = 3 + below(random, below(random, 8) == 0 ? 250 : 20);
  for (size_t i = 2; i < len; i++)
    do
      state[i] = (char)(0x21 + below(random, 0x5E));
    while (state[i] == ',' || state[i] == '=');
  bus_trace_set_state(trace, bus_arena_copy(arena, (struct bus_str){state, len}));
}

static struct bus_uuid any_uuid(struct bus_uuid_source *random) {
  struct bus_uuid id = {{0}};
  if (below(random, 4) > 0)
    bus_uuid_v7(random, (bus_time)below(random, 1u << 30) * BUS_SECOND, &id);
  return id;
}

static void make_any(struct bus_uuid_source *random, struct bus_envelope *envelope, struct bus_str *ret_body) {
  static const char *const values[] = {"{}", "[[],{\"]\":\"}\"}]", "\"a\\\\\"", "\"\\\"]},{\"", "-1.5e3", "null",
                                       "[ ]"};
  *envelope = (struct bus_envelope){.correlation_id = any_uuid(random),
                                    .causation_id = any_uuid(random),
                                    .timestamp = (bus_time)(1 + below(random, 1u << 31)) * BUS_MILLISECOND};
  bus_uuid_v7(random, (bus_time)below(random, 1000) * BUS_SECOND, &envelope->message_id);
  if (below(random, 3) > 0) {
    bus_trace_start(random, &envelope->trace);
    if (below(random, 2))
      set_state(random, &envelope->trace);
  }
  char *body = bus_arena_alloc(arena, BODY_ROOM);
  size_t len = (size_t)snprintf(body, BODY_ROOM, "{\"n\":%d", (int)below(random, 100));
  for (uint64_t more = below(random, 5); more > 0; more--)
    len += (size_t)snprintf(body + len, BODY_ROOM - len, ",\"m%d\":%s", (int)more,
                            values[below(random, BUS_COUNT(values))]);
  body[len++] = '}';
  *ret_body = (struct bus_str){body, len};
}

static void compare(const struct bus_bundle_item *item, const struct bus_bundle_element *element,
                    const struct bus_envelope *delivery) {
  const struct bus_envelope *sent = item->envelope, *got = &element->envelope;
  assert_true(bus_uuid_equal(&sent->message_id, &got->message_id));
  assert_true(bus_uuid_equal(&sent->correlation_id, &got->correlation_id));
  assert_true(bus_uuid_equal(&sent->causation_id, &got->causation_id));
  assert_memory_equal(&sent->trace, &got->trace, offsetof(struct bus_trace, state));
  assert_true(bus_str_equal(sent->trace.state, got->trace.state));
  assert_int_equal(sent->timestamp, got->timestamp);
  assert_true(bus_str_is(got->type, item->type->type));
  assert_true(bus_str_equal(item->body, element->body));
  assert_ptr_equal(got->user_id.data, delivery->user_id.data);
  assert_true(got->redelivered && !got->bundle && got->bundle_count == 0);
}

static void travel(const struct bus_bundle_item *items, size_t count) {
  struct bus_str text;
  struct bus_envelope delivery;
  struct bus_bundle_element *elements;
  struct bus_error err;
  size_t bound = BUS_BUNDLE_BRACKETS, ret_count;
  for (size_t i = 0; i < count; i++)
    bound += bus_bundle_item_bound(&items[i]);
  assert_true(bus_bundle_encode("order-svc", items, count, arena, &text));
  assert_true(text.len <= bound);
  cJSON *parsed = cJSON_ParseWithLength(text.data, text.len);
  assert_int_equal(cJSON_GetArraySize(parsed), count);
  cJSON_Delete(parsed);
  bus_bundle_envelope(items, count, &own_id, &delivery);
  delivery.user_id = BUS_STR("order-svc");
  delivery.redelivered = true;
  if (!bus_bundle_cut(&delivery, text, arena, &elements, &ret_count, &err))
    fail_msg("%s\n%s", err.text, text.data);
  assert_int_equal(ret_count, count);
  for (size_t i = 0; i < count; i++) {
    compare(&items[i], &elements[i], &delivery);
    assert_true(elements[i].body.data > text.data && elements[i].body.data < text.data + text.len);
  }
}

TEST(bundle_of_any_messages_comes_back)
{
  static const uint64_t seed[4] = {3, 1, 4, 1};
  static struct bus_envelope envelopes[BUS_BUNDLE_MAX];
  static struct bus_bundle_item items[BUS_BUNDLE_MAX];
  struct bus_uuid_source random;
  bus_uuid_source_init(&random, seed);
  arena = bus_arena_new(4 << 20);
  for (int round = 0; round < ROUNDS; round++) {
    size_t count = round == 0 ? BUS_BUNDLE_MAX : 1 + below(&random, 20);
    for (size_t i = 0; i < count; i++) {
      items[i] = (struct bus_bundle_item){&order_place, &envelopes[i], BUS_NO_STR, 0};
      make_any(&random, &envelopes[i], &items[i].body);
    }
    travel(items, count);
    bus_arena_reset(arena);
  }
  bus_arena_free(arena);
}

/* Not much above what is written: a caller fills a bundle by it. */
TEST(bundle_bound_is_close)
{
  struct bus_envelope envelope = {
      .message_id = own_id, .correlation_id = own_id, .causation_id = own_id, .timestamp = BUS_SECOND};
  const struct bus_bundle_item item = {&order_place, &envelope, BUS_STR("{}"), 0};
  static const uint64_t seed[4] = {1};
  struct bus_uuid_source random;
  struct bus_str text;
  bus_uuid_source_init(&random, seed);
  bus_trace_start(&random, &envelope.trace);
  arena = bus_arena_new(1 << 20);
  assert_true(bus_bundle_encode("order-svc", &item, 1, arena, &text));
  assert_in_range(bus_bundle_item_bound(&item) + BUS_BUNDLE_BRACKETS, text.len, text.len + BUS_NAME_MAX + 20);
  bus_arena_free(arena);
}

TEST(bundle_envelope_is_that_of_all)
{
  struct bus_envelope first = {.message_id = {{1}},
                               .correlation_id = {{2}},
                               .causation_id = {{3}},
                               .reply_to = BUS_STR("edge.reply.1"),
                               .timestamp = 5 * BUS_SECOND};
  struct bus_envelope second = {.message_id = {{4}}, .timestamp = 6 * BUS_SECOND}, envelope;
  const struct bus_bundle_item items[] = {{&order_place, &first, BUS_STR("{}"), 0},
                                          {&order_place, &second, BUS_STR("{}"), 0}};
  bus_bundle_envelope(items, 2, &own_id, &envelope);
  assert_true(bus_uuid_equal(&envelope.message_id, &own_id) && bus_str_is(envelope.type, "order.place.v1"));
  assert_true(bus_str_is(envelope.reply_to, "edge.reply.1") && envelope.timestamp == 5 * BUS_SECOND);
  assert_true(bus_uuid_is_nil(&envelope.correlation_id) && bus_uuid_is_nil(&envelope.causation_id));
  assert_true(envelope.bundle && envelope.bundle_count == 2 && envelope.first_failed_at == BUS_NO_TIME);
}

/* The exchange reads the shard of a bundle off its correlation id. */
TEST(bundle_of_a_shard_has_the_correlation_of_its_first)
{
  struct bus_envelope first = {.message_id = {{1}}, .correlation_id = {{2}}}, envelope;
  struct bus_envelope second = {.message_id = {{3}}, .correlation_id = {{4}}};
  const struct bus_bundle_item items[] = {{&order_place, &first, BUS_STR("{}"), 3},
                                          {&order_place, &second, BUS_STR("{}"), 3}};
  bus_bundle_envelope(items, 2, &own_id, &envelope);
  assert_true(bus_uuid_equal(&envelope.correlation_id, &first.correlation_id));
}
