/* The ledger's one schema, for writing and for reading again. */
#include "entry.h"

const char *const psp_entry_types[] = {"captured",       "declined",      "refunded",        "canceled", "pending",
                                       "refund_pending", "refund_failed", "refund_canceled", NULL};

bool psp_entry_is_refund(int type) {
  return type == PSP_REFUNDED || type == PSP_REFUND_PENDING || type == PSP_REFUND_FAILED || type == PSP_REFUND_CANCELED;
}

static const struct bus_field turn_fields[] = {
    BUS_FIELD_ENUM(struct psp_turn, type, psp_entry_types, BUS_REQUIRED, "The next state of the object."),
    BUS_FIELD_TIME(struct psp_turn, at, BUS_REQUIRED, "When."),
    BUS_FIELD_JSON(struct psp_turn, answer, PSP_ENTRY_LINE_MAX, BUS_REQUIRED, "The object from then on."),
};
static const struct bus_schema turn_schema = BUS_SCHEMA("turn", struct psp_turn, turn_fields);

static const struct bus_field entry_fields[] = {
    BUS_FIELD_ENUM(struct psp_entry, type, psp_entry_types, BUS_REQUIRED, "The kind of the entry."),
    BUS_FIELD_STRING(struct psp_entry, id, BUS_TOKEN, 4, 64, BUS_REQUIRED, "Id of the payment intent or refund."),
    BUS_FIELD_STRING(struct psp_entry, idempotency_key, BUS_TEXT, 1, 255, BUS_OPTIONAL, "As the client gave it."),
    BUS_FIELD_STRING(struct psp_entry, fingerprint, BUS_TOKEN, 64, 64, BUS_OPTIONAL, "SHA-256 of the parameters."),
    BUS_FIELD_INT64(struct psp_entry, amount, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "In minor units."),
    BUS_FIELD_STRING(struct psp_entry, currency, BUS_TOKEN, 3, 3, BUS_REQUIRED, "ISO 4217, lower case."),
    BUS_FIELD_STRING(struct psp_entry, order_id, BUS_TEXT, 0, 500, BUS_OPTIONAL, "metadata[order_id]."),
    BUS_FIELD_STRING(struct psp_entry, payment_intent, BUS_TOKEN, 4, 64, BUS_OPTIONAL, "The refunded payment intent."),
    BUS_FIELD_STRING(struct psp_entry, payment_method, BUS_TOKEN, 1, 500, BUS_OPTIONAL, "The token of a charge."),
    BUS_FIELD_OBJECT(struct psp_entry, then, struct psp_turn, &turn_schema, BUS_OPTIONAL, "Its next state."),
    BUS_FIELD_INT64(struct psp_entry, status, 200, 599, BUS_REQUIRED, "HTTP status of the stored response."),
    BUS_FIELD_JSON(struct psp_entry, answer, PSP_ENTRY_LINE_MAX, BUS_REQUIRED, "The stored response."),
    BUS_FIELD_TIME(struct psp_entry, at, BUS_REQUIRED, "When it was decided."),
};
const struct bus_schema psp_entry_schema = BUS_SCHEMA("entry", struct psp_entry, entry_fields);

bool psp_entry_format(const struct psp_entry *entry, struct bus_arena *arena, struct bus_str *ret) {
  struct bus_str json;
  if (!bus_encode(&psp_entry_schema, entry, arena, &json))
    return false;
  char *line = bus_arena_alloc(arena, json.len + 1);
  if (line == NULL)
    return false;
  memcpy(line, json.data, json.len);
  line[json.len] = '\n';
  *ret = (struct bus_str){line, json.len + 1};
  return true;
}

bool psp_entry_parse(struct bus_str line, struct bus_arena *arena, struct psp_entry *ret,
                     struct bus_problems *problems) {
  struct psp_entry entry;
  if (!bus_decode(&psp_entry_schema, line, BUS_IGNORE_UNKNOWN, arena, &entry, problems))
    return false;
  if (entry.idempotency_key.data && !entry.fingerprint.data) {
    bus_problem_add(problems, "fingerprint", "is required with idempotency_key");
    return false;
  }
  *ret = entry;
  return true;
}
