/* Requests of clients: for each route the tables of its path, query and body, and the struct that they fill, which
 * usually is the command or query that follows. Pure. */
#ifndef EDGE_REQUESTS_H
#define EDGE_REQUESTS_H

#include <bus/route.h>
#include <inventory_messages.h>
#include <order_messages.h>
#include <payment_messages.h>

#define REQUEST_CUSTOMER_DEFAULT "anonymous"
/* A cursor of orders for documents: the microseconds and the id of an order. */
#define ORDER_CURSOR_PATTERN "^[0-9]{1,17}\\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

/* POST /api/orders. The request_hash of the command is the SHA-256 of the canonical encoding of the decoded request
 * without its key: spaces and the order of members do not count, and neither does what the default token is today. */
struct place_request {
  struct order_place place; /* all but payment_token and wait_ms */
  struct bus_str idempotency_key;
  struct payment_choice *payment; /* NULL: the default token, now */
};
/* default_token: for requests that name none. */
struct order_place request_place(const struct place_request *request, struct bus_str default_token);

/* POST /api/payments */
struct pay_request {
  struct order_pay pay; /* all but customer_id */
  struct bus_str idempotency_key;
  struct payment_means *payment;
};

/* POST /api/inventory/update */
struct stock_request {
  struct stock_update update; /* but for its condition, which is a header */
  struct bus_str idempotency_key;
  struct bus_str hash; /* as order_place.request_hash */
};

/* POST /api/payments/refund */
struct refund_request {
  struct payment_refund_part command;
  struct bus_uuid payment_id; /* another name of the order's id */
  struct bus_str idempotency_key;
};

/* Headers that handlers read: of POST /api/orders, of GET /api/orders/{id}/stream, of GET /api/events, of POST
 * /webhooks/psp. */
extern const struct bus_http_told_header place_headers[], stream_headers[], feed_headers[], psp_headers[];

/* PUT /api/orders/{id}/status */
struct status_request {
  struct order_cancel cancel;
  int status; /* what the order is to become */
};

/* POST /api/inventory/reserve */
struct reserve_request {
  struct own_make make; /* first: it is the query */
  struct bus_str idempotency_key;
};

/* GET /api/orders/{id}/events. `after` and `cursor` are two names of one thing, which becomes get.after_seq. */
struct events_request {
  struct order_events_get get;
  int64_t after, cursor;
};

/* PUT and DELETE /api/products/{id}: the conditions are headers. */
extern const struct bus_http_input put_input, withdraw_input; /* struct product_put, struct product_withdraw */

/* From If-Match and If-None-Match, either absent. False: a condition that holds for no version of a product. An entity
 * tag of a product is "<version>.<stock_version>", or "<version>", which says nothing of its stock. */
bool request_condition(struct bus_str if_match, struct bus_str if_none_match, struct product_condition *ret);

extern const struct bus_http_input place_input,                             /* struct place_request */
    pay_input,                                                              /* struct pay_request */
    stock_input,                                                            /* struct stock_request */
    reserve_input,                                                          /* struct reserve_request */
    reservation_input, reservation_end_input,                               /* struct own_name */
    refund_input,                                                           /* struct refund_request */
    refunds_input,                                                          /* struct refund_list */
    payment_input, order_payments_input,                                    /* struct payment_get */
    events_input, stream_input,                                             /* struct events_request */
    status_input,                                                           /* struct status_request */
    user_orders_input,                                                      /* struct order_list */
    cancel_input, order_input, orders_input, product_input, products_input; /* the messages themselves */

#endif
