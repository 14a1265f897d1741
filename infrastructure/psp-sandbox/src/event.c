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

struct dispute {
  struct bus_str id, object, payment_intent;
  int64_t amount;
  struct bus_str currency, reason, status;
};
static const struct bus_field dispute_fields[] = {
    BUS_FIELD_STRING(struct dispute, id, BUS_TOKEN, 1, 255, BUS_REQUIRED, "dp_…"),
    BUS_FIELD_STRING(struct dispute, object, BUS_TOKEN, 1, 16, BUS_REQUIRED, "dispute"),
    BUS_FIELD_STRING(struct dispute, payment_intent, BUS_TOKEN, 1, 255, BUS_REQUIRED, "pi_…"),
    BUS_FIELD_INT64(struct dispute, amount, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    BUS_FIELD_STRING(struct dispute, currency, BUS_TOKEN, 3, 3, BUS_REQUIRED, "in lower case"),
    BUS_FIELD_STRING(struct dispute, reason, BUS_TOKEN, 1, 64, BUS_REQUIRED, "why"),
    BUS_FIELD_STRING(struct dispute, status, BUS_TOKEN, 1, 64, BUS_REQUIRED, "needs_response, …"),
};
static const struct bus_schema dispute_schema = BUS_SCHEMA("dispute", struct dispute, dispute_fields);

static const char *type_of(int entry_type) {
  static const char *const types[PSP_ENTRY_TYPES] = {
      [PSP_CAPTURED] = "payment_intent.succeeded", [PSP_DECLINED] = "payment_intent.payment_failed",
      [PSP_CANCELED] = "payment_intent.canceled",  [PSP_PENDING] = "payment_intent.processing",
      [PSP_REFUNDED] = "refund.updated",           [PSP_REFUND_PENDING] = "refund.created",
      [PSP_REFUND_CANCELED] = "refund.updated",    [PSP_REFUND_FAILED] = "refund.failed",
  };
  return types[entry_type];
}

/* Each object is told of once, so that its id names the event as well. */
static struct bus_str event_of(struct bus_str id, const char *type, bus_time at, struct bus_str object,
                               struct bus_arena *arena) {
  struct content content = {object};
  struct bus_str json;
  const struct event event = {.id = bus_arena_printf(arena, "evt_%.*s", (int)id.len, id.data),
                              .object = BUS_STR("event"),
                              .type = bus_str(type),
                              .created = at / BUS_SECOND,
                              .data = &content};
  return event.id.data && bus_encode(&event_schema, &event, arena, &json) ? json : BUS_NO_STR;
}

struct bus_str psp_event_of(const struct psp_entry *entry, struct bus_arena *arena) {
  return event_of(entry->id, type_of(entry->type), entry->at, entry->answer, arena);
}

struct bus_str psp_dispute_event_of(const struct psp_entry *intent, struct bus_arena *arena) {
  struct bus_str json;
  struct dispute dispute = {.id = bus_arena_printf(arena, "dp_%.*s", (int)intent->id.len, intent->id.data),
                            .object = BUS_STR("dispute"),
                            .payment_intent = intent->id,
                            .amount = intent->amount,
                            .currency = intent->currency,
                            .reason = BUS_STR("fraudulent"),
                            .status = BUS_STR("needs_response")};
  if (!dispute.id.data || !bus_encode(&dispute_schema, &dispute, arena, &json))
    return BUS_NO_STR;
  return event_of(dispute.id, "charge.dispute.created", intent->at, json, arena);
}

void psp_sign(struct bus_str secret, struct bus_str body, bus_time now, char ret[PSP_SIGNATURE_SIZE]) {
  char time[24], code[BUS_SHA256_TEXT];
  (void)snprintf(time, sizeof time, "%" PRId64, now / BUS_SECOND);
  const struct bus_str parts[] = {bus_str(time), BUS_STR("."), body};
  bus_hmac_sha256_hex(secret, parts, BUS_COUNT(parts), code);
  (void)snprintf(ret, PSP_SIGNATURE_SIZE, "Stripe-Signature: t=%s,v1=%s", time, code); /* 109 characters at most */
}
