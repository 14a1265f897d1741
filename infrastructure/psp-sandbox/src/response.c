/* Field tables of Stripe's objects. */
#include "response.h"

#include <bus/field.h>

enum { JSON_MAX = 16384 };

struct error_body {
  struct bus_str type, code, decline_code, param, message, charge, payment_intent;
};

struct error_response {
  struct error_body *error;
};

struct intent {
  struct bus_str id, object, currency, payment_method, latest_charge, status, metadata, last_payment_error;
  int64_t amount, amount_received, created;
  bool livemode;
};

struct refund {
  struct bus_str id, object, currency, charge, payment_intent, status, reason, metadata;
  int64_t amount, created;
};

#define TEXT(S, member) BUS_FIELD_STRING(S, member, BUS_TEXT, 0, 500, BUS_OPTIONAL, "")
#define NUMBER(S, member) BUS_FIELD_INT64(S, member, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "")
#define JSON(S, member) BUS_FIELD_JSON(S, member, JSON_MAX, BUS_OPTIONAL, "")

static const struct bus_field error_body_fields[] = {
    TEXT(struct error_body, type),           TEXT(struct error_body, code),    TEXT(struct error_body, decline_code),
    TEXT(struct error_body, param),          TEXT(struct error_body, message), TEXT(struct error_body, charge),
    JSON(struct error_body, payment_intent),
};
static const struct bus_schema error_body_schema = BUS_SCHEMA("error", struct error_body, error_body_fields);

static const struct bus_field error_response_fields[] = {
    BUS_FIELD_OBJECT(struct error_response, error, struct error_body, &error_body_schema, BUS_REQUIRED, ""),
};
static const struct bus_schema error_response_schema =
    BUS_SCHEMA("error_response", struct error_response, error_response_fields);

static const struct bus_field intent_fields[] = {
    TEXT(struct intent, id),
    TEXT(struct intent, object),
    NUMBER(struct intent, amount),
    NUMBER(struct intent, amount_received),
    NUMBER(struct intent, created),
    TEXT(struct intent, currency),
    JSON(struct intent, last_payment_error),
    TEXT(struct intent, latest_charge),
    BUS_FIELD_BOOL(struct intent, livemode, BUS_REQUIRED, ""),
    JSON(struct intent, metadata),
    TEXT(struct intent, payment_method),
    TEXT(struct intent, status),
};
static const struct bus_schema intent_schema = BUS_SCHEMA("payment_intent", struct intent, intent_fields);

static const struct bus_field refund_fields[] = {
    TEXT(struct refund, id),       TEXT(struct refund, object),         NUMBER(struct refund, amount),
    TEXT(struct refund, charge),   NUMBER(struct refund, created),      TEXT(struct refund, currency),
    JSON(struct refund, metadata), TEXT(struct refund, payment_intent), TEXT(struct refund, reason),
    TEXT(struct refund, status),
};
static const struct bus_schema refund_schema = BUS_SCHEMA("refund", struct refund, refund_fields);

/* A schema made for these members: the encoder escapes them, as it does everything else. */
static struct bus_str metadata_of(struct bus_arena *arena, const struct psp_form *form) {
  struct bus_field *fields = bus_arena_array(arena, form->count, sizeof *fields);
  struct bus_str *values = bus_arena_array(arena, form->count, sizeof *values), json;
  size_t count = 0;
  for (size_t i = 0; fields && values && i < form->count; i++) {
    struct bus_str name = psp_form_member(form->fields[i].name, "metadata");
    if (name.data == NULL || (name = bus_arena_copy(arena, name)).data == NULL)
      continue;
    fields[count] = (struct bus_field){.name = name.data,
                                       .kind = BUS_KIND_STRING,
                                       .presence = BUS_REQUIRED,
                                       .offset = count * sizeof *values,
                                       .max = JSON_MAX};
    values[count++] = form->fields[i].value;
  }
  const struct bus_schema schema = {
      .name = "metadata", .size = count * sizeof *values, .fields = fields, .field_count = count};
  return bus_encode(&schema, values, arena, &json) ? json : BUS_STR("{}");
}

static struct bus_str encode_or_absent(struct bus_arena *arena, const struct bus_schema *schema, const void *value) {
  struct bus_str json;
  return bus_encode_nulls(schema, value, arena, &json) ? json : BUS_NO_STR;
}

static struct intent intent_of(struct bus_arena *arena, const struct psp_identity *identity,
                               const struct psp_charge *charge, const struct psp_form *form) {
  return (struct intent){.id = identity->id,
                         .object = BUS_STR("payment_intent"),
                         .amount = charge->amount,
                         .created = identity->at / BUS_SECOND,
                         .currency = charge->currency,
                         .latest_charge = identity->charge_id,
                         .metadata = metadata_of(arena, form)};
}

static struct error_body body_of(const struct psp_error *error) {
  return (struct error_body){.type = bus_str(error->type),
                             .code = bus_str(error->code),
                             .decline_code = bus_str(error->decline_code),
                             .param = bus_str(error->param),
                             .message = bus_str(error->message)};
}

struct bus_str psp_response_intent(struct bus_arena *arena, const struct psp_identity *identity,
                                   const struct psp_charge *charge, const struct psp_form *form, const char *status) {
  struct intent intent = intent_of(arena, identity, charge, form);
  intent.status = bus_str(status);
  if (strcmp(status, "requires_payment_method") == 0) {
    const struct error_body body = body_of(charge->method->decline);
    if (!bus_encode(&error_body_schema, &body, arena, &intent.last_payment_error))
      return BUS_NO_STR;
  } else {
    intent.payment_method = bus_str(charge->method->token);
  }
  if (strcmp(status, "succeeded") == 0)
    intent.amount_received = charge->amount;
  return encode_or_absent(arena, &intent_schema, &intent);
}

static struct bus_str encode_error(struct bus_arena *arena, struct error_body *body) {
  const struct error_response response = {.error = body};
  struct bus_str json;
  return bus_encode(&error_response_schema, &response, arena, &json) ? json : BUS_NO_STR;
}

struct bus_str psp_response_decline(struct bus_arena *arena, const struct psp_identity *identity,
                                    const struct psp_charge *charge, const struct psp_form *form) {
  struct error_body body = body_of(charge->method->decline);
  body.charge = identity->charge_id;
  body.payment_intent = psp_response_intent(arena, identity, charge, form, "requires_payment_method");
  return body.payment_intent.data ? encode_error(arena, &body) : BUS_NO_STR;
}

/* It is the last member of the one member "error", and nothing before it is a client's text. */
struct bus_str psp_response_failed_intent(struct bus_str response) {
  static const char name[] = "\"payment_intent\":", end[] = "}}";
  const char *found = memmem(response.data, response.len, name, sizeof name - 1);
  if (found == NULL)
    return BUS_NO_STR;
  const char *intent = found + sizeof name - 1;
  return (struct bus_str){intent, response.len - (size_t)(intent - response.data) - (sizeof end - 1)};
}

struct bus_str psp_response_refund(struct bus_arena *arena, const struct psp_identity *identity,
                                   const struct psp_refund *refund, int64_t amount, struct bus_str currency,
                                   const struct psp_form *form, const char *status) {
  const struct refund body = {.id = identity->id,
                              .object = BUS_STR("refund"),
                              .amount = amount,
                              .charge = identity->charge_id,
                              .created = identity->at / BUS_SECOND,
                              .currency = currency,
                              .metadata = metadata_of(arena, form),
                              .payment_intent = refund->payment_intent,
                              .reason = psp_form_get(form, "reason"),
                              .status = bus_str(status)};
  return encode_or_absent(arena, &refund_schema, &body);
}

struct bus_str psp_response_error(struct bus_arena *arena, const struct psp_error *error) {
  struct error_body body = body_of(error);
  return encode_error(arena, &body);
}
