/* The tables of the inventory database, column by column. */
#include "inventory_columns.h"

#include "inventory_service.h"

#define P struct product
static const struct bus_column products[] = {
    BUS_COLUMN_OF(P, "product_id", id, struct bus_str, BUS_CELL_TEXT, .min = 1, .max = STOCK_PRODUCT_ID_MAX,
                  .flags = BUS_KEY),
    BUS_COLUMN_TEXT(P, name, 1, STOCK_NAME_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(P, price, 0, BUS_JSON_INT_MAX, BUS_CHANGING),
    BUS_COLUMN_TEXT(P, currency, STOCK_CURRENCY_LEN, STOCK_CURRENCY_LEN, BUS_CHANGING),
    BUS_COLUMN_INT64(P, on_hand, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(P, reserved, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(P, sold, 0, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(P, received, INT64_MIN, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(P, version, 1, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_BOOL(P, withdrawn, BUS_CHANGING),
    BUS_COLUMN_INT64(P, stock_version, 1, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_NOW("updated_at"),
};
const struct bus_table product_columns = BUS_COLUMN_TABLE("inventory.products", P, products);

#define L struct reservation_line
static const struct bus_column lines[] = {
    BUS_COLUMN_OF(L, "product_ids", product_id, struct bus_str, BUS_CELL_TEXT, .flags = BUS_FIXED),
    BUS_COLUMN_OF(L, "quantities", quantity, int64_t, BUS_CELL_INT64, .flags = BUS_FIXED),
    BUS_COLUMN_OF(L, "unit_prices", unit_price, int64_t, BUS_CELL_INT64, .flags = BUS_FIXED),
};
static const struct bus_table line_columns = BUS_COLUMN_TABLE("a line of a reservation", L, lines);

#define R struct reservation
static const struct bus_column reservations[] = {
    BUS_COLUMN_UUID(R, order_id, BUS_KEY),
    BUS_COLUMN_NAME(R, state, enum reservation_state, reservation_state_names, BUS_CHANGING),
    BUS_COLUMN_NAME(R, reason, enum stock_reason, stock_reason_names, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_OF(R, "product_id", guilty, struct bus_str, BUS_CELL_TEXT, .min = 1, .max = STOCK_PRODUCT_ID_MAX,
                  .flags = BUS_FIXED | BUS_NULL),
    BUS_COLUMN_INT64(R, total, 0, BUS_JSON_INT_MAX, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_TEXT(R, currency, STOCK_CURRENCY_LEN, STOCK_CURRENCY_LEN, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_LIST(R, lines, line_count, L, &line_columns, STOCK_ITEMS_MAX, BUS_FIXED),
    BUS_COLUMN_TIME(R, created_at, BUS_FIXED),
    BUS_COLUMN_TIME(R, expected_until, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(R, expires_at, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_NOW("updated_at"),
};
const struct bus_table reservation_columns = BUS_COLUMN_TABLE("inventory.reservations", R, reservations);

#define Q struct stock_request
static const struct bus_column requests[] = {
    BUS_COLUMN_UUID(Q, request_id, BUS_KEY),
    BUS_COLUMN_TEXT(Q, product_id, 0, 0, BUS_FIXED),
    BUS_COLUMN_INT64(Q, on_hand, INT64_MIN, INT64_MAX, BUS_FIXED),
    BUS_COLUMN_INT64(Q, delta, -STOCK_ON_HAND_MAX, STOCK_ON_HAND_MAX, BUS_FIXED | BUS_NULL),
};
const struct bus_table request_columns = BUS_COLUMN_TABLE("inventory.stock_requests", Q, requests);
