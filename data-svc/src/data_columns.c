/* The tables of the reports database, column by column. */
#include "job.h"

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

#define J struct job
#define JOB_COUNT(member, what) BUS_COLUMN_INT64(J, member, 0, INT64_MAX, what)
/* The columns of its task have BUS_VIEW. */
static const struct bus_column jobs[] = {
    BUS_COLUMN_UUID(J, job_id, BUS_KEY),
    BUS_COLUMN_NAME(J, kind, int, job_kind_names, BUS_FIXED | BUS_VIEW),
    BUS_COLUMN_TEXT(J, owner, 1, JOB_OWNER_MAX, BUS_FIXED),
    BUS_COLUMN_OF(J, "since", from, bus_time, BUS_CELL_TIME, .flags = BUS_FIXED | BUS_VIEW),
    BUS_COLUMN_OF(J, "until", to, bus_time, BUS_CELL_TIME, .flags = BUS_FIXED | BUS_VIEW),
    BUS_COLUMN_NAME(J, order_status, int, report_status_names, BUS_FIXED | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_TEXT(J, customer_id, 1, ORDER_CUSTOMER_MAX, BUS_FIXED | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_TEXT(J, product_id, 1, BUS_ID_MAX, BUS_FIXED | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_INT64(J, min_total, 0, BUS_JSON_INT_MAX, BUS_FIXED | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_INT64(J, max_total, 0, BUS_JSON_INT_MAX, BUS_FIXED | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_TIME(J, created_at, BUS_FIXED),
    BUS_COLUMN_NAME(J, status, int, job_status_names, BUS_CHANGING),
    JOB_COUNT(done, BUS_CHANGING),
    JOB_COUNT(total, BUS_CHANGING | BUS_NULL),
    JOB_COUNT(found, BUS_CHANGING),
    JOB_COUNT(attempts, BUS_CHANGING),
    BUS_COLUMN_TEXT(J, error, 1, JOB_ERROR_MAX, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(J, started_at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(J, finished_at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(J, place_at, BUS_CHANGING),
    BUS_COLUMN_UUID(J, place_id, BUS_CHANGING | BUS_NULL),
};
const struct bus_table job_columns = BUS_COLUMN_TABLE("reports.jobs", J, jobs);
