/* The messages that order-svc takes, sends and answers: structs, bounds and types. Pure. */
#pragma once

#include <bus/field.h>
#include <bus/message.h>

/* Bytes of texts, here, in rows and in their CHECKs. */
enum {
  ORDER_CUSTOMER_MAX = 64,
  ORDER_REASON_MAX = 256,
  ORDER_CANCEL_REASON_MAX = 200,
  ORDER_CURRENCY_LEN = 3,
  ORDER_HASH_LEN = 64,
  ORDER_TOKEN_MAX = 128,
  ORDER_REPLY_TO_MAX = 255, /* of a queue's name in AMQP */
};
/* Attempts to pay an order later. */
enum { ORDER_ATTEMPTS_MAX = 20 };
enum {
  ORDER_ITEMS_MAX = 100,
  ORDER_QUANTITY_MAX = 1000,
  ORDER_PAGE_MAX = 100,
  ORDER_GET_MANY_MAX = 64,
  ORDER_CHANGES_MAX = 200
};

/* The queues, work queues first: in this order a worker of commands has its own. */
enum { ORDER_QUEUE_EVENTS, ORDER_QUEUE_PLACE, ORDER_QUEUE_QUERIES };

enum order_status {
  ORDER_PENDING,
  ORDER_RESERVED,
  ORDER_PAID, /* of the release before: the capture confirms an order now */
  ORDER_COMPENSATING,
  ORDER_CONFIRMED,
  ORDER_REJECTED,
  ORDER_CANCELLED,
  ORDER_AWAITING_PAYMENT, /* reserved, to be paid later; no order that is paid at once comes here */
  ORDER_STATUS_COUNT,
};
/* "PENDING" …, NULL-terminated; the index is the enum's value, in SQL too. */
extern const char *const order_status_names[];
/* No event follows. */
bool order_status_is_final(int status);

struct order_item {
  struct bus_str product_id;
  int64_t quantity;
  int64_t unit_price; /* minor units; BUS_NO_INT64 until RESERVED */
};

/* Members of a client's request that never change: they stand in the body, in order.place, in the fact order.created,
 * in the order and in what clients see. order_shown_schema has those that clients see: the rows behind the first ones.
 */
struct order_request {
  int64_t expected_total; /* minor units; BUS_NO_INT64: any total */
};
extern const struct bus_schema order_request_schema, order_shown_schema;

/* Rows that several field tables have. */
#define ORDER_CUSTOMER(S, presence)                                                                                    \
  BUS_FIELD_STRING(S, customer_id, BUS_VISIBLE, 1, ORDER_CUSTOMER_MAX, presence, "whose order it is")
#define ORDER_ITEMS(S, presence, text)                                                                                 \
  BUS_FIELD_ARRAY(S, items, item_count, struct order_item, &order_item_schema, 1, ORDER_ITEMS_MAX, presence, text)
#define ORDER_CURRENCY(S, presence, text)                                                                              \
  BUS_FIELD_STRING(S, currency, BUS_TOKEN, ORDER_CURRENCY_LEN, ORDER_CURRENCY_LEN, presence, text)
#define ORDER_REQUEST_HASH(S)                                                                                          \
  BUS_FIELD_STRING(S, request_hash, BUS_TOKEN, ORDER_HASH_LEN, ORDER_HASH_LEN, BUS_REQUIRED, "SHA-256 of the request")

/* The order as clients see it. */
struct order_view {
  struct bus_uuid order_id;
  struct bus_str customer_id;
  int status;
  struct bus_str reason;
  struct order_item *items;
  size_t item_count;
  int64_t total; /* minor units; BUS_NO_INT64 until RESERVED */
  struct bus_str currency;
  int64_t refunded; /* what came back */
  bus_time created_at, updated_at;
  int64_t version;
  bus_time pay_by; /* AWAITING_PAYMENT: then it is undone; else BUS_NO_TIME */
  struct order_request request;
};
extern const struct bus_schema order_item_schema, order_view_schema;

/* order.place.v1: edge → order-svc. Answered with order.answer once committed, and once more in a final state when
 * wait_ms > 0 and that comes in time. */
struct order_place {
  struct bus_uuid order_id;
  struct bus_str customer_id;
  struct order_item *items; /* unit_price absent; each product once */
  size_t item_count;
  struct bus_str payment_token; /* absent: pay_later */
  bool pay_later;               /* order.pay follows */
  struct order_request request;
  struct bus_str request_hash; /* SHA-256, hexadecimal, of the canonical request without its key */
  int64_t wait_ms;
};

/* order.cancel.v1: edge → order-svc; answered with order.answer. accepted: the edge that sends it has answered this
 * order with a 2xx on the broker's confirm alone, so order.place is on its way; such a cancel is kept until it comes.
 */
struct order_cancel {
  struct bus_uuid order_id;
  struct bus_str customer_id; /* who must own the order; absent: anybody may */
  struct bus_str reason;      /* the customer's own words, or absent */
  bool accepted;
};

/* order.pay.v1: edge → order-svc; answered with order.answer. One more attempt to pay an order that is
 * AWAITING_PAYMENT. */
struct order_pay {
  struct bus_uuid order_id;
  struct bus_str customer_id; /* who must own the order; absent: anybody may */
  struct bus_uuid pay_id;     /* from order_pay_id_of: a repetition has the same */
  struct bus_str payment_token;
  struct bus_str request_hash; /* as in order.place */
};

enum order_outcome {
  ORDER_ACCEPTED,        /* a new order is committed */
  ORDER_REPLAYED,        /* the same key and the same request: the order as it is */
  ORDER_KEY_REUSED,      /* the same key, another request; no order in the answer */
  ORDER_FOUND,           /* order.get */
  ORDER_NOT_FOUND,       /* none, or someone else's */
  ORDER_CANCEL_ACCEPTED, /* compensation has begun; without an order: the cancel is kept until the order comes */
  ORDER_CANCEL_DONE,     /* already CANCELLED */
  ORDER_CANCEL_TOO_LATE, /* CONFIRMED or REJECTED, or PAID */
  ORDER_FINAL,           /* the second answer to order.place */
  ORDER_LEFT_OUT,        /* order.get-many: it did not fit into the answer; to be asked for alone */
  ORDER_PAY_ACCEPTED,    /* an attempt has begun */
  ORDER_PAY_NOT_DUE,     /* the order does not await a payment */
  ORDER_PAY_OPEN,        /* the last attempt may still capture */
  ORDER_PAY_SPENT,       /* ORDER_ATTEMPTS_MAX attempts were made */
};
extern const char *const order_outcome_names[];

struct order_answer {
  int outcome;
  struct order_view *order; /* NULL where there is none to show */
};

/* Queries (order-svc.query). */
struct order_get {
  struct bus_uuid order_id;
  struct bus_str customer_id; /* absent: anybody's */
};
struct order_get_many {
  struct order_get *orders;
  size_t order_count;
};
/* One for each order that was asked for, in that order. */
struct order_answers {
  struct order_answer *answers;
  size_t answer_count;
};
/* Newest first. cursor: from order_cursor_format; the page begins behind it. */
struct order_list {
  struct bus_str customer_id; /* absent: all */
  int status;                 /* -1: all */
  struct bus_str cursor;      /* absent: from the newest */
  int64_t limit;              /* 1 to 100 */
};
struct order_page {
  struct order_view *items;
  size_t item_count;
  struct bus_str next_cursor; /* absent: the end */
};
struct order_events_get {
  struct bus_uuid order_id;
  struct bus_str customer_id;
  int64_t after_seq; /* 0: from the first */
  int64_t limit;
};
struct order_event_view {
  int64_t seq;
  struct bus_str type;
  bus_time at;
  struct bus_str data; /* JSON */
};
struct order_history {
  int outcome; /* ORDER_FOUND or ORDER_NOT_FOUND */
  struct order_event_view *items;
  size_t item_count;
  int64_t next_after_seq; /* BUS_NO_INT64: the end */
};
struct order_ping {
  bool deep; /* unused: the answer itself is the proof */
};
struct order_pong {
  int64_t outbox_age_ms;    /* of the oldest message that the broker has not taken; BUS_NO_INT64: it does not say */
  int64_t intake_closed_ms; /* since when new orders wait in their queue; 0: they are taken; BUS_NO_INT64: as above */
  bool workers_down;        /* as in struct bus_pong */
};

/* order.created.v1, order.confirmed.v1, order.rejected.v1, order.cancelled.v1. order.confirmed is a command, too:
 * inventory-svc sells what is reserved. */
struct order_event {
  struct bus_uuid order_id;
  struct bus_str customer_id;
  struct order_item *items; /* absent in events of the release before */
  size_t item_count;
  int64_t total; /* BUS_NO_INT64 where it was never known */
  struct bus_str currency;
  struct bus_str reason;
  bus_time placed_at, at; /* of the order, and of its event; BUS_NO_TIME in events of the release before */
};

/* order.refunded.v1: money of the order went back to the customer, by a refund or because the order is undone. */
struct order_refunded {
  struct bus_uuid order_id;
  struct bus_str customer_id;
  int64_t refunded; /* all that went back so far */
  int64_t total;
  struct bus_str currency;
  bus_time placed_at, at; /* BUS_NO_TIME in events of the release before */
};

/* order.changed.v1, a notice: what a batch has committed. Its receivers read the orders that they show. */
struct order_change {
  struct bus_uuid order_id;
  int64_t version;
  int status;
};
struct order_changes {
  struct order_change *orders;
  size_t order_count;
};

extern const struct bus_schema order_place_schema, order_cancel_schema, order_pay_schema, order_answer_schema,
    order_get_schema, order_get_many_schema, order_answers_schema, order_list_schema, order_page_schema,
    order_events_get_schema, order_history_schema, order_event_view_schema, order_ping_schema, order_pong_schema,
    order_event_schema, order_refunded_schema, order_change_schema, order_changes_schema;

extern const struct bus_message_type order_place_type, order_cancel_type, order_pay_type; /* commands, from edge */
extern const struct bus_message_type order_get_type, order_get_many_type, order_list_type, order_events_get_type,
    order_ping_type, order_trail_type; /* queries, from edge */
extern const struct bus_message_type order_answer_type, order_answers_type, order_page_type, order_history_type,
    order_pong_type;                                     /* answers */
extern const struct bus_message_type order_changed_type; /* notice */
extern const struct bus_message_type order_created_type, order_confirmed_type, order_rejected_type,
    order_cancelled_type, order_refunded_type; /* events */

/* A keyset cursor as clients carry it: "<created_at µs>.<order id>". */
enum { ORDER_CURSOR_TEXT = 64 };
void order_cursor_format(bus_time created_at, const struct bus_uuid *order_id, char text[ORDER_CURSOR_TEXT]);
bool order_cursor_parse(struct bus_str text, bus_time *ret_created_at, struct bus_uuid *ret_order_id) BUS_MUST_CHECK;

/* UUIDv5 of customer, 0x00 and key: the same request has the same id on every edge. */
void order_id_of(struct bus_str customer_id, struct bus_str key, struct bus_uuid *ret);
/* UUIDv5 of the key in the order's namespace. */
void order_pay_id_of(const struct bus_uuid *order_id, struct bus_str key, struct bus_uuid *ret);
