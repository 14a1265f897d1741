/* The tables of the orders database, column by column. */
#include "order_columns.h"

#include "order_model.h"

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
    BUS_COLUMN_TIME(O, created_at, ONCE | BUS_VIEW),
    BUS_COLUMN_TIME(O, updated_at, STEP | BUS_VIEW),
    BUS_COLUMN_INT64(O, version, 1, INT64_MAX, STEP | BUS_VIEW),

    BUS_COLUMN_OF(O, "expected_total", request.expected_total, int64_t, BUS_CELL_INT64, .max = BUS_JSON_INT_MAX,
                  .flags = ONCE | BUS_NULL),
    BUS_COLUMN_TEXT(O, request_hash, ORDER_HASH_LEN, ORDER_HASH_LEN, ONCE),
    BUS_COLUMN_INT64(O, captured, 0, BUS_JSON_INT_MAX, STEP),
    BUS_COLUMN_INT64(O, refunded, 0, BUS_JSON_INT_MAX, STEP),
    BUS_COLUMN_BOOL(O, stock_settled, STEP),
    BUS_COLUMN_BOOL(O, payment_settled, STEP),

    BUS_COLUMN_TIME(O, deadline, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(O, due_at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_INT64(O, resends, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_TEXT(O, payment_token, 1, ORDER_TOKEN_MAX, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_OF(O, "reply_to", asker.reply_to, struct bus_str, BUS_CELL_TEXT, .min = 1, .max = ORDER_REPLY_TO_MAX,
                  .flags = BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_OF(O, "request_id", asker.request_id, struct bus_uuid, BUS_CELL_UUID, .flags = BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(O, reply_until, BUS_CHANGING | BUS_NULL),
    BUS_COLUMNS_CAUSE(O, cause, BUS_FIXED),
};
const char order_schema_change[] = "cause";
const struct bus_table order_columns = BUS_COLUMN_TABLE("orders.orders", O, orders);

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
