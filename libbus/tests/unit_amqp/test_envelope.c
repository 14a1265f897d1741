/* The envelope's codec: what stands on the wire, the way back, and every odd thing that a stranger may send. */
#include "envelope.h"

#include "test.h"

#include <bus/history.h>

#include <stdio.h>

static const struct envelope_sender sender = {{"order-svc", 9}, {"/order-svc", 10}, 0};

static struct bus_envelope full_envelope(void) {
  struct bus_envelope envelope = {
      .type = BUS_STR("inventory.reserve.v1"),
      .reply_to = BUS_STR("edge.reply.1"),
      .sender = BUS_STR("edge"),
      .timestamp = 1700000000 * BUS_SECOND,
      .attempt = 3,
      .first_failed_at = 1700000001 * BUS_SECOND + 250 * BUS_MILLISECOND,
      .deadline = 1700000002 * BUS_SECOND + 125 * BUS_MILLISECOND,
      .history = BUS_STR("2023-11-14T22:13:20.000Z 0 payment-svc/1.2.0 BUS_E_LATER not yet"),
      .trace = {.trace_id = {1, 2, 3}, .span_id = {4, 5}, .flags = 1, .state = BUS_STR("a=1")},
  };
  memset(envelope.message_id.bytes, 0x11, 16);
  memset(envelope.correlation_id.bytes, 0x22, 16);
  memset(envelope.causation_id.bytes, 0x33, 16);
  return envelope;
}

static const amqp_field_value_t *header_of(const struct envelope_wire *wire, const char *name) {
  for (int i = 0; i < wire->properties.headers.num_entries; i++)
    if (bus_str_is(rabbit_view(wire->headers[i].key), name))
      return &wire->headers[i].value;
  return NULL;
}

static void assert_bytes(amqp_bytes_t bytes, const char *text) {
  assert_int_equal(bytes.len, strlen(text));
  assert_memory_equal(bytes.bytes, text, bytes.len);
}

static void assert_header(const struct envelope_wire *wire, const char *name, const char *text) {
  const amqp_field_value_t *value = header_of(wire, name);
  assert_non_null(value);
  assert_int_equal(value->kind, AMQP_FIELD_KIND_UTF8);
  assert_bytes(value->value.bytes, text);
}

TEST(questions_and_answers_are_not_for_the_disk)
{
  static const struct {
    enum bus_exchange exchange;
    int mode;
  } cases[] = {{BUS_EXCHANGE_CMD, 2},   {BUS_EXCHANGE_EVENT, 2}, {BUS_EXCHANGE_QUERY, 1},
               {BUS_EXCHANGE_REPLY, 1}, {BUS_EXCHANGE_RETRY, 2}, {BUS_EXCHANGE_DEAD, 2}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct envelope_wire wire;
    struct bus_envelope envelope = full_envelope();
    struct bus_publication publication = {.exchange = cases[i].exchange, .envelope = &envelope};
    envelope_encode(&publication, &sender, &wire);
    assert_int_equal(wire.properties.delivery_mode, cases[i].mode);
  }
}

TEST(envelope_is_written_as_the_messages_chapter_says)
{
  struct envelope_wire wire;
  struct bus_envelope envelope = full_envelope();
  struct bus_publication publication = {
      .envelope = &envelope, .cause = BUS_STR("why"), .cause_class = BUS_STR("BUS_E")};
  envelope_encode(&publication, &sender, &wire);
  const amqp_basic_properties_t *p = &wire.properties;
  assert_bytes(p->message_id, "11111111-1111-1111-1111-111111111111");
  assert_bytes(p->correlation_id, "22222222-2222-2222-2222-222222222222");
  assert_bytes(p->type, "inventory.reserve.v1");
  assert_bytes(p->app_id, "order-svc");
  assert_bytes(p->user_id, "order-svc");
  assert_bytes(p->reply_to, "edge.reply.1");
  assert_bytes(p->content_type, "application/json");
  assert_int_equal(p->delivery_mode, 2);
  assert_int_equal(p->timestamp, 1700000000);
  assert_header(&wire, "traceparent", "00-01020300000000000000000000000000-0405000000000000-01");
  assert_header(&wire, "tracestate", "a=1");
  assert_header(&wire, "causation-id", "33333333-3333-3333-3333-333333333333");
  assert_header(&wire, "bus-first-failed", "2023-11-14T22:13:21.250Z");
  assert_header(&wire, "bus-history", "2023-11-14T22:13:20.000Z 0 payment-svc/1.2.0 BUS_E_LATER not yet");
  assert_header(&wire, "bus-sender", "edge");
  assert_header(&wire, "bus-cause", "why");
  assert_header(&wire, "bus-cause-class", "BUS_E");
  assert_header(&wire, "cloudEvents:specversion", "1.0");
  assert_header(&wire, "cloudEvents:id", "11111111-1111-1111-1111-111111111111");
  assert_header(&wire, "cloudEvents:source", "/order-svc");
  assert_header(&wire, "cloudEvents:type", "inventory.reserve.v1");
  const amqp_field_value_t *attempt = header_of(&wire, "bus-attempt");
  assert_int_equal(attempt->kind, AMQP_FIELD_KIND_I64);
  assert_int_equal(attempt->value.i64, 3);
  assert_int_equal(p->headers.num_entries, ENVELOPE_HEADERS - 1); /* it is in no shard */
}

static void assert_shard(enum bus_exchange exchange, const struct envelope_sender *from, const char *expected) {
  struct envelope_wire wire;
  struct bus_envelope envelope = full_envelope();
  struct bus_publication publication = {
      .exchange = exchange, .envelope = &envelope, .cause = BUS_STR("why"), .cause_class = BUS_STR("BUS_E")};
  envelope_encode(&publication, from, &wire);
  if (expected)
    assert_header(&wire, "bus-shard", expected);
  else
    assert_null(header_of(&wire, "bus-shard"));
  assert_int_equal(wire.properties.headers.num_entries, ENVELOPE_HEADERS - (expected == NULL));
}

/* Retried messages come back to their shard. */
TEST(envelope_names_the_shard_where_queues_are_split)
{
  static const struct envelope_sender of_4 = {{"order-svc", 9}, {"/order-svc", 10}, 4};
  static const struct envelope_sender of_1 = {{"order-svc", 9}, {"/order-svc", 10}, 1};
  char expected[BUS_SHARD_TEXT];
  struct bus_envelope envelope = full_envelope();
  bus_shard_text(bus_shard_of(&envelope.correlation_id, 4), 4, expected);
  assert_shard(BUS_EXCHANGE_CMD, &of_4, expected);
  assert_shard(BUS_EXCHANGE_EVENT, &of_4, expected);
  assert_shard(BUS_EXCHANGE_RETRY, &of_4, expected);
  assert_shard(BUS_EXCHANGE_DEAD, &of_4, NULL);
  assert_shard(BUS_EXCHANGE_QUERY, &of_4, NULL);
  assert_shard(BUS_EXCHANGE_REPLY, &of_4, NULL);
  assert_shard(BUS_EXCHANGE_CMD, &of_1, NULL);
}

TEST(envelope_leaves_out_what_is_absent)
{
  struct envelope_wire wire;
  struct bus_envelope envelope = {.type = BUS_STR("a.v1"), .first_failed_at = BUS_NO_TIME, .timestamp = BUS_NO_TIME};
  struct bus_publication publication = {.envelope = &envelope};
  envelope_encode(&publication, &sender, &wire);
  amqp_flags_t flags = wire.properties._flags;
  assert_false(flags & (AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_TIMESTAMP_FLAG |
                        AMQP_BASIC_EXPIRATION_FLAG | AMQP_BASIC_PRIORITY_FLAG));
  assert_null(header_of(&wire, "traceparent"));
  assert_null(header_of(&wire, "causation-id"));
  assert_null(header_of(&wire, "bus-first-failed"));
  assert_null(header_of(&wire, "bus-history"));
  assert_null(header_of(&wire, "bus-sender"));
  assert_null(header_of(&wire, "bus-cause"));
  assert_null(header_of(&wire, "bus-cause-class"));
}

static void assert_state(const amqp_basic_properties_t *properties, struct bus_str state) {
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_envelope envelope;
  assert_true(envelope_decode(properties, arena, &envelope));
  assert_true(bus_str_equal(envelope.trace.state, state));
  bus_arena_free(arena);
}

TEST(envelope_carries_tracestate_wherever_it_stands)
{
  struct envelope_wire wire;
  struct bus_envelope envelope = full_envelope();
  struct bus_publication publication = {
      .envelope = &envelope, .cause = BUS_STR("why"), .cause_class = BUS_STR("BUS_E")};
  bus_trace_set_state(&envelope.trace, BUS_STR("a=1,b=2"));
  envelope_encode(&publication, &sender, &wire);
  assert_header(&wire, "tracestate", "a=1,b=2");
  assert_true(wire.properties.headers.num_entries <= ENVELOPE_HEADERS);
  assert_state(&wire.properties, BUS_STR("a=1,b=2"));
  amqp_table_entry_t first = wire.headers[0];
  wire.headers[0] = wire.headers[1];
  wire.headers[1] = first;
  assert_state(&wire.properties, BUS_STR("a=1,b=2"));
  wire.headers[0].value.value.bytes = amqp_cstring_bytes("a=1,b");
  assert_state(&wire.properties, BUS_NO_STR);
}

TEST(envelope_comes_back_as_it_was)
{
  struct envelope_wire wire;
  struct bus_envelope envelope = full_envelope(), back;
  struct bus_publication publication = {.envelope = &envelope};
  struct bus_arena *arena = bus_arena_new(1 << 16);
  envelope_encode(&publication, &sender, &wire);
  assert_true(envelope_decode(&wire.properties, arena, &back));
  assert_memory_equal(&back.message_id, &envelope.message_id, 16);
  assert_memory_equal(&back.correlation_id, &envelope.correlation_id, 16);
  assert_memory_equal(&back.causation_id, &envelope.causation_id, 16);
  assert_memory_equal(&back.trace, &envelope.trace, offsetof(struct bus_trace, state));
  assert_true(bus_str_equal(back.trace.state, envelope.trace.state));
  assert_true(bus_str_equal(back.type, envelope.type));
  assert_true(bus_str_equal(back.reply_to, envelope.reply_to));
  assert_true(bus_str_equal(back.history, envelope.history));
  assert_true(bus_str_is(back.sender, "edge"));
  assert_false(back.copied);
  assert_true(bus_str_is(back.app_id, "order-svc"));
  assert_true(bus_str_is(back.user_id, "order-svc"));
  assert_int_equal(back.timestamp, envelope.timestamp);
  assert_int_equal(back.attempt, 3);
  assert_int_equal(back.first_failed_at, envelope.first_failed_at);
  assert_int_equal(back.deadline, envelope.deadline);
  assert_ptr_not_equal(back.type.data, envelope.type.data); /* the library's buffers die */
  assert_int_equal(back.type.data[back.type.len], '\0');
  bus_arena_free(arena);
}

static struct bus_envelope decode(const amqp_basic_properties_t *properties) {
  static char kept[4][256];
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_envelope envelope;
  assert_true(envelope_decode(properties, arena, &envelope));
  struct bus_str *texts[] = {&envelope.type, &envelope.app_id, &envelope.user_id, &envelope.reply_to};
  for (size_t i = 0; i < BUS_COUNT(texts); i++)
    if (texts[i]->data) {
      memcpy(kept[i], texts[i]->data, texts[i]->len);
      texts[i]->data = kept[i];
    }
  bus_arena_free(arena);
  return envelope;
}

TEST(bundle_is_marked_by_its_content_type)
{
  struct envelope_wire wire;
  struct bus_envelope envelope = full_envelope();
  struct bus_publication publication = {.envelope = &envelope};
  envelope.bundle = true;
  envelope.bundle_count = 7;
  envelope_encode(&publication, &sender, &wire);
  assert_bytes(wire.properties.content_type, "application/cloudevents-batch+json");
  assert_int_equal(header_of(&wire, "bus-count")->value.i64, 7);
  assert_null(header_of(&wire, "cloudEvents:id")); /* a batch is no event */
  struct bus_envelope back = decode(&wire.properties);
  assert_true(back.bundle && back.bundle_count == 7);
  wire.properties.content_type = amqp_cstring_bytes("application/json");
  back = decode(&wire.properties);
  assert_true(!back.bundle && back.bundle_count == 0);
}

TEST(content_type_of_a_bundle_is_read_as_a_media_type)
{
  static const struct {
    const char *text;
    bool bundle;
  } cases[] = {{"application/cloudevents-batch+json", true},
               {"Application/CloudEvents-Batch+JSON", true},
               {"application/cloudevents-batch+json; charset=utf-8", true},
               {"application/cloudevents-batch+json ;x", true},
               {"application/cloudevents-batch+json2", false},
               {"application/cloudevents-batch", false},
               {"application/cloudevents+json", false},
               {";", false},
               {"", false}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_CONTENT_TYPE_FLAG,
                                          .content_type = amqp_cstring_bytes(cases[i].text)};
    assert_int_equal(decode(&properties).bundle, cases[i].bundle);
    properties._flags = 0;
    assert_false(decode(&properties).bundle);
  }
}

static struct bus_envelope decode_header(const char *name, amqp_field_value_t value) {
  amqp_table_entry_t entry = {.key = amqp_cstring_bytes(name), .value = value};
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG,
                                        .headers = {.num_entries = 1, .entries = &entry}};
  return decode(&properties);
}

TEST(envelope_without_properties_is_empty)
{
  amqp_basic_properties_t none = {._flags = 0};
  struct bus_envelope envelope = decode(&none);
  assert_true(bus_uuid_is_nil(&envelope.message_id));
  assert_true(bus_uuid_is_nil(&envelope.correlation_id));
  assert_true(bus_uuid_is_nil(&envelope.causation_id));
  assert_null(envelope.type.data);
  assert_null(envelope.app_id.data);
  assert_null(envelope.user_id.data);
  assert_null(envelope.reply_to.data);
  assert_int_equal(envelope.timestamp, BUS_NO_TIME);
  assert_int_equal(envelope.first_failed_at, BUS_NO_TIME);
  assert_int_equal(envelope.attempt, 0);
  assert_false(bus_trace_is_set(&envelope.trace));
}

TEST(envelope_malformed_ids_are_nil)
{
  static const char *const malformed[] = {"",
                                          "x",
                                          "11111111-1111-1111-1111-11111111111",
                                          "11111111-1111-1111-1111-1111111111111",
                                          "{1111111-1111-1111-1111-111111111111",
                                          "11111111111111111111111111111111"};
  for (size_t i = 0; i < BUS_COUNT(malformed); i++) {
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG,
                                          .message_id = amqp_cstring_bytes(malformed[i]),
                                          .correlation_id = amqp_cstring_bytes(malformed[i])};
    struct bus_envelope envelope = decode(&properties);
    assert_true(bus_uuid_is_nil(&envelope.message_id));
    assert_true(bus_uuid_is_nil(&envelope.correlation_id));
  }
}

TEST(envelope_malformed_names_are_absent)
{
  char long_name[300];
  memset(long_name, 'a', sizeof long_name);
  amqp_bytes_t names[] = {
      {.len = 0, .bytes = NULL},
      {.len = BUS_TYPE_MAX + 1, .bytes = long_name},
      {.len = 3, .bytes = (char[]){"a b"}},
      {.len = 3, .bytes = (char[]){"a\0b"}},
      {.len = 2, .bytes = (char[]){"\xc3\xa4"}},
      {.len = 1, .bytes = (char[]){"\n"}},
  };
  for (size_t i = 0; i < BUS_COUNT(names); i++) {
    amqp_basic_properties_t properties = {._flags =
                                              AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_APP_ID_FLAG | AMQP_BASIC_USER_ID_FLAG,
                                          .type = names[i],
                                          .app_id = names[i],
                                          .user_id = names[i]};
    struct bus_envelope envelope = decode(&properties);
    assert_null(envelope.type.data);
    assert_null(envelope.app_id.data);
    assert_null(envelope.user_id.data);
  }
}

TEST(envelope_with_more_routing_keys_is_marked)
{
  static const char *const names[] = {"CC", "BCC", "x-cc"};
  amqp_field_value_t key = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {14, (char[]){"payment.charge"}}};
  amqp_field_value_t keys = {.kind = AMQP_FIELD_KIND_ARRAY, .value.array = {.num_entries = 1, .entries = &key}};
  for (size_t i = 0; i < BUS_COUNT(names); i++) {
    assert_true(decode_header(names[i], keys).copied);
    assert_true(decode_header(names[i], key).copied); /* of whatever kind */
  }
  assert_false(decode_header("cc", keys).copied);
}

TEST(envelope_sender_is_a_name_or_absent)
{
  static char long_name[BUS_NAME_MAX + 1];
  memset(long_name, 'a', sizeof long_name);
  amqp_field_value_t value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {sizeof long_name, long_name}};
  assert_null(decode_header("bus-sender", value).sender.data);
  value.value.bytes = amqp_cstring_bytes("a b");
  assert_null(decode_header("bus-sender", value).sender.data);
  value = (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64, .value.i64 = 7};
  assert_null(decode_header("bus-sender", value).sender.data);
}

TEST(envelope_history_is_bounded)
{
  static char text[BUS_HISTORY_MAX + 1];
  memset(text, 'x', sizeof text);
  amqp_field_value_t value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {BUS_HISTORY_MAX, text}};
  assert_int_equal(decode_header("bus-history", value).history.len, BUS_HISTORY_MAX);
  value.value.bytes.len++;
  assert_null(decode_header("bus-history", value).history.data);
  value = (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64, .value.i64 = 7};
  assert_null(decode_header("bus-history", value).history.data);
}

TEST(envelope_numbers_come_in_every_width)
{
  const amqp_field_value_t sevens[] = {
      {.kind = AMQP_FIELD_KIND_I8, .value.i8 = 7},   {.kind = AMQP_FIELD_KIND_U8, .value.u8 = 7},
      {.kind = AMQP_FIELD_KIND_I16, .value.i16 = 7}, {.kind = AMQP_FIELD_KIND_U16, .value.u16 = 7},
      {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 7}, {.kind = AMQP_FIELD_KIND_U32, .value.u32 = 7},
      {.kind = AMQP_FIELD_KIND_I64, .value.i64 = 7}, {.kind = AMQP_FIELD_KIND_U64, .value.u64 = 7},
  };
  for (size_t i = 0; i < BUS_COUNT(sevens); i++)
    assert_int_equal(decode_header("bus-attempt", sevens[i]).attempt, 7);
}

TEST(envelope_odd_numbers_are_none_or_bounded)
{
  const struct {
    amqp_field_value_t value;
    int64_t count;
  } odd[] = {
      {{.kind = AMQP_FIELD_KIND_I64, .value.i64 = -1}, 0},
      {{.kind = AMQP_FIELD_KIND_I64, .value.i64 = INT64_MIN}, 0},
      {{.kind = AMQP_FIELD_KIND_I64, .value.i64 = INT64_MAX}, ENVELOPE_ATTEMPT_MAX},
      {{.kind = AMQP_FIELD_KIND_U64, .value.u64 = UINT64_MAX}, ENVELOPE_ATTEMPT_MAX},
      {{.kind = AMQP_FIELD_KIND_F64, .value.f64 = 7.0}, 0},
      {{.kind = AMQP_FIELD_KIND_F32, .value.f32 = 7.0F}, 0},
      {{.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}, 0},
      {{.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {1, (char[]){"7"}}}, 0},
      {{.kind = AMQP_FIELD_KIND_TABLE, .value.table = {0, NULL}}, 0},
      {{.kind = AMQP_FIELD_KIND_ARRAY, .value.array = {0, NULL}}, 0},
      {{.kind = AMQP_FIELD_KIND_DECIMAL, .value.decimal = {2, 700}}, 0},
      {{.kind = AMQP_FIELD_KIND_VOID}, 0},
      {{.kind = AMQP_FIELD_KIND_TIMESTAMP, .value.u64 = 7}, 0},
      {{.kind = 0xff}, 0},
  };
  for (size_t i = 0; i < BUS_COUNT(odd); i++)
    assert_int_equal(decode_header("bus-attempt", odd[i].value).attempt, odd[i].count);
}

TEST(envelope_odd_texts_are_absent)
{
  amqp_table_entry_t inner = {.key = amqp_cstring_bytes("x"), .value = {.kind = AMQP_FIELD_KIND_VOID}};
  const amqp_field_value_t odd[] = {
      {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {0, NULL}},
      {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {4, (char[]){"00-0"}}},
      {.kind = AMQP_FIELD_KIND_I64, .value.i64 = 5},
      {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {1, &inner}},
      {.kind = AMQP_FIELD_KIND_VOID},
  };
  static const char *const names[] = {"traceparent", "causation-id", "bus-first-failed"};
  for (size_t n = 0; n < BUS_COUNT(names); n++)
    for (size_t i = 0; i < BUS_COUNT(odd); i++) {
      struct bus_envelope envelope = decode_header(names[n], odd[i]);
      assert_false(bus_trace_is_set(&envelope.trace));
      assert_true(bus_uuid_is_nil(&envelope.causation_id));
      assert_int_equal(envelope.first_failed_at, BUS_NO_TIME);
    }
}

TEST(envelope_timestamp_beyond_our_time_is_absent)
{
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_TIMESTAMP_FLAG, .timestamp = UINT64_MAX};
  assert_int_equal(decode(&properties).timestamp, BUS_NO_TIME);
  properties.timestamp = INT64_MAX / BUS_SECOND;
  assert_int_equal(decode(&properties).timestamp, INT64_MAX / BUS_SECOND * BUS_SECOND);
  properties.timestamp = 0;
  assert_int_equal(decode(&properties).timestamp, 0);
}

TEST(envelope_reads_ours_among_a_thousand_headers)
{
  static amqp_table_entry_t entries[1001];
  static char names[1000][8];
  for (int i = 0; i < 1000; i++) {
    (void)snprintf(names[i], sizeof names[i], "h%d", i);
    entries[i] = (amqp_table_entry_t){.key = amqp_cstring_bytes(names[i]), .value = {.kind = AMQP_FIELD_KIND_VOID}};
  }
  entries[1000] = (amqp_table_entry_t){.key = amqp_cstring_bytes("bus-attempt"),
                                       .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = 2}};
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG,
                                        .headers = {.num_entries = 1001, .entries = entries}};
  assert_int_equal(decode(&properties).attempt, 2);
}

TEST(envelope_without_memory_fails_and_writes_nothing)
{
  struct envelope_wire wire;
  struct bus_envelope envelope = full_envelope(), back = {.attempt = 99};
  struct bus_publication publication = {.envelope = &envelope};
  struct bus_arena *arena = bus_arena_new(16);
  envelope_encode(&publication, &sender, &wire);
  assert_false(envelope_decode(&wire.properties, arena, &back));
  assert_int_equal(back.attempt, 99);
  bus_arena_free(arena);
}
