/* The messages that payment-svc takes, sends and answers: field tables and types. */
#include "payment_messages.h"

#include <bus/pong.h>
#include <bus/trail.h>

#define ORDER_ID(S) BUS_FIELD_UUID(S, order_id, BUS_REQUIRED, "the order")
#define ATTEMPT(S)                                                                                                     \
  BUS_FIELD_INT64(S, attempt, 1, PAYMENT_ATTEMPTS_MAX, BUS_OPTIONAL, "of an order that is paid later: 1, 2, …")

static const struct bus_field charge_fields[] = {
    ORDER_ID(struct payment_charge),
    BUS_FIELD_INT64(struct payment_charge, amount, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    BUS_FIELD_STRING(struct payment_charge, currency, BUS_TOKEN, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN,
                     BUS_REQUIRED, "ISO 4217"),
    BUS_FIELD_STRING(struct payment_charge, token, BUS_TOKEN, 1, PAYMENT_TOKEN_MAX, BUS_REQUIRED, "the PSP's token"),
    ATTEMPT(struct payment_charge),
};
const struct bus_schema payment_charge_schema = BUS_SCHEMA("payment.charge", struct payment_charge, charge_fields);

static const struct bus_field refund_fields[] = {ORDER_ID(struct payment_refund), ATTEMPT(struct payment_refund)};
const struct bus_schema payment_refund_schema = BUS_SCHEMA("payment.refund", struct payment_refund, refund_fields);

#define REFUND_REASON(S)                                                                                               \
  BUS_FIELD_STRING(S, reason, BUS_TEXT, 1, PAYMENT_REFUND_REASON_MAX, BUS_OPTIONAL, "the operator's reason")
#define RESTOCK(S) BUS_FIELD_BOOL(S, restock, BUS_OPTIONAL, "what was sold is put back into stock")
static const struct bus_field refund_part_fields[] = {
    BUS_FIELD_UUID(struct payment_refund_part, refund_id, BUS_REQUIRED, "of the client's key"),
    ORDER_ID(struct payment_refund_part),
    BUS_FIELD_INT64(struct payment_refund_part, amount, 1, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "in minor units; all that is left"),
    REFUND_REASON(struct payment_refund_part),
    RESTOCK(struct payment_refund_part),
};
const struct bus_schema payment_refund_part_schema =
    BUS_SCHEMA("payment.refund-part", struct payment_refund_part, refund_part_fields);
static const struct bus_field check_fields[] = {
    ORDER_ID(struct payment_check),
    BUS_FIELD_STRING(struct payment_check, psp_id, BUS_TOKEN, 1, PAYMENT_PSP_ID_MAX, BUS_REQUIRED,
                     "the payment intent or refund that has changed"),
};
const struct bus_schema payment_check_schema = BUS_SCHEMA("payment.check", struct payment_check, check_fields);
static const struct bus_field dispute_fields[] = {
    BUS_FIELD_STRING(struct payment_dispute, dispute_id, BUS_TOKEN, 1, PAYMENT_PSP_ID_MAX, BUS_REQUIRED, "the dispute"),
    BUS_FIELD_STRING(struct payment_dispute, psp_id, BUS_TOKEN, 1, PAYMENT_PSP_ID_MAX, BUS_REQUIRED,
                     "the payment intent that was charged"),
    BUS_FIELD_INT64(struct payment_dispute, amount, 0, BUS_JSON_INT_MAX, BUS_REQUIRED,
                    "what is disputed, in minor units"),
    BUS_FIELD_STRING(struct payment_dispute, currency, BUS_TOKEN, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN,
                     BUS_REQUIRED, "ISO 4217"),
    BUS_FIELD_STRING(struct payment_dispute, reason, BUS_TOKEN, 1, PAYMENT_DISPUTE_WORD_MAX, BUS_REQUIRED,
                     "the provider's word for why: fraudulent, product_not_received, …"),
    BUS_FIELD_STRING(struct payment_dispute, status, BUS_TOKEN, 1, PAYMENT_DISPUTE_WORD_MAX, BUS_REQUIRED,
                     "the provider's word: needs_response, under_review, won, lost, …"),
    BUS_FIELD_TIME(struct payment_dispute, at, BUS_REQUIRED, "when the provider says so"),
};
const struct bus_schema payment_dispute_schema = BUS_SCHEMA("payment.dispute", struct payment_dispute, dispute_fields);

static const struct bus_field event_fields[] = {
    ORDER_ID(struct payment_event),
    BUS_FIELD_INT64(struct payment_event, amount, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    BUS_FIELD_STRING(struct payment_event, currency, BUS_TOKEN, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN,
                     BUS_OPTIONAL, "ISO 4217"),
    BUS_FIELD_INT64(struct payment_event, left, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "refunded: what is still captured; nothing"),
    ATTEMPT(struct payment_event),
};
const struct bus_schema payment_event_schema = BUS_SCHEMA("payment event", struct payment_event, event_fields);

static const struct bus_field refusal_fields[] = {
    ORDER_ID(struct payment_refusal),
    BUS_FIELD_STRING(struct payment_refusal, reason, BUS_TOKEN, 1, PAYMENT_REASON_MAX, BUS_REQUIRED, "why"),
    ATTEMPT(struct payment_refusal),
};
const struct bus_schema payment_refusal_schema = BUS_SCHEMA("payment refusal", struct payment_refusal, refusal_fields);

static const struct bus_field get_fields[] = {ORDER_ID(struct payment_get)};
const struct bus_schema payment_get_schema = BUS_SCHEMA("payment.get", struct payment_get, get_fields);

const char *const refund_status_names[] = {"pending", "succeeded", NULL};
static const struct bus_field refund_view_fields[] = {
    BUS_FIELD_UUID(struct refund_view, refund_id, BUS_REQUIRED, "the refund"),
    ORDER_ID(struct refund_view),
    BUS_FIELD_ENUM(struct refund_view, status, refund_status_names, BUS_REQUIRED,
                   "succeeded: the provider has carried it out"),
    BUS_FIELD_INT64(struct refund_view, amount, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    BUS_FIELD_STRING(struct refund_view, currency, BUS_TOKEN, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN, BUS_REQUIRED,
                     "ISO 4217"),
    REFUND_REASON(struct refund_view),
    RESTOCK(struct refund_view),
    BUS_FIELD_TIME(struct refund_view, created_at, BUS_REQUIRED, "when it was accepted"),
};
const struct bus_schema refund_view_schema = BUS_SCHEMA("refund", struct refund_view, refund_view_fields);

static const struct bus_field payment_view_fields[] = {
    BUS_FIELD_UUID(struct payment_view, payment_id, BUS_REQUIRED,
                   "the payment: the id of its order; of an order that is paid later, an attempt's own"),
    ORDER_ID(struct payment_view),
    ATTEMPT(struct payment_view),
    BUS_FIELD_STRING(struct payment_view, status, BUS_TOKEN, 1, 32, BUS_REQUIRED, "where the payment is"),
    BUS_FIELD_INT64(struct payment_view, amount, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    BUS_FIELD_STRING(struct payment_view, currency, BUS_TOKEN, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN, BUS_OPTIONAL,
                     "ISO 4217; null if it was never charged"),
    BUS_FIELD_INT64(struct payment_view, refunded, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "what came back, in minor units"),
    BUS_FIELD_INT64(struct payment_view, refundable, 0, BUS_JSON_INT_MAX, BUS_REQUIRED,
                    "what a refund may ask for now, in minor units"),
    BUS_FIELD_ARRAY(struct payment_view, refunds, refund_count, struct refund_view, &refund_view_schema, 0,
                    PAYMENT_REFUNDS_MAX, BUS_REQUIRED, "refunds that operators asked for, oldest first"),
    BUS_FIELD_INT64(struct payment_view, version, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "+1 by each change"),
};
const struct bus_schema payment_view_schema = BUS_SCHEMA("payment", struct payment_view, payment_view_fields);

static const struct bus_field list_fields[] = {
    BUS_FIELD_UUID(struct refund_list, cursor, BUS_OPTIONAL, "the last payment of the page before"),
    BUS_FIELD_INT64(struct refund_list, limit, 1, REFUND_PAGE_MAX, BUS_REQUIRED, "how many at most"),
};
const struct bus_schema refund_list_schema = BUS_SCHEMA("refund.list", struct refund_list, list_fields);

const char *const open_refund_status_names[] = {"called", "failing", "at_provider", "unknown", NULL};
static const struct bus_field open_refund_fields[] = {
    BUS_FIELD_UUID(struct open_refund, payment_id, BUS_REQUIRED, "the payment"),
    ORDER_ID(struct open_refund),
    BUS_FIELD_UUID(struct open_refund, refund_id, BUS_OPTIONAL,
                   "the refund that an operator asked for; null if the order is being undone"),
    BUS_FIELD_ENUM(struct open_refund, status, open_refund_status_names, BUS_REQUIRED,
                   "called: no call has failed; failing: a call has failed and is repeated; at_provider: the provider "
                   "has it, and has not carried it out; unknown: an operator must settle it"),
    BUS_FIELD_INT64(struct open_refund, amount, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    BUS_FIELD_STRING(struct open_refund, currency, BUS_TOKEN, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN, BUS_OPTIONAL,
                     "ISO 4217"),
    BUS_FIELD_INT64(struct open_refund, attempts, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "calls of the provider so far"),
    BUS_FIELD_STRING(struct open_refund, reason, BUS_TOKEN, 1, PAYMENT_REASON_MAX, BUS_OPTIONAL, "why it is unknown"),
    BUS_FIELD_STRING(struct open_refund, psp_id, BUS_TOKEN, 1, PAYMENT_PSP_ID_MAX, BUS_OPTIONAL,
                     "the provider's payment intent"),
    BUS_FIELD_TIME(struct open_refund, since, BUS_OPTIONAL, "when the provider was first called for it"),
    BUS_FIELD_TIME(struct open_refund, next_at, BUS_OPTIONAL, "when it is called or read next"),
};
static const struct bus_schema open_refund_schema = BUS_SCHEMA("open refund", struct open_refund, open_refund_fields);
static const struct bus_field page_fields[] = {
    BUS_FIELD_ARRAY(struct refund_page, items, item_count, struct open_refund, &open_refund_schema, 0, REFUND_PAGE_MAX,
                    BUS_REQUIRED, "refunds by payment; one of each, behind which others of the same payment wait"),
    BUS_FIELD_UUID(struct refund_page, next_cursor, BUS_OPTIONAL, "null at the end"),
};
const struct bus_schema refund_page_schema = BUS_SCHEMA("refund.page", struct refund_page, page_fields);

const char *const payment_outcome_names[] = {"found",     "not_found",      "accepted",      "replayed", "key_reused",
                                             "too_large", "not_refundable", "uneven_amount", NULL};
static const struct bus_field answer_fields[] = {
    BUS_FIELD_ENUM(struct payment_answer, outcome, payment_outcome_names, BUS_REQUIRED, "what became of the request"),
    BUS_FIELD_OBJECT(struct payment_answer, payment, struct payment_view, &payment_view_schema, BUS_OPTIONAL,
                     "the payment; of an order that is paid later, the last attempt"),
    BUS_FIELD_ARRAY(struct payment_answer, payments, payment_count, struct payment_view, &payment_view_schema, 0,
                    PAYMENT_ATTEMPTS_MAX, BUS_OPTIONAL, "all payments of the order, the first attempt first"),
    BUS_FIELD_OBJECT(struct payment_answer, refund, struct refund_view, &refund_view_schema, BUS_OPTIONAL,
                     "the refund"),
};
const struct bus_schema payment_answer_schema = BUS_SCHEMA("payment.answer", struct payment_answer, answer_fields);

static const struct bus_field ping_fields[] = {
    BUS_FIELD_BOOL(struct payment_ping, deep, BUS_OPTIONAL, "reserved"),
};
const struct bus_schema payment_ping_schema = BUS_SCHEMA("ping", struct payment_ping, ping_fields);

const struct bus_message_type payment_charge_type =
    BUS_COMMAND("payment.charge.v1", &payment_charge_schema, "order-svc");
const struct bus_message_type payment_refund_type =
    BUS_COMMAND("payment.refund.v1", &payment_refund_schema, "order-svc");
const struct bus_message_type payment_refund_part_type =
    BUS_COMMAND("payment.refund-part.v1", &payment_refund_part_schema, "edge");
const struct bus_message_type payment_check_type = BUS_COMMAND("payment.check.v1", &payment_check_schema, "edge");
const struct bus_message_type payment_dispute_type = BUS_COMMAND("payment.dispute.v1", &payment_dispute_schema, "edge");
const struct bus_message_type payment_captured_type =
    BUS_EVENT("payment.captured.v1", &payment_event_schema, "payment-svc");
const struct bus_message_type payment_refunded_type =
    BUS_EVENT("payment.refunded.v1", &payment_event_schema, "payment-svc");
const struct bus_message_type payment_declined_type =
    BUS_EVENT("payment.declined.v1", &payment_refusal_schema, "payment-svc");
const struct bus_message_type payment_failed_type =
    BUS_EVENT("payment.failed.v1", &payment_refusal_schema, "payment-svc");
const struct bus_message_type payment_get_type = BUS_QUERY("payment.get.v1", &payment_get_schema, "edge");
const struct bus_message_type refund_list_type = BUS_QUERY("refund.list.v1", &refund_list_schema, "edge");
const struct bus_message_type refund_page_type = BUS_ANSWER("refund.page.v1", &refund_page_schema);
const struct bus_message_type payment_answer_type = BUS_ANSWER("payment.answer.v1", &payment_answer_schema);
const struct bus_message_type payment_ping_type = BUS_QUERY("payment.ping.v1", &payment_ping_schema, "edge");
const struct bus_message_type payment_trail_type = BUS_TRAIL_QUERY("payment.trail.v1", "edge");
const struct bus_message_type payment_pong_type = BUS_ANSWER("payment.pong.v1", &bus_pong_schema);

/* The namespace of refund ids; a constant forever. */
static const struct bus_uuid refund_namespace = {
    {0x72, 0x65, 0x66, 0x75, 0x6e, 0x64, 0x45, 0x75, 0x8e, 0x10, 0x72, 0x65, 0x66, 0x75, 0x6e, 0x64}};

void payment_refund_id_of(struct bus_str key, struct bus_uuid *ret) {
  bus_uuid_v5(&refund_namespace, key, ret);
}
