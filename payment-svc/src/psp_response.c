/* The PSP's answers: field tables of the parts that matter, and what each means. */
#include "psp_response.h"

#include "psp_request.h"

#include <bus/field.h>

#include <ctype.h>
#include <stdio.h>

struct metadata {
  struct bus_str order_id;
};
struct failure {
  struct bus_str type, code, decline_code;
};
struct intent {
  struct bus_str id, currency, status;
  int64_t amount, amount_received;
  struct metadata *metadata;
  struct failure *last_payment_error;
};
struct refund_object {
  struct bus_str id, currency, status, payment_intent;
  int64_t amount;
};
struct failure_document {
  struct failure *error;
};

static const struct bus_field metadata_fields[] = {
    BUS_FIELD_STRING(struct metadata, order_id, BUS_TEXT, 0, 500, BUS_OPTIONAL, "ours"),
};
static const struct bus_schema metadata_schema = BUS_SCHEMA("metadata", struct metadata, metadata_fields);

#define PSP_ID(S, member, needed)                                                                                      \
  BUS_FIELD_STRING(S, member, BUS_VISIBLE, 1, PAYMENT_PSP_ID_SIZE - 1, needed, "the PSP's id")
#define AMOUNT(S, member, needed) BUS_FIELD_INT64(S, member, 0, BUS_JSON_INT_MAX, needed, "in minor units")
#define CURRENCY(S) BUS_FIELD_STRING(S, currency, BUS_TOKEN, 3, 3, BUS_REQUIRED, "ISO 4217, in lower case")
#define WORD(S, member, needed) BUS_FIELD_STRING(S, member, BUS_TOKEN, 1, PAYMENT_REASON_SIZE - 1, needed, "a code")

static const struct bus_field failure_fields[] = {
    WORD(struct failure, type, BUS_REQUIRED),
    WORD(struct failure, code, BUS_OPTIONAL),
    WORD(struct failure, decline_code, BUS_OPTIONAL),
};
static const struct bus_schema failure_schema = BUS_SCHEMA("error", struct failure, failure_fields);

static const struct bus_field intent_fields[] = {
    PSP_ID(struct intent, id, BUS_REQUIRED),
    AMOUNT(struct intent, amount, BUS_REQUIRED),
    AMOUNT(struct intent, amount_received, BUS_OPTIONAL),
    CURRENCY(struct intent),
    WORD(struct intent, status, BUS_REQUIRED),
    BUS_FIELD_OBJECT(struct intent, metadata, struct metadata, &metadata_schema, BUS_OPTIONAL, "ours"),
    BUS_FIELD_OBJECT(struct intent, last_payment_error, struct failure, &failure_schema, BUS_OPTIONAL,
                     "why it was declined"),
};
static const struct bus_schema intent_schema = BUS_SCHEMA("payment intent", struct intent, intent_fields);

static const struct bus_field refund_fields[] = {
    PSP_ID(struct refund_object, id, BUS_REQUIRED),
    AMOUNT(struct refund_object, amount, BUS_REQUIRED),
    CURRENCY(struct refund_object),
    WORD(struct refund_object, status, BUS_REQUIRED),
    PSP_ID(struct refund_object, payment_intent, BUS_REQUIRED),
};
static const struct bus_schema refund_schema = BUS_SCHEMA("refund", struct refund_object, refund_fields);

static const struct bus_field document_fields[] = {
    BUS_FIELD_OBJECT(struct failure_document, error, struct failure, &failure_schema, BUS_REQUIRED, "what is wrong"),
};
static const struct bus_schema document_schema = BUS_SCHEMA("error answer", struct failure_document, document_fields);

/* ---- results ---- */

static struct payment_result result_of(const struct payment_call *call, enum payment_input_kind kind) {
  return (struct payment_result){.order_id = call->order_id,
                                 .pay_attempt = call->pay_attempt,
                                 .call = call->kind,
                                 .kind = kind,
                                 .attempt = call->attempt,
                                 .refund = call->refund,
                                 .refund_id = call->refund_id};
}

/* Bounded by the field tables; what is our own word is short. */
static void set_text(char *to, size_t size, struct bus_str from) {
  size_t len = from.len < size ? from.len : size - 1;
  if (len > 0)
    memcpy(to, from.data, len);
  to[len] = '\0';
}

static void conclude(struct payment_result *ret, enum payment_input_kind kind, struct bus_str reason) {
  ret->kind = kind;
  set_text(ret->reason, sizeof ret->reason, reason);
}

static void unsure(struct payment_result *ret, const char *reason) {
  conclude(ret, PAYMENT_ON_UNSURE, bus_str(reason));
}

static bool parse(const struct bus_schema *schema, struct bus_str body, struct bus_arena *arena, void *ret) {
  struct bus_problems problems;
  return bus_decode(schema, body, BUS_IGNORE_UNKNOWN, arena, ret, &problems);
}

/* ---- successes ---- */

static bool same_currency(struct bus_str answered, const char *meant) {
  for (size_t i = 0; i < answered.len; i++)
    if (answered.data[i] != tolower((unsigned char)meant[i]))
      return false;
  return meant[answered.len] == '\0';
}

static bool is_our_order(const struct metadata *metadata, const struct bus_uuid *order_id) {
  char text[BUS_UUID_TEXT];
  bus_uuid_format(order_id, text);
  return !metadata || !metadata->order_id.data || bus_str_is(metadata->order_id, text);
}

static struct bus_str first_of(struct bus_str a, struct bus_str b) {
  return a.data ? a : b;
}

static void read_charge_failure(int status, const struct failure *failure, struct payment_result *ret) {
  bool declined = status == 402 || bus_str_is(failure->type, "card_error");
  if (declined)
    conclude(ret, PAYMENT_ON_DECLINED,
             first_of(failure->decline_code, first_of(failure->code, BUS_STR("card_declined"))));
  else
    conclude(ret, PAYMENT_ON_REFUSED, first_of(failure->code, failure->type));
}

/* Reading back gives the object that was asked for. */
static bool is_the_one_read(struct bus_str id, const struct payment_call *call) {
  return call->read_id[0] == '\0' || bus_str_is(id, call->read_id);
}

/* A status that is not final, or one that is new to us: the object is read back until it is final. */
static void conclude_pending(struct payment_result *ret, struct bus_str id, struct bus_str status) {
  conclude(ret, psp_id_is_path_segment(id) ? PAYMENT_ON_PENDING : PAYMENT_ON_UNSURE, status);
}

static bool is_as_meant(const struct intent *intent, const struct payment_call *call) {
  return intent->amount == call->amount && same_currency(intent->currency, call->currency) &&
         is_our_order(intent->metadata, &call->order_id) && is_the_one_read(intent->id, call);
}

/* An intent without a payment method is final for us: no other method will be given to it. */
static void read_intent(const struct payment_call *call, const struct intent *intent, struct payment_result *ret) {
  bool partial = intent->amount_received != BUS_NO_INT64 && intent->amount_received != call->amount;
  set_text(ret->psp_id, sizeof ret->psp_id, intent->id);
  if (!is_as_meant(intent, call) || (partial && bus_str_is(intent->status, "succeeded")))
    conclude(ret, PAYMENT_ON_SUSPECT, BUS_STR("mismatch"));
  else if (bus_str_is(intent->status, "succeeded"))
    conclude(ret, PAYMENT_ON_CAPTURED, BUS_STR(""));
  else if (bus_str_is(intent->status, "requires_payment_method") && intent->last_payment_error)
    read_charge_failure(200, intent->last_payment_error, ret);
  else if (bus_str_is(intent->status, "requires_payment_method") || bus_str_is(intent->status, "canceled"))
    conclude(ret, PAYMENT_ON_REFUSED, intent->status);
  else
    conclude_pending(ret, intent->id, intent->status);
}

static void read_refund(const struct payment_call *call, const struct refund_object *refund,
                        struct payment_result *ret) {
  bool as_meant = refund->amount == call->amount && same_currency(refund->currency, call->currency) &&
                  bus_str_is(refund->payment_intent, call->psp_id) && is_the_one_read(refund->id, call);
  set_text(ret->psp_id, sizeof ret->psp_id, refund->id);
  if (!as_meant)
    conclude(ret, PAYMENT_ON_SUSPECT, BUS_STR("mismatch"));
  else if (bus_str_is(refund->status, "succeeded"))
    conclude(ret, PAYMENT_ON_REFUNDED, BUS_STR(""));
  else if (bus_str_is(refund->status, "failed") || bus_str_is(refund->status, "canceled"))
    conclude(ret, PAYMENT_ON_NOT_REFUNDED, refund->status);
  else
    conclude_pending(ret, refund->id, refund->status);
}

static bool read_success(const struct payment_call *call, struct bus_str body, struct bus_arena *arena,
                         struct payment_result *ret) {
  struct intent intent;
  struct refund_object refund;
  if (call->kind == PAYMENT_CALL_CHARGE && parse(&intent_schema, body, arena, &intent))
    read_intent(call, &intent, ret);
  else if (call->kind == PAYMENT_CALL_REFUND && parse(&refund_schema, body, arena, &refund))
    read_refund(call, &refund, ret);
  else {
    unsure(ret, "unreadable");
    return false;
  }
  return true;
}

/* ---- refusals ---- */

/* Less is left than we know of: by an earlier key, whose answer was lost; or by someone else. */
static void read_too_much(const struct payment_call *call, const struct failure *failure, struct payment_result *ret) {
  set_text(ret->psp_id, sizeof ret->psp_id, failure->code);
  if (call->is_rest)
    conclude(ret, PAYMENT_ON_REFUNDED, BUS_STR(""));
  else
    conclude(ret, PAYMENT_ON_SUSPECT, BUS_STR("mismatch"));
}

static void read_refund_failure(const struct payment_call *call, const struct failure *failure,
                                struct payment_result *ret) {
  if (failure->code.data && bus_str_is(failure->code, "charge_already_refunded")) {
    read_too_much(call, failure, ret);
  } else {
    conclude(ret, PAYMENT_ON_NOT_REFUNDED, first_of(failure->code, failure->type));
  }
}

static bool is_of_the_request(const struct failure *failure) {
  return bus_str_is(failure->type, "card_error") || bus_str_is(failure->type, "invalid_request_error");
}

static bool read_failure(const struct payment_call *call, const struct bus_http_result *answer, struct bus_arena *arena,
                         struct payment_result *ret) {
  struct failure_document document;
  if (!parse(&document_schema, answer->body, arena, &document)) {
    unsure(ret, "unreadable");
    return false;
  }
  const struct failure *failure = document.error;
  if (call->read_id[0]) /* of the reading, not of the object */
    conclude(ret, PAYMENT_ON_UNSURE, first_of(failure->code, failure->type));
  else if (bus_str_is(failure->type, "idempotency_error"))
    conclude(ret, PAYMENT_ON_SUSPECT, failure->type); /* the key was used for something else */
  else if (!is_of_the_request(failure) || (answer->status == 404 && !failure->code.data))
    conclude(ret, PAYMENT_ON_UNSURE, failure->type); /* a 404 without a code: of the path, not of what we sent */
  else if (call->kind == PAYMENT_CALL_CHARGE)
    read_charge_failure(answer->status, failure, ret);
  else
    read_refund_failure(call, failure, ret);
  return true;
}

/* Statuses that say nothing about the payment: of us (401, 403), of the moment (408, 409, 425, 429), of the server. */
static bool is_indefinite(int status) {
  switch (status) {
  case 401:
  case 403:
  case 408:
  case 409:
  case 425:
  case 429:
    return true;
  default:
    return status < 200 || (status >= 300 && status < 400) || status >= 500;
  }
}

bool psp_response_read(const struct payment_call *call, const struct bus_http_result *answer, struct bus_arena *arena,
                       struct payment_result *ret) {
  *ret = result_of(call, PAYMENT_ON_UNSURE);
  if (answer->outcome != BUS_HTTP_ANSWERED) {
    unsure(ret, answer->outcome == BUS_HTTP_NOT_SENT ? "not_sent" : "no_answer");
    return false;
  }
  if (answer->retry_after_s > 0)
    ret->wait = (answer->retry_after_s < 86400 ? answer->retry_after_s : 86400) * BUS_SECOND;
  if (is_indefinite(answer->status)) {
    (void)snprintf(ret->reason, sizeof ret->reason, "http_%d", answer->status); /* fits */
    return answer->status >= 400 && answer->status < 500;
  }
  if (answer->status < 300)
    return read_success(call, answer->body, arena, ret);
  return read_failure(call, answer, arena, ret);
}

void psp_response_not_started(const struct payment_call *call, int64_t wait, const char *reason,
                              struct payment_result *ret) {
  *ret = result_of(call, PAYMENT_ON_NOT_STARTED);
  ret->wait = wait;
  set_text(ret->reason, sizeof ret->reason, bus_str(reason));
}
