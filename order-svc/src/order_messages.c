/* The messages that order-svc takes, sends and answers: field tables and types. */
#include "order_messages.h"

#include <bus/pong.h>
#include <bus/trail.h>

#include <inttypes.h>
#include <stdio.h>

const char *const order_status_names[] = {
    "PENDING", "RESERVED", "PAID", "COMPENSATING", "CONFIRMED", "REJECTED", "CANCELLED", "AWAITING_PAYMENT", NULL};

bool order_status_is_final(int status) {
  return status == ORDER_CONFIRMED || status == ORDER_REJECTED || status == ORDER_CANCELLED;
}

const char *const order_outcome_names[] = {
    "accepted",        "replayed",    "key_reused",      "found",     "not_found",
    "cancel_accepted", "cancel_done", "cancel_too_late", "final",     "left_out",
    "pay_accepted",    "pay_not_due", "pay_open",        "pay_spent", NULL};

#define ORDER_ID(S) BUS_FIELD_UUID(S, order_id, BUS_REQUIRED, "the order")

static const struct bus_field item_fields[] = {
    BUS_FIELD_STRING(struct order_item, product_id, BUS_TOKEN, 1, 64, BUS_REQUIRED, "product"),
    BUS_FIELD_INT64(struct order_item, quantity, 1, ORDER_QUANTITY_MAX, BUS_REQUIRED, "how many"),
    BUS_FIELD_INT64(struct order_item, unit_price, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "price of one in minor units, locked at reservation"),
};
const struct bus_schema order_item_schema = BUS_SCHEMA("order_item", struct order_item, item_fields);

enum { HIDDEN = 1 }; /* so many first rows are not shown to clients */
static const struct bus_field request_fields[] = {
    BUS_FIELD_INT64(struct order_request, expected_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "what the order must cost, in minor units"),
};
const struct bus_schema order_request_schema = BUS_SCHEMA("order request", struct order_request, request_fields);
const struct bus_schema order_shown_schema = {"shown request", sizeof(struct order_request), request_fields + HIDDEN,
                                              BUS_COUNT(request_fields) - HIDDEN};

static const struct bus_field view_fields[] = {
    ORDER_ID(struct order_view),
    ORDER_CUSTOMER(struct order_view, BUS_REQUIRED),
    BUS_FIELD_ENUM(struct order_view, status, order_status_names, BUS_REQUIRED, "where the order is"),
    BUS_FIELD_STRING(struct order_view, reason, BUS_TEXT, 1, ORDER_REASON_MAX, BUS_OPTIONAL,
                     "why it was rejected or cancelled"),
    ORDER_ITEMS(struct order_view, BUS_REQUIRED, "what is ordered"),
    BUS_FIELD_INT64(struct order_view, total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "in minor units; null until RESERVED"),
    ORDER_CURRENCY(struct order_view, BUS_OPTIONAL, "ISO 4217; null until RESERVED"),
    BUS_FIELD_INT64(struct order_view, refunded, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "what came back, in minor units"),
    BUS_FIELD_TIME(struct order_view, created_at, BUS_REQUIRED, "when it was placed"),
    BUS_FIELD_TIME(struct order_view, updated_at, BUS_REQUIRED, "when it last changed"),
    BUS_FIELD_INT64(struct order_view, version, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "seq of its last event"),
    BUS_FIELD_TIME(struct order_view, pay_by, BUS_OPTIONAL,
                   "AWAITING_PAYMENT: when the order is cancelled unless it is paid; else null"),
    BUS_FIELD_EMBED(struct order_view, request, struct order_request, &order_shown_schema),
};
const struct bus_schema order_view_schema = BUS_SCHEMA("order", struct order_view, view_fields);

static const struct bus_field place_fields[] = {
    ORDER_ID(struct order_place),
    ORDER_CUSTOMER(struct order_place, BUS_REQUIRED),
    ORDER_ITEMS(struct order_place, BUS_REQUIRED, "what is ordered"),
    BUS_FIELD_STRING(struct order_place, payment_token, BUS_TOKEN, 1, ORDER_TOKEN_MAX, BUS_OPTIONAL,
                     "the PSP's token; absent if it is paid later"),
    BUS_FIELD_BOOL(struct order_place, pay_later, BUS_OPTIONAL, "order.pay follows"),
    BUS_FIELD_EMBED(struct order_place, request, struct order_request, &order_request_schema),
    ORDER_REQUEST_HASH(struct order_place),
    BUS_FIELD_INT64(struct order_place, wait_ms, 0, 60000, BUS_OPTIONAL, "how long the client waits for a final state"),
};
const struct bus_schema order_place_schema = BUS_SCHEMA("order.place", struct order_place, place_fields);

static const struct bus_field cancel_fields[] = {
    ORDER_ID(struct order_cancel),
    ORDER_CUSTOMER(struct order_cancel, BUS_OPTIONAL),
    BUS_FIELD_STRING(struct order_cancel, reason, BUS_TEXT, 1, ORDER_CANCEL_REASON_MAX, BUS_OPTIONAL,
                     "the customer's reason"),
    BUS_FIELD_BOOL(struct order_cancel, accepted, BUS_OPTIONAL, "the order was accepted on the broker's confirm alone"),
};
const struct bus_schema order_cancel_schema = BUS_SCHEMA("order.cancel", struct order_cancel, cancel_fields);

static const struct bus_field pay_fields[] = {
    ORDER_ID(struct order_pay),
    ORDER_CUSTOMER(struct order_pay, BUS_OPTIONAL),
    BUS_FIELD_UUID(struct order_pay, pay_id, BUS_REQUIRED, "the same for every try of one request"),
    BUS_FIELD_STRING(struct order_pay, payment_token, BUS_TOKEN, 1, ORDER_TOKEN_MAX, BUS_REQUIRED, "the PSP's token"),
    ORDER_REQUEST_HASH(struct order_pay),
};
const struct bus_schema order_pay_schema = BUS_SCHEMA("order.pay", struct order_pay, pay_fields);

static const struct bus_field answer_fields[] = {
    BUS_FIELD_ENUM(struct order_answer, outcome, order_outcome_names, BUS_REQUIRED, "what became of the request"),
    BUS_FIELD_OBJECT(struct order_answer, order, struct order_view, &order_view_schema, BUS_OPTIONAL, "the order"),
};
const struct bus_schema order_answer_schema = BUS_SCHEMA("order.answer", struct order_answer, answer_fields);

static const struct bus_field get_fields[] = {
    ORDER_ID(struct order_get),
    ORDER_CUSTOMER(struct order_get, BUS_OPTIONAL),
};
const struct bus_schema order_get_schema = BUS_SCHEMA("order.get", struct order_get, get_fields);

static const struct bus_field get_many_fields[] = {
    BUS_FIELD_ARRAY(struct order_get_many, orders, order_count, struct order_get, &order_get_schema, 1,
                    ORDER_GET_MANY_MAX, BUS_REQUIRED, "the orders"),
};
const struct bus_schema order_get_many_schema = BUS_SCHEMA("order.get-many", struct order_get_many, get_many_fields);

static const struct bus_field change_fields[] = {
    BUS_FIELD_UUID(struct order_change, order_id, BUS_REQUIRED, "the order"),
    BUS_FIELD_INT64(struct order_change, version, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "counts its changes"),
    BUS_FIELD_ENUM(struct order_change, status, order_status_names, BUS_REQUIRED, "its status now"),
};
const struct bus_schema order_change_schema = BUS_SCHEMA("order_change", struct order_change, change_fields);

static const struct bus_field changes_fields[] = {
    BUS_FIELD_ARRAY(struct order_changes, orders, order_count, struct order_change, &order_change_schema, 1,
                    ORDER_CHANGES_MAX, BUS_REQUIRED, "orders that have changed"),
};
const struct bus_schema order_changes_schema = BUS_SCHEMA("order.changed", struct order_changes, changes_fields);

static const struct bus_field answers_fields[] = {
    BUS_FIELD_ARRAY(struct order_answers, answers, answer_count, struct order_answer, &order_answer_schema, 1,
                    ORDER_GET_MANY_MAX, BUS_REQUIRED, "one for each order that was asked for, in that order"),
};
const struct bus_schema order_answers_schema = BUS_SCHEMA("order.answers", struct order_answers, answers_fields);

static const struct bus_field list_fields[] = {
    ORDER_CUSTOMER(struct order_list, BUS_OPTIONAL),
    BUS_FIELD_ENUM(struct order_list, status, order_status_names, BUS_OPTIONAL, "only orders in this status"),
    BUS_FIELD_STRING(struct order_list, cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL, "begin behind it"),
    BUS_FIELD_INT64(struct order_list, limit, 1, ORDER_PAGE_MAX, BUS_REQUIRED, "how many at most"),
};
const struct bus_schema order_list_schema = BUS_SCHEMA("order.list", struct order_list, list_fields);

static const struct bus_field page_fields[] = {
    BUS_FIELD_ARRAY(struct order_page, items, item_count, struct order_view, &order_view_schema, 0, ORDER_PAGE_MAX,
                    BUS_REQUIRED, "orders, newest first"),
    BUS_FIELD_STRING(struct order_page, next_cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL,
                     "where the next page begins; null at the end"),
};
const struct bus_schema order_page_schema = BUS_SCHEMA("order.page", struct order_page, page_fields);

static const struct bus_field events_get_fields[] = {
    ORDER_ID(struct order_events_get),
    ORDER_CUSTOMER(struct order_events_get, BUS_OPTIONAL),
    BUS_FIELD_INT64(struct order_events_get, after_seq, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "begin behind it"),
    BUS_FIELD_INT64(struct order_events_get, limit, 1, ORDER_PAGE_MAX, BUS_REQUIRED, "how many at most"),
};
const struct bus_schema order_events_get_schema =
    BUS_SCHEMA("order.events", struct order_events_get, events_get_fields);

static const struct bus_field event_view_fields[] = {
    BUS_FIELD_INT64(struct order_event_view, seq, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "1, 2, … within the order"),
    BUS_FIELD_STRING(struct order_event_view, type, BUS_TOKEN, 1, BUS_TYPE_MAX, BUS_REQUIRED, "what happened"),
    BUS_FIELD_TIME(struct order_event_view, at, BUS_REQUIRED, "when it was committed"),
    BUS_FIELD_JSON(struct order_event_view, data, 65536, BUS_REQUIRED, "its data"),
};
const struct bus_schema order_event_view_schema = BUS_SCHEMA("event", struct order_event_view, event_view_fields);

static const struct bus_field history_fields[] = {
    BUS_FIELD_ENUM(struct order_history, outcome, order_outcome_names, BUS_REQUIRED, "found or not_found"),
    BUS_FIELD_ARRAY(struct order_history, items, item_count, struct order_event_view, &order_event_view_schema, 0,
                    ORDER_PAGE_MAX, BUS_REQUIRED, "events, oldest first"),
    BUS_FIELD_INT64(struct order_history, next_after_seq, 1, BUS_JSON_INT_MAX, BUS_OPTIONAL, "null at the end"),
};
const struct bus_schema order_history_schema = BUS_SCHEMA("order.history", struct order_history, history_fields);

static const struct bus_field ping_fields[] = {
    BUS_FIELD_BOOL(struct order_ping, deep, BUS_OPTIONAL, "reserved"),
};
const struct bus_schema order_ping_schema = BUS_SCHEMA("ping", struct order_ping, ping_fields);

static const struct bus_field pong_fields[] = {
    BUS_FIELD_INT64(struct order_pong, outbox_age_ms, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "of the oldest message that the broker has not taken"),
    BUS_FIELD_INT64(struct order_pong, intake_closed_ms, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "since when new orders wait in their queue; 0: they are taken"),
    BUS_PONG_FIELD(struct order_pong),
};
const struct bus_schema order_pong_schema = BUS_SCHEMA("pong", struct order_pong, pong_fields);

#define PLACED_AT(S) BUS_FIELD_TIME(S, placed_at, BUS_OPTIONAL, "when the order was placed")
#define COMMITTED_AT(S) BUS_FIELD_TIME(S, at, BUS_OPTIONAL, "when this was committed")

static const struct bus_field event_fields[] = {
    ORDER_ID(struct order_event),
    ORDER_CUSTOMER(struct order_event, BUS_REQUIRED),
    ORDER_ITEMS(struct order_event, BUS_OPTIONAL, "what is ordered"),
    BUS_FIELD_INT64(struct order_event, total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "in minor units"),
    ORDER_CURRENCY(struct order_event, BUS_OPTIONAL, "ISO 4217"),
    BUS_FIELD_STRING(struct order_event, reason, BUS_TEXT, 1, ORDER_REASON_MAX, BUS_OPTIONAL, "why"),
    PLACED_AT(struct order_event),
    COMMITTED_AT(struct order_event),
};
const struct bus_schema order_event_schema = BUS_SCHEMA("order event", struct order_event, event_fields);

static const struct bus_field refunded_fields[] = {
    ORDER_ID(struct order_refunded),
    ORDER_CUSTOMER(struct order_refunded, BUS_REQUIRED),
    BUS_FIELD_INT64(struct order_refunded, refunded, 1, BUS_JSON_INT_MAX, BUS_REQUIRED,
                    "all that went back so far, in minor units"),
    BUS_FIELD_INT64(struct order_refunded, total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "of the order, in minor units"),
    ORDER_CURRENCY(struct order_refunded, BUS_OPTIONAL, "ISO 4217"),
    PLACED_AT(struct order_refunded),
    COMMITTED_AT(struct order_refunded),
};
const struct bus_schema order_refunded_schema = BUS_SCHEMA("order refunded", struct order_refunded, refunded_fields);

const struct bus_message_type order_place_type = BUS_COMMAND("order.place.v1", &order_place_schema, "edge");
const struct bus_message_type order_cancel_type = BUS_COMMAND("order.cancel.v1", &order_cancel_schema, "edge");
const struct bus_message_type order_pay_type = BUS_COMMAND("order.pay.v1", &order_pay_schema, "edge");
const struct bus_message_type order_get_type = BUS_QUERY("order.get.v1", &order_get_schema, "edge");
const struct bus_message_type order_get_many_type = BUS_QUERY("order.get-many.v1", &order_get_many_schema, "edge");
const struct bus_message_type order_list_type = BUS_QUERY("order.list.v1", &order_list_schema, "edge");
const struct bus_message_type order_events_get_type = BUS_QUERY("order.events.v1", &order_events_get_schema, "edge");
const struct bus_message_type order_ping_type = BUS_QUERY("order.ping.v1", &order_ping_schema, "edge");
const struct bus_message_type order_trail_type = BUS_TRAIL_QUERY("order.trail.v1", "edge");
const struct bus_message_type order_changed_type = BUS_NOTICE("order.changed.v1", &order_changes_schema, "order-svc");
const struct bus_message_type order_answer_type = BUS_ANSWER("order.answer.v1", &order_answer_schema);
const struct bus_message_type order_answers_type = BUS_ANSWER("order.answers.v1", &order_answers_schema);
const struct bus_message_type order_page_type = BUS_ANSWER("order.page.v1", &order_page_schema);
const struct bus_message_type order_history_type = BUS_ANSWER("order.history.v1", &order_history_schema);
const struct bus_message_type order_pong_type = BUS_ANSWER("order.pong.v1", &order_pong_schema);
const struct bus_message_type order_created_type = BUS_EVENT("order.created.v1", &order_event_schema, "order-svc");
const struct bus_message_type order_confirmed_type = BUS_EVENT("order.confirmed.v1", &order_event_schema, "order-svc");
const struct bus_message_type order_rejected_type = BUS_EVENT("order.rejected.v1", &order_event_schema, "order-svc");
const struct bus_message_type order_cancelled_type = BUS_EVENT("order.cancelled.v1", &order_event_schema, "order-svc");
const struct bus_message_type order_refunded_type = BUS_EVENT("order.refunded.v1", &order_refunded_schema, "order-svc");

void order_cursor_format(bus_time created_at, const struct bus_uuid *order_id, char text[ORDER_CURSOR_TEXT]) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(order_id, id);
  (void)snprintf(text, ORDER_CURSOR_TEXT, "%" PRId64 ".%s", created_at, id); /* 20 + 1 + 36 bytes at most */
}

bool order_cursor_parse(struct bus_str text, bus_time *ret_created_at, struct bus_uuid *ret_order_id) {
  size_t digits = 0;
  bus_time created_at = 0;
  while (digits < text.len && digits < 17 && text.data[digits] >= '0' && text.data[digits] <= '9')
    created_at = created_at * 10 + (text.data[digits++] - '0');
  if (digits == 0 || digits >= text.len || text.data[digits] != '.')
    return false;
  if (!bus_uuid_parse((struct bus_str){text.data + digits + 1, text.len - digits - 1}, ret_order_id))
    return false;
  *ret_created_at = created_at;
  return true;
}

/* The namespace of order ids; a constant for ever. */
static const struct bus_uuid order_namespace = {
    {0x6f, 0x72, 0x64, 0x65, 0x72, 0x62, 0x45, 0x75, 0x8e, 0x10, 0x6f, 0x72, 0x64, 0x65, 0x72, 0x73}};

void order_id_of(struct bus_str customer_id, struct bus_str key, struct bus_uuid *ret) {
  char name[64 + 1 + 255];
  size_t customer_len = customer_id.len < 64 ? customer_id.len : 64;
  size_t key_len = key.len < 255 ? key.len : 255;
  memcpy(name, customer_id.data, customer_len);
  name[customer_len] = '\0';
  memcpy(name + customer_len + 1, key.data, key_len);
  bus_uuid_v5(&order_namespace, (struct bus_str){name, customer_len + 1 + key_len}, ret);
}

void order_pay_id_of(const struct bus_uuid *order_id, struct bus_str key, struct bus_uuid *ret) {
  bus_uuid_v5(order_id, key, ret);
}
