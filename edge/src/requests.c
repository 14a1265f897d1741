/* The tables of what clients send, and what is checked beyond a table. */
#include "requests.h"

#include <currency.h>

#include <inttypes.h>
#include <stdio.h>

enum pay_when { PAY_NOW, PAY_LATER };
static const char *const pay_when_names[] = {"now", "later", NULL};

struct payment_choice {
  struct bus_str token;
  int when; /* enum pay_when, or -1 */
};
struct payment_means {
  struct bus_str token;
};

#define KEY_FIELD(S)                                                                                                   \
  BUS_FIELD_STRING(S, idempotency_key, BUS_VISIBLE, 1, 255, BUS_OPTIONAL,                                              \
                   "the same for every try of one request; or the header Idempotency-Key: one of both must be there",  \
                   .example = "example-1")
#define LIMIT_FIELD(S, most)                                                                                           \
  BUS_FIELD_INT64(S, limit, 1, most, BUS_OPTIONAL, "how many at most", .fallback = "20", .example = "20")
#define CURSOR "the next_cursor of an earlier page"

/* Examples that work together: a test sends them to an edge. The order is that of the customer's key, and the product
 * one of the sample catalogue. */
#define PRODUCT_EXAMPLE "SKU-00001"
#define CUSTOMER_EXAMPLE "customer-1"
#define ORDER_EXAMPLE "93a6faf9-8e60-5688-b327-4e76310d86ff"
#define RESERVATION_EXAMPLE "d76a0705-af1a-552a-909a-a128f2f1cb20"

/* The members of an input that stand for a path's one segment. */
#define BY_ORDER(S)                                                                                                    \
  .path = BUS_TABLE(S, ((const struct bus_field[]){                                                                    \
                           BUS_FIELD_UUID(S, order_id, BUS_REQUIRED, "the order", .example = ORDER_EXAMPLE)})),        \
  .no_such = "no such order"

const struct bus_http_input order_input = {.size = sizeof(struct order_get), BY_ORDER(struct order_get)};

static const struct bus_field product_path[] = {BUS_FIELD_STRING(
    struct product_get, product_id, BUS_ID, 1, BUS_ID_MAX, BUS_REQUIRED, "the product", .example = PRODUCT_EXAMPLE)};
const struct bus_http_input product_input = {.size = sizeof(struct product_get),
                                             .path = BUS_TABLE(struct product_get, product_path),
                                             .no_such = "no such product"};

/* ---- lists ---- */

#define STATUS_FIELD                                                                                                   \
  BUS_FIELD_ENUM(struct order_list, status, order_status_names, BUS_OPTIONAL, "only orders in this status",            \
                 .example = "CONFIRMED")
#define ORDER_CURSOR_FIELD                                                                                             \
  BUS_FIELD_STRING(struct order_list, cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL, CURSOR,               \
                   .opaque = true, .pattern = ORDER_CURSOR_PATTERN)
static const struct bus_field orders_query[] = {
    LIMIT_FIELD(struct order_list, ORDER_PAGE_MAX),
    STATUS_FIELD,
    BUS_FIELD_STRING(struct order_list, customer_id, BUS_VISIBLE, 1, ORDER_CUSTOMER_MAX, BUS_OPTIONAL,
                     "only this customer's orders", .example = CUSTOMER_EXAMPLE),
    ORDER_CURSOR_FIELD,
};
static const struct bus_field user_orders_path[] = {
    BUS_FIELD_STRING(struct order_list, customer_id, BUS_ID, 1, ORDER_CUSTOMER_MAX, BUS_REQUIRED,
                     "the user, who is the customer of the orders", .example = CUSTOMER_EXAMPLE)};
static const struct bus_field user_orders_query[] = {LIMIT_FIELD(struct order_list, ORDER_PAGE_MAX), STATUS_FIELD,
                                                     ORDER_CURSOR_FIELD};

static void check_orders(void *request, struct bus_problems *problems) {
  const struct order_list *list = request;
  bus_time at;
  struct bus_uuid id;
  if (list->cursor.data && !order_cursor_parse(list->cursor, &at, &id))
    bus_problem_add(problems, "cursor", "must be %s", CURSOR);
}

const struct bus_http_input orders_input = {
    .size = sizeof(struct order_list), .query = BUS_TABLE(struct order_list, orders_query), .check = check_orders};
const struct bus_http_input user_orders_input = {.size = sizeof(struct order_list),
                                                 .path = BUS_TABLE(struct order_list, user_orders_path),
                                                 .no_such = "no such user",
                                                 .query = BUS_TABLE(struct order_list, user_orders_query),
                                                 .check = check_orders};

static const struct bus_field products_query[] = {
    LIMIT_FIELD(struct product_list, STOCK_PAGE_MAX),
    BUS_FIELD_STRING(struct product_list, cursor, BUS_ID, 1, PRODUCT_CURSOR_MAX, BUS_OPTIONAL, CURSOR, .opaque = true),
    BUS_FIELD_STRING(struct product_list, q, BUS_PLAIN, 1, STOCK_NAME_MAX, BUS_OPTIONAL,
                     "words that the name has; -word: without that one", .example = "sample"),
    BUS_FIELD_INT64(struct product_list, min_price, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "least price in minor units"),
    BUS_FIELD_INT64(struct product_list, max_price, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "highest price in minor units"),
    BUS_FIELD_BOOL(struct product_list, in_stock, BUS_OPTIONAL, "true: only products that can be reserved"),
    BUS_FIELD_ENUM(struct product_list, sort, product_sort_names, BUS_OPTIONAL, "order of the products; by id",
                   .example = "price"),
};

static void check_products(void *request, struct bus_problems *problems) {
  const struct product_list *list = request;
  struct product_place place;
  if (list->cursor.data && !product_cursor_parse(list->sort, list->cursor, &place))
    bus_problem_add(problems, "cursor", "must be %s", CURSOR);
}

const struct bus_http_input products_input = {.size = sizeof(struct product_list),
                                              .query = BUS_TABLE(struct product_list, products_query),
                                              .check = check_products};

#define AFTER_FIELD(member)                                                                                            \
  BUS_FIELD_INT64(struct events_request, member, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, CURSOR ", or the seq of an event", \
                  .opaque = true)
static const struct bus_field events_query[] = {
    LIMIT_FIELD(struct order_events_get, ORDER_PAGE_MAX),
    AFTER_FIELD(after),
    AFTER_FIELD(cursor),
};

static void check_events(void *request, struct bus_problems *problems) {
  struct events_request *events = request;
  if (events->after != BUS_NO_INT64 && events->cursor != BUS_NO_INT64)
    bus_problem_add(problems, "cursor", "is the same as after; give one of them");
  int64_t after = events->after != BUS_NO_INT64 ? events->after : events->cursor;
  events->get.after_seq = after != BUS_NO_INT64 ? after : 0;
}

const struct bus_http_input events_input = {.size = sizeof(struct events_request),
                                            BY_ORDER(struct order_events_get),
                                            .query = BUS_TABLE(struct events_request, events_query),
                                            .check = check_events};

static const struct bus_field stream_query[] = {
    AFTER_FIELD(after),
    AFTER_FIELD(cursor),
};
const struct bus_http_input stream_input = {.size = sizeof(struct events_request),
                                            BY_ORDER(struct order_events_get),
                                            .query = BUS_TABLE(struct events_request, stream_query),
                                            .check = check_events};

const struct bus_http_told_header stream_headers[] = {
    {"Last-Event-ID", "the seq of the event behind which the stream is to begin; it goes before after", "^[0-9]{0,12}$",
     NULL},
    {0},
};

const struct bus_http_told_header feed_headers[] = {
    {"Last-Event-ID", "the id of the event behind which the stream is to begin; resync if it is not known here", NULL,
     NULL},
    {0},
};

/* ---- POST /api/orders ---- */

const struct bus_http_told_header place_headers[] = {
    {"Prefer", "wait=N: wait up to N seconds for the final state (RFC 7240)", NULL, "wait=10"},
    {0},
};

/* Prices are the catalogue's: a client cannot name one. */
static const struct bus_field item_fields[] = {
    BUS_FIELD_STRING(struct order_item, product_id, BUS_ID, 1, BUS_ID_MAX, BUS_REQUIRED, "product; each at most once",
                     .example = PRODUCT_EXAMPLE),
    BUS_FIELD_INT64(struct order_item, quantity, 1, ORDER_QUANTITY_MAX, BUS_REQUIRED, "how many", .example = "2"),
};
static const struct bus_schema item_schema = BUS_SCHEMA("item", struct order_item, item_fields);

static const struct bus_field payment_fields[] = {
    BUS_FIELD_STRING(struct payment_choice, token, BUS_TOKEN, 1, 128, BUS_OPTIONAL,
                     "the PSP's token of a card; required unless the order is paid later", .example = "pm_card_visa"),
    BUS_FIELD_ENUM(struct payment_choice, when, pay_when_names, BUS_OPTIONAL,
                   "later: the order is reserved, and awaits POST /api/payments until its pay_by; now, if absent",
                   .example = "now"),
};
static const struct bus_schema payment_schema = BUS_SCHEMA("payment", struct payment_choice, payment_fields);

static const struct bus_field place_fields[] = {
    KEY_FIELD(struct place_request),
    BUS_FIELD_STRING(struct order_place, customer_id, BUS_VISIBLE, 1, 64, BUS_OPTIONAL, "whose order it is",
                     .fallback = REQUEST_CUSTOMER_DEFAULT, .example = CUSTOMER_EXAMPLE),
    BUS_FIELD_ARRAY(struct order_place, items, item_count, struct order_item, &item_schema, 1, ORDER_ITEMS_MAX,
                    BUS_REQUIRED, "what is ordered"),
    BUS_FIELD_OBJECT(struct place_request, payment, struct payment_choice, &payment_schema, BUS_OPTIONAL,
                     "how it is paid"),
    BUS_FIELD_EMBED(struct order_place, request, struct order_request, &order_request_schema),
};
static const struct bus_schema place_schema = BUS_SCHEMA("place order", struct place_request, place_fields);

static bool stands_before(const struct order_item *items, size_t index) {
  for (size_t i = 0; i < index; i++)
    if (bus_str_equal(items[i].product_id, items[index].product_id))
      return true;
  return false;
}

static void add_twice(struct bus_problems *problems, size_t index) {
  char path[48];
  (void)snprintf(path, sizeof path, "items[%zu].product_id", index); /* 100 items at most: it fits */
  bus_problem_add(problems, path, "stands more than once; add the quantities up");
}

static void check_payment(const struct payment_choice *payment, struct bus_problems *problems) {
  if (payment->when == PAY_LATER && payment->token.data)
    bus_problem_add(problems, "payment.token", "must be absent if the order is paid later");
  else if (payment->when != PAY_LATER && !payment->token.data)
    bus_problem_add(problems, "payment.token", "is required");
}

static void check_place(void *request, struct bus_problems *problems) {
  struct place_request *placed = request;
  struct order_place *place = &placed->place;
  if (placed->payment)
    check_payment(placed->payment, problems);
  for (size_t i = 0; i < place->item_count; i++) {
    place->items[i].unit_price = BUS_NO_INT64;
    if (stands_before(place->items, i))
      add_twice(problems, i);
  }
  order_id_of(place->customer_id, placed->idempotency_key, &place->order_id);
}

const struct bus_http_input place_input = {.size = sizeof(struct place_request),
                                           .body = &place_schema,
                                           .key = &place_fields[0],
                                           .hash = offsetof(struct place_request, place.request_hash),
                                           .check = check_place};

struct order_place request_place(const struct place_request *request, struct bus_str default_token) {
  struct order_place place = request->place;
  place.pay_later = request->payment && request->payment->when == PAY_LATER;
  place.payment_token = request->payment ? request->payment->token : default_token;
  return place;
}

/* ---- POST /api/payments ---- */

static const struct bus_field means_fields[] = {
    BUS_FIELD_STRING(struct payment_means, token, BUS_TOKEN, 1, ORDER_TOKEN_MAX, BUS_REQUIRED,
                     "the PSP's token of a card", .example = "pm_card_visa"),
};
static const struct bus_schema means_schema = BUS_SCHEMA("payment means", struct payment_means, means_fields);

static const struct bus_field pay_fields[] = {
    KEY_FIELD(struct pay_request),
    BUS_FIELD_UUID(struct order_pay, order_id, BUS_REQUIRED, "an order that awaits its payment",
                   .example = ORDER_EXAMPLE),
    BUS_FIELD_OBJECT(struct pay_request, payment, struct payment_means, &means_schema, BUS_REQUIRED, "how it is paid"),
};
static const struct bus_schema pay_schema = BUS_SCHEMA("pay order", struct pay_request, pay_fields);

static void check_pay(void *request, struct bus_problems *problems) {
  struct pay_request *pay = request;
  (void)problems;
  order_pay_id_of(&pay->pay.order_id, pay->idempotency_key, &pay->pay.pay_id);
  pay->pay.payment_token = pay->payment->token;
}

const struct bus_http_input pay_input = {.size = sizeof(struct pay_request),
                                         .body = &pay_schema,
                                         .key = &pay_fields[0],
                                         .hash = offsetof(struct pay_request, pay.request_hash),
                                         .check = check_pay};

/* ---- POST /api/orders/{id}/cancel ---- */

static const struct bus_field cancel_fields[] = {
    BUS_FIELD_STRING(struct order_cancel, reason, BUS_PLAIN, 1, 200, BUS_OPTIONAL, "why",
                     .example = "ordered by mistake"),
};
static const struct bus_schema cancel_schema = BUS_SCHEMA("cancel order", struct order_cancel, cancel_fields);

const struct bus_http_input cancel_input = {.size = sizeof(struct order_cancel),
                                            BY_ORDER(struct order_cancel),
                                            .body = &cancel_schema,
                                            .body_may_be_empty = true};

/* ---- PUT /api/orders/{id}/status ---- */

static const struct bus_field status_fields[] = {
    BUS_FIELD_ENUM(struct status_request, status, order_status_names, BUS_REQUIRED, "what the order is to become",
                   .example = "CANCELLED"),
    BUS_FIELD_EMBED(struct status_request, cancel, struct order_cancel, &cancel_schema),
};
static const struct bus_schema status_schema = BUS_SCHEMA("order status", struct status_request, status_fields);

const struct bus_http_input status_input = {
    .size = sizeof(struct status_request), BY_ORDER(struct order_cancel), .body = &status_schema};

/* ---- POST /api/inventory/update ---- */

static const struct bus_field stock_fields[] = {
    KEY_FIELD(struct stock_request),
    BUS_FIELD_STRING(struct stock_update, product_id, BUS_ID, 1, BUS_ID_MAX, BUS_REQUIRED, "product",
                     .example = PRODUCT_EXAMPLE),
    BUS_FIELD_INT64(struct stock_update, on_hand, 0, STOCK_ON_HAND_MAX, BUS_OPTIONAL,
                    "what can be reserved from now on; or delta: one of both must be there", .example = "100"),
    BUS_FIELD_INT64(struct stock_update, delta, -STOCK_ON_HAND_MAX, STOCK_ON_HAND_MAX, BUS_OPTIONAL,
                    "by how much it changes; what is reserved cannot be taken away"),
};
static const struct bus_schema stock_schema = BUS_SCHEMA("update inventory", struct stock_request, stock_fields);

static void check_stock(void *request, struct bus_problems *problems) {
  struct stock_request *stock = request;
  bool is_set = stock->update.on_hand != BUS_NO_INT64, is_changed = stock->update.delta != BUS_NO_INT64;
  if (!is_set && !is_changed)
    bus_problem_add(problems, "on_hand", "must be there, or delta instead");
  if (is_set && is_changed)
    bus_problem_add(problems, "delta", "excludes on_hand; give one of them");
  inventory_request_id_of(stock->idempotency_key, &stock->update.request_id);
}

const struct bus_http_input stock_input = {.size = sizeof(struct stock_request),
                                           .body = &stock_schema,
                                           .key = &stock_fields[0],
                                           .hash = offsetof(struct stock_request, hash),
                                           .check = check_stock};

/* ---- own reservations ---- */

static const struct bus_field reserved_item_fields[] = {
    BUS_FIELD_STRING(struct stock_item, product_id, BUS_ID, 1, BUS_ID_MAX, BUS_REQUIRED, "product; each at most once",
                     .example = PRODUCT_EXAMPLE),
    BUS_FIELD_INT64(struct stock_item, quantity, 1, STOCK_QUANTITY_MAX, BUS_REQUIRED, "how many", .example = "2"),
};
static const struct bus_schema reserved_item_schema =
    BUS_SCHEMA("reserved item", struct stock_item, reserved_item_fields);

_Static_assert(OWN_EXPIRES_DEFAULT_S == 900, "the fallback says so");
static const struct bus_field reserve_fields[] = {
    KEY_FIELD(struct reserve_request),
    BUS_FIELD_ARRAY(struct own_make, items, item_count, struct stock_item, &reserved_item_schema, 1, STOCK_ITEMS_MAX,
                    BUS_REQUIRED, "what is reserved: all of it or nothing"),
    BUS_FIELD_INT64(struct own_make, expires_in, OWN_EXPIRES_MIN_S, OWN_EXPIRES_MAX_S, BUS_OPTIONAL,
                    "seconds until its stock is given back", .fallback = "900", .example = "900"),
};
static const struct bus_schema reserve_schema = BUS_SCHEMA("reserve", struct reserve_request, reserve_fields);

static void check_reserve(void *request, struct bus_problems *problems) {
  struct reserve_request *reserve = request;
  const struct stock_item *items = reserve->make.items;
  for (size_t i = 0; i < reserve->make.item_count; i++)
    for (size_t j = 0; j < i; j++)
      if (bus_str_equal(items[j].product_id, items[i].product_id))
        add_twice(problems, i);
  for (size_t i = 0; i < reserve->make.item_count; i++)
    reserve->make.items[i].unit_price = BUS_NO_INT64;
  own_reservation_id_of(reserve->idempotency_key, &reserve->make.reservation_id);
}

const struct bus_http_input reserve_input = {
    .size = sizeof(struct reserve_request), .body = &reserve_schema, .key = &reserve_fields[0], .check = check_reserve};

static const struct bus_field reservation_path[] = {
    BUS_FIELD_UUID(struct own_name, reservation_id, BUS_REQUIRED, "the reservation", .example = RESERVATION_EXAMPLE)};
const struct bus_http_input reservation_input = {.size = sizeof(struct own_name),
                                                 .path = BUS_TABLE(struct own_name, reservation_path),
                                                 .no_such = "no such reservation"};

/* Clients of JSON send {} where there is nothing to say. */
static const struct bus_schema nothing_schema = {.name = "nothing", .size = sizeof(struct own_name)};
const struct bus_http_input reservation_end_input = {.size = sizeof(struct own_name),
                                                     .path = BUS_TABLE(struct own_name, reservation_path),
                                                     .no_such = "no such reservation",
                                                     .body = &nothing_schema,
                                                     .body_may_be_empty = true};

/* ---- PUT and DELETE /api/products/{id} ---- */

static const struct bus_field put_path[] = {BUS_FIELD_STRING(struct inventory_put_product, product_id, BUS_ID, 1,
                                                             BUS_ID_MAX, BUS_REQUIRED, "the product",
                                                             .example = PRODUCT_EXAMPLE)};
static const struct bus_field put_fields[] = {
    BUS_FIELD_STRING(struct inventory_put_product, name, BUS_PLAIN, 1, STOCK_NAME_MAX, BUS_REQUIRED,
                     "what it is called", .example = "Sample"),
    BUS_FIELD_INT64(
        struct inventory_put_product, price, 0, BUS_JSON_INT_MAX, BUS_REQUIRED,
        "price of one in minor units; a multiple of 10 in currencies with three decimals, of 100 in ISK and UGX",
        .example = "999"),
    BUS_FIELD_STRING(struct inventory_put_product, currency, BUS_TOKEN, STOCK_CURRENCY_LEN, STOCK_CURRENCY_LEN,
                     BUS_REQUIRED, "ISO 4217", .example = "EUR", .pattern = CURRENCY_PATTERN),
    BUS_FIELD_INT64(struct inventory_put_product, on_hand, 0, STOCK_ON_HAND_MAX, BUS_OPTIONAL,
                    "what can be reserved of a new product", .example = "100"),
};
static const struct bus_schema put_schema = BUS_SCHEMA("put product", struct inventory_put_product, put_fields);

static void add_price(struct bus_problems *problems, int64_t price, const char *amounts) {
  size_t n = problems->count;
  bus_problem_add(problems, "price", "must be %s", amounts);
  if (n < BUS_PROBLEMS_MAX)
    (void)snprintf(problems->items[n].value, sizeof problems->items[n].value, "%" PRId64, price); /* 20 at most */
}

/* The provider would refuse to charge an order at such a price. */
static void check_put(void *request, struct bus_problems *problems) {
  const struct inventory_put_product *product = &((struct product_put *)request)->product;
  const struct currency *currency = currency_find(product->currency);
  char amounts[CURRENCY_AMOUNTS_SIZE];
  if (!currency) {
    bus_problem_add(problems, "currency", "must be %s", CURRENCY_ALLOWED);
  } else if (!currency_takes(currency, product->price)) {
    currency_amounts(currency, product->currency, amounts);
    add_price(problems, product->price, amounts);
  }
}

const struct bus_http_input put_input = {.size = sizeof(struct product_put),
                                         .path = BUS_TABLE(struct inventory_put_product, put_path),
                                         .no_such = "no such product",
                                         .body = &put_schema,
                                         .check = check_put};

/* ---- payments ---- */

const struct bus_http_told_header psp_headers[] = {
    {"Stripe-Signature", "the provider's signature: t=TIME,v1=HMAC of the body", NULL, NULL},
    {0},
};

static const struct bus_field payment_path[] = {
    BUS_FIELD_UUID(struct payment_get, order_id, BUS_REQUIRED,
                   "the payment: the id of its order, or of an attempt to pay it later", .example = ORDER_EXAMPLE)};
const struct bus_http_input payment_input = {.size = sizeof(struct payment_get),
                                             .path = BUS_TABLE(struct payment_get, payment_path),
                                             .no_such = "no such payment"};
const struct bus_http_input order_payments_input = {.size = sizeof(struct payment_get), BY_ORDER(struct payment_get)};

static const struct bus_field refund_fields[] = {
    KEY_FIELD(struct refund_request),
    BUS_FIELD_UUID(struct refund_request, payment_id, BUS_OPTIONAL, "the payment; or order_id"),
    BUS_FIELD_UUID(struct payment_refund_part, order_id, BUS_OPTIONAL, "its order; or payment_id",
                   .example = ORDER_EXAMPLE),
    BUS_FIELD_INT64(struct payment_refund_part, amount, 1, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "in minor units; without it all that can still be refunded", .example = "1"),
    BUS_FIELD_STRING(struct payment_refund_part, reason, BUS_PLAIN, 1, PAYMENT_REFUND_REASON_MAX, BUS_OPTIONAL,
                     "why, for people", .example = "damaged"),
    BUS_FIELD_BOOL(struct payment_refund_part, restock, BUS_OPTIONAL,
                   "true: all that the order bought is put back into stock, once"),
};
static const struct bus_schema refund_schema = BUS_SCHEMA("refund request", struct refund_request, refund_fields);
_Static_assert(offsetof(struct refund_request, command) == 0, "the table of the command is that of the request");

/* The id of a refund is that of its key alone: the key of another refund is found out. */
static void check_refund(void *request, struct bus_problems *problems) {
  struct refund_request *refund = request;
  bool by_payment = !bus_uuid_is_nil(&refund->payment_id), by_order = !bus_uuid_is_nil(&refund->command.order_id);
  if (by_payment == by_order)
    bus_problem_add(problems, "order_id", "must be given, or payment_id, and not both");
  if (by_payment)
    refund->command.order_id = refund->payment_id;
  payment_refund_id_of(refund->idempotency_key, &refund->command.refund_id);
}

const struct bus_http_input refund_input = {
    .size = sizeof(struct refund_request), .body = &refund_schema, .key = &refund_fields[0], .check = check_refund};

static const struct bus_field withdraw_path[] = {BUS_FIELD_STRING(struct product_withdraw, product_id, BUS_ID, 1,
                                                                  BUS_ID_MAX, BUS_REQUIRED, "the product",
                                                                  .example = PRODUCT_EXAMPLE)};
const struct bus_http_input withdraw_input = {.size = sizeof(struct product_withdraw),
                                              .path = BUS_TABLE(struct product_withdraw, withdraw_path),
                                              .no_such = "no such product"};

/* A number from 1 on without leading zeros; *text moves behind it. */
static bool read_number(struct bus_str *text, int64_t *ret) {
  enum { DIGITS_MAX = 12 };
  size_t digits = 0;
  *ret = 0;
  while (digits < text->len && digits < DIGITS_MAX && text->data[digits] >= '0' && text->data[digits] <= '9')
    *ret = *ret * 10 + (text->data[digits++] - '0');
  bool good = digits > 0 && text->data[0] != '0';
  *text = (struct bus_str){text->data + digits, text->len - digits};
  return good;
}

/* Weak tags and lists of tags match none (RFC 9110, 13.1.1). */
static bool read_tag(struct bus_str tag, struct product_condition *ret) {
  if (tag.len < 2 || tag.data[0] != '"' || tag.data[tag.len - 1] != '"')
    return false;
  struct bus_str text = {tag.data + 1, tag.len - 2};
  if (!read_number(&text, &ret->if_version))
    return false;
  if (text.len == 0)
    return true;
  text = (struct bus_str){text.data + 1, text.len - 1};
  return text.data[-1] == '.' && read_number(&text, &ret->if_stock_version) && text.len == 0;
}

bool request_condition(struct bus_str if_match, struct bus_str if_none_match, struct product_condition *ret) {
  *ret = (struct product_condition){.if_version = BUS_NO_INT64, .if_stock_version = BUS_NO_INT64};
  if (if_none_match.data) {
    ret->if_version = 0;
    return bus_str_is(if_none_match, "*") && !if_match.data;
  }
  ret->if_exists = if_match.data != NULL;
  return !if_match.data || bus_str_is(if_match, "*") || read_tag(if_match, ret);
}
