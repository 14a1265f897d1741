/* The messages that payment-svc takes, sends and answers: field tables and types. */
#include "payment_messages.h"

#include <bus/pong.h>

#define ORDER_ID(S) BUS_FIELD_UUID(S, order_id, BUS_REQUIRED, "the order")

static const struct bus_field charge_fields[] = {
    ORDER_ID(struct payment_charge),
    BUS_FIELD_INT64(struct payment_charge, amount, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    BUS_FIELD_STRING(struct payment_charge, currency, BUS_TOKEN, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN,
                     BUS_REQUIRED, "ISO 4217"),
    BUS_FIELD_STRING(struct payment_charge, token, BUS_TOKEN, 1, PAYMENT_TOKEN_MAX, BUS_REQUIRED, "the PSP's token"),
};
const struct bus_schema payment_charge_schema = BUS_SCHEMA("payment.charge", struct payment_charge, charge_fields);

static const struct bus_field refund_fields[] = {ORDER_ID(struct payment_refund)};
const struct bus_schema payment_refund_schema = BUS_SCHEMA("payment.refund", struct payment_refund, refund_fields);

static const struct bus_field event_fields[] = {
    ORDER_ID(struct payment_event),
    BUS_FIELD_INT64(struct payment_event, amount, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    BUS_FIELD_STRING(struct payment_event, currency, BUS_TOKEN, PAYMENT_CURRENCY_LEN, PAYMENT_CURRENCY_LEN,
                     BUS_OPTIONAL, "ISO 4217"),
};
const struct bus_schema payment_event_schema = BUS_SCHEMA("payment event", struct payment_event, event_fields);

static const struct bus_field refusal_fields[] = {
    ORDER_ID(struct payment_refusal),
    BUS_FIELD_STRING(struct payment_refusal, reason, BUS_TOKEN, 1, PAYMENT_REASON_MAX, BUS_REQUIRED, "why"),
};
const struct bus_schema payment_refusal_schema = BUS_SCHEMA("payment refusal", struct payment_refusal, refusal_fields);

static const struct bus_field ping_fields[] = {
    BUS_FIELD_BOOL(struct payment_ping, deep, BUS_OPTIONAL, "reserved"),
};
const struct bus_schema payment_ping_schema = BUS_SCHEMA("ping", struct payment_ping, ping_fields);

const struct bus_message_type payment_charge_type =
    BUS_COMMAND("payment.charge.v1", &payment_charge_schema, "order-svc");
const struct bus_message_type payment_refund_type =
    BUS_COMMAND("payment.refund.v1", &payment_refund_schema, "order-svc");
const struct bus_message_type payment_captured_type =
    BUS_EVENT("payment.captured.v1", &payment_event_schema, "payment-svc");
const struct bus_message_type payment_refunded_type =
    BUS_EVENT("payment.refunded.v1", &payment_event_schema, "payment-svc");
const struct bus_message_type payment_declined_type =
    BUS_EVENT("payment.declined.v1", &payment_refusal_schema, "payment-svc");
const struct bus_message_type payment_failed_type =
    BUS_EVENT("payment.failed.v1", &payment_refusal_schema, "payment-svc");
const struct bus_message_type payment_ping_type = BUS_QUERY("payment.ping.v1", &payment_ping_schema, "edge");
const struct bus_message_type payment_pong_type = BUS_ANSWER("payment.pong.v1", &bus_pong_schema);
