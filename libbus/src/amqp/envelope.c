/* Writes and reads a message's envelope: properties for what AMQP names, headers for the rest. */
#include "envelope.h"

#include <bus/bundle.h>
#include <bus/history.h>

#include <strings.h>

static const char header_traceparent[] = "traceparent";
static const char header_tracestate[] = "tracestate";
static const char header_causation[] = "causation-id";
static const char header_attempt[] = "bus-attempt";
static const char header_first_failed[] = "bus-first-failed";
static const char header_deadline[] = "bus-deadline";
static const char header_history[] = "bus-history";
static const char header_sender[] = "bus-sender";
static const char header_count[] = "bus-count";
static const char header_cause[] = "bus-cause";
static const char header_cause_class[] = "bus-cause-class";
/* More routing keys: AMQP 0-9-1 clients send the first two, AMQP 1.0 clients the third. */
static const char *const headers_copies[] = {"CC", "BCC", "x-cc"};

/* ---- writing ---- */

static amqp_field_value_t *add_header(struct envelope_wire *wire, struct bus_str name, uint8_t kind) {
  amqp_table_entry_t *entry = &wire->headers[wire->properties.headers.num_entries++];
  entry->key = rabbit_bytes(name);
  entry->value.kind = kind;
  return &entry->value;
}

static void add_text(struct envelope_wire *wire, struct bus_str name, struct bus_str text) {
  add_header(wire, name, AMQP_FIELD_KIND_UTF8)->value.bytes = rabbit_bytes(text);
}

static struct bus_str uuid_text(const struct bus_uuid *uuid, char text[BUS_UUID_TEXT]) {
  bus_uuid_format(uuid, text);
  return (struct bus_str){text, BUS_UUID_TEXT - 1};
}

/* The header that exchanges route to shards by. A message that is retried comes back by it. */
static void add_shard(struct envelope_wire *wire, const struct bus_publication *publication, size_t shards) {
  enum bus_exchange exchange = publication->exchange;
  bool works = exchange == BUS_EXCHANGE_CMD || exchange == BUS_EXCHANGE_EVENT || exchange == BUS_EXCHANGE_RETRY;
  size_t shard = works ? bus_shard_of(&publication->envelope->correlation_id, shards) : 0;
  if (shard == 0)
    return;
  bus_shard_text(shard, shards, wire->shard);
  add_text(wire, BUS_STR(BUS_SHARD_HEADER), bus_str(wire->shard));
}

static void add_headers(struct envelope_wire *wire, const struct bus_publication *publication) {
  const struct bus_envelope *envelope = publication->envelope;
  if (bus_trace_is_set(&envelope->trace)) {
    bus_trace_format(&envelope->trace, wire->traceparent);
    add_text(wire, BUS_STR(header_traceparent), bus_str(wire->traceparent));
    if (envelope->trace.state.data)
      add_text(wire, BUS_STR(header_tracestate), envelope->trace.state);
  }
  if (!bus_uuid_is_nil(&envelope->causation_id))
    add_text(wire, BUS_STR(header_causation), uuid_text(&envelope->causation_id, wire->causation_id));
  if (envelope->bundle)
    add_header(wire, BUS_STR(header_count), AMQP_FIELD_KIND_I64)->value.i64 = envelope->bundle_count;
  add_header(wire, BUS_STR(header_attempt), AMQP_FIELD_KIND_I64)->value.i64 = envelope->attempt;
  if (envelope->first_failed_at > 0) {
    bus_time_format(envelope->first_failed_at, wire->first_failed);
    add_text(wire, BUS_STR(header_first_failed), bus_str(wire->first_failed));
  }
  if (envelope->deadline > 0) {
    bus_time_format(envelope->deadline, wire->deadline);
    add_text(wire, BUS_STR(header_deadline), bus_str(wire->deadline));
  }
  if (envelope->history.data)
    add_text(wire, BUS_STR(header_history), envelope->history);
  if (envelope->sender.data)
    add_text(wire, BUS_STR(header_sender), envelope->sender);
  if (publication->cause.data)
    add_text(wire, BUS_STR(header_cause), publication->cause);
  if (publication->cause_class.data)
    add_text(wire, BUS_STR(header_cause_class), publication->cause_class);
}

/* The four that CloudEvents requires, so that an AMQP 1.0 reader sees a CloudEvent in binary mode. A bundle has none of
 * them: it is no event, and the binding for AMQP knows no batch. */
static void add_cloud_event(struct envelope_wire *wire, const struct bus_envelope *envelope,
                            const struct envelope_sender *sender) {
  add_text(wire, BUS_STR("cloudEvents:specversion"), BUS_STR("1.0"));
  add_text(wire, BUS_STR("cloudEvents:id"), rabbit_view(wire->properties.message_id));
  add_text(wire, BUS_STR("cloudEvents:source"), sender->source);
  add_text(wire, BUS_STR("cloudEvents:type"), envelope->type);
}

static void set_optional(struct envelope_wire *wire, const struct bus_envelope *envelope) {
  amqp_basic_properties_t *properties = &wire->properties;
  if (!bus_uuid_is_nil(&envelope->correlation_id)) {
    properties->correlation_id = rabbit_bytes(uuid_text(&envelope->correlation_id, wire->correlation_id));
    properties->_flags |= AMQP_BASIC_CORRELATION_ID_FLAG;
  }
  if (envelope->reply_to.data) {
    properties->reply_to = rabbit_bytes(envelope->reply_to);
    properties->_flags |= AMQP_BASIC_REPLY_TO_FLAG;
  }
  if (envelope->timestamp > 0) {
    properties->timestamp = (uint64_t)(envelope->timestamp / BUS_SECOND);
    properties->_flags |= AMQP_BASIC_TIMESTAMP_FLAG;
  }
}

/* Queries and answers are transient: after a restart of the broker their askers have timed out. */
static uint8_t delivery_mode_of(const struct bus_publication *publication) {
  enum bus_exchange exchange = publication->exchange;
  return publication->transient || exchange == BUS_EXCHANGE_QUERY || exchange == BUS_EXCHANGE_REPLY
             ? AMQP_DELIVERY_NONPERSISTENT
             : AMQP_DELIVERY_PERSISTENT;
}

void envelope_encode(const struct bus_publication *publication, const struct envelope_sender *sender,
                     struct envelope_wire *ret) {
  const struct bus_envelope *envelope = publication->envelope;
  ret->properties = (amqp_basic_properties_t){
      ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_APP_ID_FLAG,
      .content_type = rabbit_bytes(envelope->bundle ? BUS_STR(BUS_BUNDLE_CONTENT_TYPE) : BUS_STR("application/json")),
      .delivery_mode = delivery_mode_of(publication),
      .message_id = rabbit_bytes(uuid_text(&envelope->message_id, ret->message_id)),
      .type = rabbit_bytes(envelope->type),
      .user_id = rabbit_bytes(sender->user),
      .app_id = rabbit_bytes(sender->user),
      .headers = {.num_entries = 0, .entries = ret->headers},
  };
  set_optional(ret, envelope);
  add_headers(ret, publication);
  add_shard(ret, publication, sender->shards);
  if (!envelope->bundle)
    add_cloud_event(ret, envelope, sender);
}

/* ---- reading ---- */

static bool is_visible(struct bus_str text) {
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] < 0x21 || text.data[i] > 0x7e)
      return false;
  return true;
}

/* A name of ours: visible ASCII of a bounded length; everything else counts as absent. */
static struct bus_str visible(struct bus_str text, size_t max) {
  return text.len >= 1 && text.len <= max && is_visible(text) ? text : BUS_NO_STR;
}

static struct bus_str name_of(amqp_bytes_t bytes, bool present, size_t max) {
  return present ? visible(rabbit_view(bytes), max) : BUS_NO_STR;
}

static void parse_uuid(struct bus_str text, struct bus_uuid *ret) {
  if (!bus_uuid_parse(text, ret))
    *ret = (struct bus_uuid){{0}};
}

void envelope_message_id(const amqp_basic_properties_t *properties, struct bus_uuid *ret) {
  *ret = (struct bus_uuid){{0}};
  if (properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG)
    parse_uuid(rabbit_view(properties->message_id), ret);
}

/* Seconds as AMQP has them; what a bus_time cannot hold counts as absent. */
static bus_time timestamp_of(const amqp_basic_properties_t *properties) {
  bool present = properties->_flags & AMQP_BASIC_TIMESTAMP_FLAG;
  return present && properties->timestamp <= INT64_MAX / BUS_SECOND ? (bus_time)properties->timestamp * BUS_SECOND
                                                                    : BUS_NO_TIME;
}

/* Brokers and clients encode integers in any width. 0 for another type, or a negative number. */
static int64_t count_of(const amqp_field_value_t *value) {
  int64_t number = 0;
  switch (value->kind) {
  case AMQP_FIELD_KIND_I8:
    number = (int64_t)value->value.i8;
    break;
  case AMQP_FIELD_KIND_U8:
    number = value->value.u8;
    break;
  case AMQP_FIELD_KIND_I16:
    number = value->value.i16;
    break;
  case AMQP_FIELD_KIND_U16:
    number = value->value.u16;
    break;
  case AMQP_FIELD_KIND_I32:
    number = value->value.i32;
    break;
  case AMQP_FIELD_KIND_U32:
    number = value->value.u32;
    break;
  case AMQP_FIELD_KIND_I64:
    number = value->value.i64;
    break;
  case AMQP_FIELD_KIND_U64:
    number = value->value.u64 < ENVELOPE_ATTEMPT_MAX ? (int64_t)value->value.u64 : ENVELOPE_ATTEMPT_MAX;
    break;
  default:
    break;
  }
  return number < 0 ? 0 : number < ENVELOPE_ATTEMPT_MAX ? number : ENVELOPE_ATTEMPT_MAX;
}

static struct bus_str text_of(const amqp_field_value_t *value) {
  bool text = value->kind == AMQP_FIELD_KIND_UTF8 || value->kind == AMQP_FIELD_KIND_BYTES;
  return text ? rabbit_view(value->value.bytes) : BUS_NO_STR;
}

static struct bus_str at_most(struct bus_str text, size_t max) {
  return text.len >= 1 && text.len <= max ? text : BUS_NO_STR;
}

/* A media type in any case, perhaps with parameters behind it. */
static bool is_bundle(const amqp_basic_properties_t *properties) {
  static const char bundle[] = BUS_BUNDLE_CONTENT_TYPE;
  struct bus_str type = BUS_NO_STR;
  if (properties->_flags & AMQP_BASIC_CONTENT_TYPE_FLAG)
    type = rabbit_view(properties->content_type);
  type = bus_str_cut(&type, ';');
  while (type.len > 0 && type.data[type.len - 1] == ' ')
    type.len--;
  return type.len == sizeof bundle - 1 && strncasecmp(type.data, bundle, type.len) == 0;
}

static bool is_copy(struct bus_str name) {
  for (size_t i = 0; i < BUS_COUNT(headers_copies); i++)
    if (bus_str_is(name, headers_copies[i]))
      return true;
  return false;
}

static void read_header(struct bus_str name, const amqp_field_value_t *value, struct bus_envelope *ret) {
  if (bus_str_equal(name, BUS_STR(header_traceparent))) {
    if (!bus_trace_parse(text_of(value), &ret->trace))
      ret->trace = (struct bus_trace){.flags = 0};
  } else if (bus_str_equal(name, BUS_STR(header_causation)))
    parse_uuid(text_of(value), &ret->causation_id);
  else if (bus_str_equal(name, BUS_STR(header_attempt)))
    ret->attempt = count_of(value);
  else if (bus_str_equal(name, BUS_STR(header_first_failed))) {
    if (!bus_time_parse(text_of(value), &ret->first_failed_at))
      ret->first_failed_at = BUS_NO_TIME;
  } else if (bus_str_equal(name, BUS_STR(header_deadline))) {
    if (!bus_time_parse(text_of(value), &ret->deadline))
      ret->deadline = 0;
  } else if (bus_str_equal(name, BUS_STR(header_history)))
    ret->history = at_most(text_of(value), BUS_HISTORY_MAX);
  else if (bus_str_equal(name, BUS_STR(header_sender)))
    ret->sender = visible(text_of(value), BUS_NAME_MAX);
  else if (ret->bundle && bus_str_equal(name, BUS_STR(header_count)))
    ret->bundle_count = count_of(value);
  else if (is_copy(name))
    ret->copied = true;
}

bool envelope_decode(const amqp_basic_properties_t *properties, struct bus_arena *arena, struct bus_envelope *ret) {
  amqp_flags_t flags = properties->_flags;
  struct bus_envelope envelope = {
      .type = name_of(properties->type, flags & AMQP_BASIC_TYPE_FLAG, BUS_TYPE_MAX),
      .app_id = name_of(properties->app_id, flags & AMQP_BASIC_APP_ID_FLAG, BUS_NAME_MAX),
      .user_id = name_of(properties->user_id, flags & AMQP_BASIC_USER_ID_FLAG, BUS_NAME_MAX),
      .reply_to = name_of(properties->reply_to, flags & AMQP_BASIC_REPLY_TO_FLAG, BUS_KEY_MAX - 1),
      .timestamp = timestamp_of(properties),
      .first_failed_at = BUS_NO_TIME,
      .bundle = is_bundle(properties),
  };
  envelope_message_id(properties, &envelope.message_id);
  if (flags & AMQP_BASIC_CORRELATION_ID_FLAG)
    parse_uuid(rabbit_view(properties->correlation_id), &envelope.correlation_id);
  int headers = flags & AMQP_BASIC_HEADERS_FLAG ? properties->headers.num_entries : 0;
  struct bus_str tracestate = BUS_NO_STR; /* it may come before its traceparent */
  for (int i = 0; i < headers; i++)
    if (bus_str_equal(rabbit_view(properties->headers.entries[i].key), BUS_STR(header_tracestate)))
      tracestate = text_of(&properties->headers.entries[i].value);
    else
      read_header(rabbit_view(properties->headers.entries[i].key), &properties->headers.entries[i].value, &envelope);
  bus_trace_set_state(&envelope.trace, tracestate);
  if (!bus_envelope_move(&envelope, arena))
    return false;
  *ret = envelope;
  return true;
}
