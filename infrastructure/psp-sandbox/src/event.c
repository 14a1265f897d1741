/* Events in Stripe's shape, and their signature. Pure. */
#include "webhook.h"

#include <bus/hash.h>

#include <inttypes.h>
#include <stdio.h>

struct content {
  struct bus_str object;
};
struct event {
  struct bus_str id, object, type;
  int64_t created;
  bool livemode;
  struct content *data;
};

static const struct bus_field content_fields[] = {
    BUS_FIELD_JSON(struct content, object, PSP_ENTRY_LINE_MAX, BUS_REQUIRED, "the intent or refund as it is now"),
};
static const struct bus_schema content_schema = BUS_SCHEMA("data", struct content, content_fields);
static const struct bus_field event_fields[] = {
    BUS_FIELD_STRING(struct event, id, BUS_TOKEN, 1, 255, BUS_REQUIRED, "evt_…"),
    BUS_FIELD_STRING(struct event, object, BUS_TOKEN, 1, 16, BUS_REQUIRED, "event"),
    BUS_FIELD_STRING(struct event, type, BUS_TOKEN, 1, 64, BUS_REQUIRED, "kind of event"),
    BUS_FIELD_INT64(struct event, created, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "Unix seconds"),
    BUS_FIELD_BOOL(struct event, livemode, BUS_REQUIRED, "false"),
    BUS_FIELD_OBJECT(struct event, data, struct content, &content_schema, BUS_REQUIRED, "what has changed"),
};
static const struct bus_schema event_schema = BUS_SCHEMA("event", struct event, event_fields);

static const char *type_of(int entry_type) {
  static const char *const types[PSP_ENTRY_TYPES] = {
      [PSP_CAPTURED] = "payment_intent.succeeded", [PSP_DECLINED] = "payment_intent.payment_failed",
      [PSP_CANCELED] = "payment_intent.canceled",  [PSP_PENDING] = "payment_intent.processing",
      [PSP_REFUNDED] = "refund.updated",           [PSP_REFUND_PENDING] = "refund.created",
      [PSP_REFUND_CANCELED] = "refund.updated",    [PSP_REFUND_FAILED] = "refund.failed",
  };
  return types[entry_type];
}

struct bus_str psp_event_of(const struct psp_entry *entry, struct bus_arena *arena) {
  struct content content = {entry->answer};
  struct bus_str json;
  /* An object becomes final once, so that its id names the event as well. */
  const struct event event = {.id = bus_arena_printf(arena, "evt_%.*s", (int)entry->id.len, entry->id.data),
                              .object = BUS_STR("event"),
                              .type = bus_str(type_of(entry->type)),
                              .created = entry->at / BUS_SECOND,
                              .data = &content};
  return event.id.data && bus_encode(&event_schema, &event, arena, &json) ? json : BUS_NO_STR;
}

void psp_sign(struct bus_str secret, struct bus_str body, bus_time now, char ret[PSP_SIGNATURE_SIZE]) {
  char time[24], code[BUS_SHA256_TEXT];
  (void)snprintf(time, sizeof time, "%" PRId64, now / BUS_SECOND);
  const struct bus_str parts[] = {bus_str(time), BUS_STR("."), body};
  bus_hmac_sha256_hex(secret, parts, BUS_COUNT(parts), code);
  (void)snprintf(ret, PSP_SIGNATURE_SIZE, "Stripe-Signature: t=%s,v1=%s", time, code); /* 109 characters at most */
}
