/* The tables of the reports database, column by column. */
#include "data.h"

#define I struct order_item
static const struct bus_column lines[] = {
    BUS_COLUMN_OF(I, "product_ids", product_id, struct bus_str, BUS_CELL_TEXT, .flags = BUS_CHANGING | BUS_VIEW),
    BUS_COLUMN_OF(I, "quantities", quantity, int64_t, BUS_CELL_INT64, .flags = BUS_CHANGING | BUS_VIEW),
    BUS_COLUMN_OF(I, "unit_prices", unit_price, int64_t, BUS_CELL_INT64, .flags = BUS_CHANGING | BUS_VIEW | BUS_NULL),
};
static const struct bus_table line_columns = BUS_COLUMN_TABLE("a line of an order", I, lines);

#define R struct report
static const struct bus_column reports[] = {
    BUS_COLUMN_UUID(R, order_id, BUS_KEY | BUS_VIEW),
    BUS_COLUMN_TIME(R, placed_at, BUS_FIXED | BUS_VIEW),
    BUS_COLUMN_TEXT(R, customer_id, 1, ORDER_CUSTOMER_MAX, BUS_FIXED | BUS_VIEW),
    BUS_COLUMN_NAME(R, status, int, report_status_names, BUS_CHANGING | BUS_VIEW),
    BUS_COLUMN_TEXT(R, reason, 1, REPORT_REASON_MAX, BUS_CHANGING | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_INT64(R, total, 0, BUS_JSON_INT_MAX, BUS_CHANGING | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_TEXT(R, currency, ORDER_CURRENCY_LEN, ORDER_CURRENCY_LEN, BUS_CHANGING | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_INT64(R, refunded, 0, BUS_JSON_INT_MAX, BUS_CHANGING | BUS_VIEW),
    BUS_COLUMN_TIME(R, finished_at, BUS_CHANGING | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_LIST(R, lines, line_count, I, &line_columns, ORDER_ITEMS_MAX, BUS_CHANGING | BUS_VIEW),
};
const struct bus_table report_columns = BUS_COLUMN_TABLE("reports.orders", R, reports);

#define S struct share
static const struct bus_column shares[] = {
    BUS_COLUMN_NAME(S, grain, int, report_grain_names, BUS_KEY),
    BUS_COLUMN_TIME(S, slot, BUS_KEY),
    BUS_COLUMN_TEXT(S, currency, 0, ORDER_CURRENCY_LEN, BUS_KEY),
    BUS_COLUMN_NAME(S, status, int, report_status_names, BUS_KEY),
    BUS_COLUMN_TEXT(S, reason, 0, REPORT_REASON_MAX, BUS_KEY),
    BUS_COLUMN_INT64(S, bucket, -1, 255, BUS_KEY),
    BUS_COLUMN_INT64(S, orders, INT64_MIN, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(S, amount, INT64_MIN, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(S, refunded, INT64_MIN, INT64_MAX, BUS_CHANGING),
    BUS_COLUMN_INT64(S, duration_ms, INT64_MIN, INT64_MAX, BUS_CHANGING),
};
const struct bus_table share_columns = BUS_COLUMN_TABLE("reports.rollups", S, shares);
