/* The tables of the orders database, column by column. */
#include "order_columns.h"

#include "order_service.h"

#define I struct order_item
static const struct bus_column items[] = {
    BUS_COLUMN_OF(I, "product_ids", product_id, struct bus_str, BUS_CELL_TEXT, .flags = BUS_FIXED | BUS_VIEW | BUS_LOG),
    BUS_COLUMN_OF(I, "quantities", quantity, int64_t, BUS_CELL_INT64, .flags = BUS_FIXED | BUS_VIEW | BUS_LOG),
    BUS_COLUMN_OF(I, "unit_prices", unit_price, int64_t, BUS_CELL_INT64,
                  .flags = BUS_CHANGING | BUS_VIEW | BUS_LOG | BUS_NULL),
};
static const struct bus_table item_columns = BUS_COLUMN_TABLE("an item of an order", I, items);

/* Written once; written by each step. Clients see the first rows. */
enum { ONCE = BUS_FIXED | BUS_LOG, STEP = BUS_CHANGING | BUS_LOG };
#define O struct order
static const struct bus_column orders[] = {
    BUS_COLUMN_UUID(O, order_id, BUS_KEY | BUS_VIEW),
    BUS_COLUMN_TEXT(O, customer_id, 1, ORDER_CUSTOMER_MAX, ONCE | BUS_VIEW),
    BUS_COLUMN_NUMBER(O, status, int, ORDER_STATUS_COUNT - 1, STEP | BUS_VIEW),
    BUS_COLUMN_TEXT(O, reason, 1, ORDER_REASON_MAX, STEP | BUS_VIEW | BUS_NULL),
    BUS_COLUMN_LIST(O, items, item_count, I, &item_columns, ORDER_ITEMS_MAX, ONCE | STEP | BUS_VIEW),
    BUS_COLUMN_INT64(O, total, 0, BUS_JSON_INT_MAX, STEP | BUS_VIEW | BUS_NULL),
    BUS_COLUMN_TEXT(O, currency, ORDER_CURRENCY_LEN, ORDER_CURRENCY_LEN, STEP | BUS_VIEW | BUS_NULL),
    BUS_COLUMN_INT64(O, refunded, 0, BUS_JSON_INT_MAX, STEP | BUS_VIEW),
    BUS_COLUMN_TIME(O, created_at, ONCE | BUS_VIEW),
    BUS_COLUMN_TIME(O, updated_at, STEP | BUS_VIEW),
    BUS_COLUMN_INT64(O, version, 1, INT64_MAX, STEP | BUS_VIEW),

    BUS_COLUMN_OF(O, "expected_total", request.expected_total, int64_t, BUS_CELL_INT64, .max = BUS_JSON_INT_MAX,
                  .flags = ONCE | BUS_NULL),
    BUS_COLUMN_TEXT(O, request_hash, ORDER_HASH_LEN, ORDER_HASH_LEN, ONCE),
    BUS_COLUMN_INT64(O, captured, 0, BUS_JSON_INT_MAX, STEP),
    BUS_COLUMN_BOOL(O, stock_settled, STEP),
    BUS_COLUMN_BOOL(O, payment_settled, STEP),
    BUS_COLUMN_BOOL(O, pay_later, ONCE),
    BUS_COLUMN_INT64(O, attempts, 0, ORDER_ATTEMPTS_MAX, STEP),

    BUS_COLUMN_TIME(O, deadline, BUS_CHANGING | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_TIME(O, due_at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_INT64(O, resends, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_TEXT(O, payment_token, 1, ORDER_TOKEN_MAX, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_OF(O, "reply_to", asker.reply_to, struct bus_str, BUS_CELL_TEXT, .min = 1, .max = ORDER_REPLY_TO_MAX,
                  .flags = BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_OF(O, "request_id", asker.request_id, struct bus_uuid, BUS_CELL_UUID, .flags = BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(O, reply_until, BUS_CHANGING | BUS_NULL),
    BUS_COLUMNS_CAUSE(O, cause, BUS_FIXED),
};
const char order_schema_change[] = "archive";
const struct bus_table order_columns = BUS_COLUMN_TABLE("orders.orders", O, orders);

/* A customer's orders that are to be paid later: counted, not stored. */
#define C struct order_customer
static const struct bus_column customers[] = {
    BUS_COLUMN_TEXT(C, customer_id, 1, ORDER_CUSTOMER_MAX, BUS_KEY),
    BUS_COLUMN_INT64(C, unpaid, 0, INT64_MAX, BUS_FIXED),
    BUS_COLUMN_INT64(C, unpaid_of_all, 0, INT64_MAX, BUS_FIXED),
};
const struct bus_table customer_columns = BUS_COLUMN_TABLE("the unpaid orders of a customer", C, customers);

#define E struct order_record
static const struct bus_column events[] = {
    BUS_COLUMN_UUID(E, order_id, BUS_KEY),
    BUS_COLUMN_INT64(E, seq, 1, INT64_MAX, BUS_KEY),
    BUS_COLUMN_NAME(E, type, enum order_fact_type, order_fact_names, BUS_FIXED),
    BUS_COLUMN_TIME(E, at, BUS_FIXED),
    BUS_COLUMN_JSON(E, data, BUS_FIXED),
};
const struct bus_table event_columns = BUS_COLUMN_TABLE("orders.order_events", E, events);

#define T struct order_tombstone
static const struct bus_column tombstones[] = {
    BUS_COLUMN_UUID(T, order_id, BUS_KEY),
    BUS_COLUMN_TEXT(T, customer_id, 1, ORDER_CUSTOMER_MAX, BUS_KEY | BUS_NULL),
    BUS_COLUMN_TEXT(T, reason, 1, ORDER_CANCEL_REASON_MAX, BUS_FIXED | BUS_NULL),
};
const struct bus_table tombstone_columns = BUS_COLUMN_TABLE("orders.tombstones", T, tombstones);

/* ---- the data of events ---- */

#define F struct order_fact
#define FACT_AMOUNT(presence) BUS_FIELD_INT64(F, amount, 0, BUS_JSON_INT_MAX, presence, "in minor units")
#define FACT_REASON(presence) BUS_FIELD_STRING(F, reason, BUS_TEXT, 1, ORDER_REASON_MAX, presence, "why")
static const struct bus_field created_fields[] = {
    ORDER_CUSTOMER(F, BUS_REQUIRED),
    ORDER_ITEMS(F, BUS_REQUIRED, "what is ordered"),
    BUS_FIELD_STRING(F, payment, BUS_TOKEN, 1, 16, BUS_OPTIONAL, "later: after it is reserved"),
    BUS_FIELD_EMBED(F, request, struct order_request, &order_request_schema),
    ORDER_REQUEST_HASH(F),
};
static const struct bus_field reserved_fields[] = {
    ORDER_ITEMS(F, BUS_REQUIRED, "with prices"),
    BUS_FIELD_INT64(F, total, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    ORDER_CURRENCY(F, BUS_REQUIRED, "ISO 4217"),
};
static const struct bus_field money_fields[] = {FACT_AMOUNT(BUS_REQUIRED)};
/* No amount behind order.paid; the reason is of the release before, which never wrote one. */
static const struct bus_field confirmed_fields[] = {FACT_AMOUNT(BUS_OPTIONAL), FACT_REASON(BUS_OPTIONAL)};
static const struct bus_field reason_fields[] = {FACT_REASON(BUS_OPTIONAL)};
static const struct bus_field compensating_fields[] = {
    FACT_REASON(BUS_REQUIRED),
    BUS_FIELD_BOOL(F, alarm, BUS_OPTIONAL, "behind the pivot"),
};

static const struct bus_field requested_fields[] = {
    BUS_FIELD_INT64(F, attempt, 1, ORDER_ATTEMPTS_MAX, BUS_REQUIRED, "1, 2, …"),
    BUS_FIELD_UUID(F, pay_id, BUS_REQUIRED, "of the request"),
    ORDER_REQUEST_HASH(F),
};

const char *const order_fact_names[] = {
    [FACT_CREATED] = "order.created",
    [FACT_RESERVED] = "order.reserved",
    [FACT_PAID] = "order.paid",
    [FACT_CONFIRMED] = "order.confirmed",
    [FACT_REJECTED] = "order.rejected",
    [FACT_COMPENSATING] = "order.compensating",
    [FACT_CANCELLED] = "order.cancelled",
    [FACT_STOCK_RETURNED] = "stock.returned",
    [FACT_PAYMENT_REFUSED] = "payment.refused",
    [FACT_PAYMENT_CAPTURED] = "payment.captured",
    [FACT_PAYMENT_REFUNDED] = "payment.refunded",
    [FACT_STOCK_MISSING] = "stock.missing",
    [FACT_PAYMENT_REQUESTED] = "payment.requested",
    [FACT_TYPES] = NULL,
};
static const struct bus_schema *const fact_schemas[FACT_TYPES] = {
    [FACT_CREATED] = BUS_TABLE(F, created_fields),
    [FACT_RESERVED] = BUS_TABLE(F, reserved_fields),
    [FACT_PAID] = BUS_TABLE(F, money_fields),
    [FACT_CONFIRMED] = BUS_TABLE(F, confirmed_fields),
    [FACT_REJECTED] = BUS_TABLE(F, reason_fields),
    [FACT_COMPENSATING] = BUS_TABLE(F, compensating_fields),
    [FACT_CANCELLED] = BUS_TABLE(F, reason_fields),
    [FACT_STOCK_RETURNED] = BUS_TABLE(F, reason_fields),
    [FACT_PAYMENT_REFUSED] = BUS_TABLE(F, reason_fields),
    [FACT_PAYMENT_CAPTURED] = BUS_TABLE(F, money_fields),
    [FACT_PAYMENT_REFUNDED] = BUS_TABLE(F, money_fields),
    [FACT_STOCK_MISSING] = BUS_TABLE(F, reason_fields),
    [FACT_PAYMENT_REQUESTED] = BUS_TABLE(F, requested_fields),
};

enum order_fact_type order_fact_find(struct bus_str name) {
  int type = 0;
  while (type < FACT_TYPES && !bus_str_is(name, order_fact_names[type]))
    type++;
  return (enum order_fact_type)type;
}

bool order_fact_encode(const struct order_fact *fact, struct bus_arena *arena, struct bus_str *ret) {
  return bus_encode(fact_schemas[fact->type], fact, arena, ret);
}

bool order_fact_decode(enum order_fact_type type, struct bus_str json, struct bus_arena *arena, struct order_fact *ret,
                       struct bus_problems *problems) {
  struct order_fact fact = {.type = type};
  if (!bus_decode(fact_schemas[type], json, BUS_IGNORE_UNKNOWN, arena, &fact, problems))
    return false;
  fact.type = type;
  *ret = fact;
  return true;
}
