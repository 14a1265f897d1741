/* Properties and headers as a broker sends them: from bytes to an envelope, from that to bytes again, and back to an
 * equal envelope. */
#include "fuzz.h"

#include "envelope.h"

enum { WIRE_MAX = 16384 };

static const struct envelope_sender sender = {{"order-svc", 9}, {"/order-svc", 10}, 0};

static bool is_name(struct bus_str text, size_t max) {
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] < 0x21 || text.data[i] > 0x7E)
      return false;
  return text.data == NULL || (text.len >= 1 && text.len <= max);
}

static void check(const struct bus_envelope *envelope) {
  FUZZ_CHECK(is_name(envelope->type, BUS_TYPE_MAX) && is_name(envelope->app_id, BUS_NAME_MAX));
  FUZZ_CHECK(is_name(envelope->user_id, BUS_NAME_MAX) && is_name(envelope->reply_to, BUS_KEY_MAX - 1));
  FUZZ_CHECK(is_name(envelope->sender, BUS_NAME_MAX));
  FUZZ_CHECK(envelope->bundle || envelope->bundle_count == 0);
  FUZZ_CHECK(envelope->bundle_count >= 0 && envelope->bundle_count <= ENVELOPE_ATTEMPT_MAX);
  FUZZ_CHECK(envelope->attempt >= 0 && envelope->attempt <= ENVELOPE_ATTEMPT_MAX);
}

static bool decode(struct bus_str wire, struct bus_arena *arena, struct bus_envelope *ret) {
  amqp_pool_t pool;
  void *decoded;
  init_amqp_pool(&pool, 4096);
  bool known = amqp_decode_properties(AMQP_BASIC_CLASS, &pool, rabbit_bytes(wire), &decoded) == AMQP_STATUS_OK;
  if (known) {
    struct bus_uuid message_id;
    FUZZ_CHECK(envelope_decode(decoded, arena, ret));
    envelope_message_id(decoded, &message_id);
    FUZZ_CHECK(bus_uuid_equal(&message_id, &ret->message_id));
    check(ret);
  }
  empty_amqp_pool(&pool);
  return known;
}

static void compare(const struct bus_envelope *a, const struct bus_envelope *b) {
  FUZZ_CHECK(bus_uuid_equal(&a->message_id, &b->message_id));
  FUZZ_CHECK(bus_uuid_equal(&a->correlation_id, &b->correlation_id));
  FUZZ_CHECK(bus_uuid_equal(&a->causation_id, &b->causation_id));
  FUZZ_CHECK(bus_str_equal(a->type, b->type) && bus_str_equal(a->reply_to, b->reply_to));
  FUZZ_CHECK(memcmp(&a->trace, &b->trace, offsetof(struct bus_trace, state)) == 0);
  FUZZ_CHECK(bus_str_equal(a->trace.state, b->trace.state));
  FUZZ_CHECK(a->attempt == b->attempt && bus_str_equal(a->sender, b->sender) && !b->copied);
  FUZZ_CHECK(a->bundle == b->bundle && a->bundle_count == b->bundle_count);
  FUZZ_CHECK(a->timestamp <= 0 || a->timestamp == b->timestamp);
  FUZZ_CHECK(bus_str_equal(b->user_id, sender.user) && bus_str_equal(b->app_id, sender.user));
}

/* As a retried message is sent on. */
static void send_on(const struct bus_envelope *envelope, struct bus_str cause, struct bus_arena *arena) {
  static char wire_bytes[WIRE_MAX];
  const struct bus_publication publication = {
      .envelope = envelope, .cause = cause, .cause_class = BUS_STR("retryable"), .body = BUS_STR("{}")};
  struct envelope_wire wire;
  struct bus_envelope again;
  envelope_encode(&publication, &sender, &wire);
  FUZZ_CHECK(wire.properties.headers.num_entries <= ENVELOPE_HEADERS);
  int len = amqp_encode_properties(AMQP_BASIC_CLASS, &wire.properties, (amqp_bytes_t){WIRE_MAX, wire_bytes});
  FUZZ_CHECK(len > 0);
  FUZZ_CHECK(decode((struct bus_str){wire_bytes, (size_t)len}, arena, &again));
  compare(envelope, &again);
}

/* A reason, then the properties. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bus_str rest = fuzz_input(data, size);
  size_t cause_len = fuzz_byte(&rest);
  if (cause_len > rest.len)
    cause_len = rest.len;
  struct bus_str cause = {rest.data, cause_len};
  struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
  struct bus_envelope envelope;
  char *wire = fuzz_exact((struct bus_str){rest.data + cause_len, rest.len - cause_len});
  if (decode((struct bus_str){wire, rest.len - cause_len}, arena, &envelope))
    send_on(&envelope, cause, arena);
  free(wire);
  bus_arena_free(arena);
  return 0;
}
