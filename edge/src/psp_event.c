/* Signatures and field tables of the payment provider's events. */
#include "psp_event.h"

#include <bus/hash.h>

#include <ctype.h>

enum { TIME_DIGITS_MAX = 12 };

const char *const psp_signature_names[] = {"signed", "unsigned", "forged", "old", NULL};

/* ---- the signature ---- */

/* The value of "name=value", if the member has that name. */
static bool has_name(struct bus_str member, const char *name, struct bus_str *ret_value) {
  struct bus_str value = member, found = bus_str_cut(&value, '=');
  *ret_value = value;
  return bus_str_is(found, name);
}

/* The only t; absent: none, or several. */
static struct bus_str signed_time(struct bus_str header) {
  struct bus_str time = BUS_NO_STR, value;
  while (header.len > 0) {
    if (!has_name(bus_str_cut(&header, ','), "t", &value))
      continue;
    if (time.data)
      return BUS_NO_STR;
    time = value;
  }
  return time;
}

static size_t count_codes(struct bus_str header, const char *expected, bool *ret_found) {
  size_t count = 0;
  struct bus_str value;
  *ret_found = false;
  while (header.len > 0) {
    if (!has_name(bus_str_cut(&header, ','), "v1", &value))
      continue;
    count++;
    *ret_found |= bus_secret_equal(value, bus_str(expected));
  }
  return count;
}

enum psp_signature psp_signature_check(struct bus_str header, struct bus_str body, struct bus_str secret,
                                       bus_time now) {
  struct bus_str time = signed_time(header);
  const struct bus_str parts[] = {time, BUS_STR("."), body};
  char expected[BUS_SHA256_TEXT];
  int64_t seconds;
  bool found;
  if (!time.data || !bus_str_number(time, TIME_DIGITS_MAX, &seconds))
    return PSP_UNSIGNED;
  bus_hmac_sha256_hex(secret, parts, BUS_COUNT(parts), expected);
  if (count_codes(header, expected, &found) == 0)
    return PSP_UNSIGNED;
  if (!found)
    return PSP_FORGED;
  int64_t age = now / BUS_SECOND - seconds;
  return age > PSP_EVENT_TOLERANCE_S || age < -PSP_EVENT_TOLERANCE_S ? PSP_OLD : PSP_SIGNED;
}

/* ---- the event ---- */

struct metadata {
  struct bus_str order_id;
};
struct object {
  struct bus_str id;
  struct metadata *metadata;
  struct bus_str payment_intent, currency, reason, status; /* of a dispute */
  int64_t amount;
};
struct content {
  struct object *object;
};
struct event {
  struct bus_str id, type;
  int64_t created;
  struct content *data;
};

static const struct bus_field metadata_fields[] = {
    BUS_FIELD_STRING(struct metadata, order_id, BUS_TEXT, 0, 500, BUS_OPTIONAL, "ours"),
};
static const struct bus_schema metadata_schema = BUS_SCHEMA("metadata", struct metadata, metadata_fields);
static const struct bus_field object_fields[] = {
    BUS_FIELD_STRING(struct object, id, BUS_TEXT, 0, 255, BUS_OPTIONAL, "the provider's id"),
    BUS_FIELD_OBJECT(struct object, metadata, struct metadata, &metadata_schema, BUS_OPTIONAL, "ours"),
    BUS_FIELD_STRING(struct object, payment_intent, BUS_TEXT, 0, 255, BUS_OPTIONAL, "of a dispute"),
    BUS_FIELD_STRING(struct object, currency, BUS_TEXT, 0, 255, BUS_OPTIONAL, "of a dispute, in lower case"),
    BUS_FIELD_STRING(struct object, reason, BUS_TEXT, 0, 255, BUS_OPTIONAL, "of a dispute"),
    BUS_FIELD_STRING(struct object, status, BUS_TEXT, 0, 255, BUS_OPTIONAL, "of a dispute"),
    BUS_FIELD_INT64(struct object, amount, INT64_MIN + 1, INT64_MAX, BUS_OPTIONAL, "of a dispute"),
};
static const struct bus_schema object_schema = BUS_SCHEMA("object", struct object, object_fields);
static const struct bus_field content_fields[] = {
    BUS_FIELD_OBJECT(struct content, object, struct object, &object_schema, BUS_REQUIRED, "what has changed"),
};
static const struct bus_schema content_schema = BUS_SCHEMA("data", struct content, content_fields);
static const struct bus_field event_fields[] = {
    BUS_FIELD_STRING(struct event, id, BUS_TOKEN, 1, 255, BUS_REQUIRED, "the event's id"),
    BUS_FIELD_STRING(struct event, type, BUS_TOKEN, 1, 255, BUS_REQUIRED, "kind of event"),
    BUS_FIELD_INT64(struct event, created, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "Unix seconds"),
    BUS_FIELD_OBJECT(struct event, data, struct content, &content_schema, BUS_REQUIRED, "what has changed"),
};
static const struct bus_schema event_schema = BUS_SCHEMA("event", struct event, event_fields);

/* The namespace of message ids; a constant forever. */
static const struct bus_uuid event_namespace = {
    {0x6b, 0x1f, 0x0c, 0x52, 0x9d, 0x2e, 0x4a, 0x37, 0x8c, 0x41, 0x5e, 0xd0, 0x73, 0xb9, 0x16, 0xa4}};

static const char *const changes[] = {"payment_intent.succeeded",
                                      "payment_intent.payment_failed",
                                      "payment_intent.canceled",
                                      "refund.updated",
                                      "refund.failed",
                                      "charge.refund.updated",
                                      NULL};

/* Objects without an order id of ours are another system's, which shares the provider's account. */
static bool read_check(const struct object *object, struct payment_check *ret) {
  ret->psp_id = object->id;
  return bus_id_is_valid(object->id) && object->metadata && bus_uuid_parse(object->metadata->order_id, &ret->order_id);
}

/* False: out of memory, or no three letters. */
static bool upper_currency(struct bus_str told, struct bus_arena *arena, struct bus_str *ret) {
  char text[PAYMENT_CURRENCY_LEN];
  for (size_t i = 0; i < told.len && i < sizeof text; i++)
    text[i] = (char)toupper((unsigned char)told.data[i]);
  *ret = bus_arena_copy(arena, (struct bus_str){text, sizeof text});
  return told.len == sizeof text && ret->data;
}

/* A dispute says which payment intent it is about, and none of our ids: payment-svc's records tell whose it is. */
static bool read_dispute(const struct event *event, struct bus_arena *arena, struct payment_dispute *ret) {
  const struct object *object = event->data->object;
  *ret = (struct payment_dispute){.dispute_id = object->id,
                                  .psp_id = object->payment_intent,
                                  .amount = object->amount,
                                  .reason = object->reason,
                                  .status = object->status,
                                  .at = event->created * BUS_SECOND};
  struct bus_str text;
  return event->created != BUS_NO_INT64 && upper_currency(object->currency, arena, &ret->currency) &&
         bus_encode(&payment_dispute_schema, ret, arena, &text) &&
         bus_decode(&payment_dispute_schema, text, BUS_REFUSE_UNKNOWN, arena, ret, NULL);
}

static bool begins_with(struct bus_str text, const char *begin) {
  size_t len = strlen(begin);
  return text.len >= len && memcmp(text.data, begin, len) == 0;
}

bool psp_event_read(struct bus_str body, struct bus_arena *arena, struct psp_event *ret) {
  struct event event;
  if (!bus_decode(&event_schema, body, BUS_IGNORE_UNKNOWN, arena, &event, NULL))
    return false;
  *ret = (struct psp_event){.news = PSP_NEWS_NONE};
  bus_uuid_v5(&event_namespace, event.id, &ret->message_id);
  if (bus_str_is_one_of(event.type, changes) && read_check(event.data->object, &ret->check))
    ret->news = PSP_NEWS_CHANGED;
  else if (begins_with(event.type, "charge.dispute.") && read_dispute(&event, arena, &ret->dispute))
    ret->news = PSP_NEWS_DISPUTE;
  return true;
}
