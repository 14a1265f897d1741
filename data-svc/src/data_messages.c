/* The messages that data-svc answers: field tables and types. */
#include "data_messages.h"

#include <bus/trail.h>

const char *const report_status_names[] = {"OPEN", "CONFIRMED", "REJECTED", "CANCELLED", NULL};
const char *const report_grain_names[] = {"hour", "day", NULL};

#define FROM(S, needed) BUS_FIELD_TIME(S, from, needed, "orders that were placed from then on")
#define TO(S, needed) BUS_FIELD_TIME(S, to, needed, "orders that were placed before")
#define CURRENCY(S, needed)                                                                                            \
  BUS_FIELD_STRING(S, currency, BUS_TOKEN, ORDER_CURRENCY_LEN, ORDER_CURRENCY_LEN, needed, "ISO 4217")
#define AMOUNT(S, member, text) BUS_FIELD_INT64(S, member, 0, REPORT_SUM_MAX, BUS_REQUIRED, text)
#define COUNT(S, member, text) BUS_FIELD_INT64(S, member, 0, REPORT_SUM_MAX, BUS_REQUIRED, text)
#define SHARE(S, member, needed, text) BUS_FIELD_INT64(S, member, 0, 1000, needed, text)
#define REASON(S)                                                                                                      \
  BUS_FIELD_STRING(S, reason, BUS_TOKEN, 1, REPORT_REASON_MAX, BUS_OPTIONAL, "code of the reason; absent: none")

static const struct bus_field revenue_get_fields[] = {
    FROM(struct report_revenue_get, BUS_REQUIRED),
    TO(struct report_revenue_get, BUS_REQUIRED),
    CURRENCY(struct report_revenue_get, BUS_REQUIRED),
    BUS_FIELD_ENUM(struct report_revenue_get, by, report_grain_names, BUS_OPTIONAL, "length of a slot; hour"),
};
static const struct bus_schema revenue_get_schema =
    BUS_SCHEMA("report.revenue-get", struct report_revenue_get, revenue_get_fields);

static const struct bus_field slot_fields[] = {
    BUS_FIELD_TIME(struct report_slot, slot, BUS_REQUIRED, "when the slot begins"),
    COUNT(struct report_slot, orders, "confirmed orders that were placed in it"),
    AMOUNT(struct report_slot, revenue, "their totals, in minor units"),
    AMOUNT(struct report_slot, refunded, "what of it went back, whenever it did"),
};
static const struct bus_schema slot_schema = BUS_SCHEMA("slot", struct report_slot, slot_fields);

static const struct bus_field revenue_fields[] = {
    FROM(struct report_revenue, BUS_REQUIRED),
    TO(struct report_revenue, BUS_REQUIRED),
    CURRENCY(struct report_revenue, BUS_REQUIRED),
    BUS_FIELD_ENUM(struct report_revenue, by, report_grain_names, BUS_REQUIRED, "length of a slot"),
    BUS_FIELD_ARRAY(struct report_revenue, items, item_count, struct report_slot, &slot_schema, 0, REPORT_SLOTS_MAX,
                    BUS_REQUIRED, "slots with orders, oldest first"),
};
const struct bus_schema report_revenue_schema = BUS_SCHEMA("revenue", struct report_revenue, revenue_fields);

static const struct bus_field kpis_get_fields[] = {
    FROM(struct report_kpis_get, BUS_REQUIRED),
    TO(struct report_kpis_get, BUS_REQUIRED),
};
static const struct bus_schema kpis_get_schema = BUS_SCHEMA("report.kpis-get", struct report_kpis_get, kpis_get_fields);

static const struct bus_field outcome_fields[] = {
    BUS_FIELD_ENUM(struct report_outcome, status, report_status_names, BUS_REQUIRED, "what became of the orders"),
    REASON(struct report_outcome),
    COUNT(struct report_outcome, orders, "how many"),
};
static const struct bus_schema outcome_schema = BUS_SCHEMA("outcome", struct report_outcome, outcome_fields);

static const struct bus_field currency_fields[] = {
    CURRENCY(struct report_currency, BUS_REQUIRED),
    COUNT(struct report_currency, orders, "confirmed orders"),
    AMOUNT(struct report_currency, revenue, "their totals, in minor units"),
    AMOUNT(struct report_currency, average, "revenue of one order, rounded down"),
    AMOUNT(struct report_currency, refunded, "what of the revenue went back"),
    SHARE(struct report_currency, refunded_per_mille, BUS_REQUIRED, "refunded of revenue"),
};
static const struct bus_schema currency_schema = BUS_SCHEMA("currency", struct report_currency, currency_fields);

static const struct bus_field kpis_fields[] = {
    FROM(struct report_kpis, BUS_REQUIRED),
    TO(struct report_kpis, BUS_REQUIRED),
    COUNT(struct report_kpis, orders, "orders that were placed"),
    COUNT(struct report_kpis, finished, "orders with a final status"),
    COUNT(struct report_kpis, confirmed, "confirmed orders"),
    SHARE(struct report_kpis, conversion_per_mille, BUS_OPTIONAL,
          "confirmed of finished orders; null: none has finished"),
    BUS_FIELD_INT64(struct report_kpis, time_to_final_p50_ms, 0, REPORT_SUM_MAX, BUS_OPTIONAL,
                    "half of the finished orders took no longer, to an eighth"),
    BUS_FIELD_INT64(struct report_kpis, time_to_final_p95_ms, 0, REPORT_SUM_MAX, BUS_OPTIONAL,
                    "95 % of the finished orders took no longer, to an eighth"),
    BUS_FIELD_ARRAY(struct report_kpis, outcomes, outcome_count, struct report_outcome, &outcome_schema, 0,
                    REPORT_OUTCOMES_MAX, BUS_REQUIRED, "orders by status and reason"),
    BUS_FIELD_ARRAY(struct report_kpis, currencies, currency_count, struct report_currency, &currency_schema, 0,
                    REPORT_CURRENCIES_MAX, BUS_REQUIRED, "confirmed orders by currency"),
};
const struct bus_schema report_kpis_schema = BUS_SCHEMA("kpis", struct report_kpis, kpis_fields);

static const struct bus_field orders_get_fields[] = {
    BUS_FIELD_ENUM(struct report_orders_get, status, report_status_names, BUS_OPTIONAL, "only orders in this status"),
    BUS_FIELD_STRING(struct report_orders_get, customer_id, BUS_VISIBLE, 1, ORDER_CUSTOMER_MAX, BUS_OPTIONAL,
                     "only orders of this customer"),
    BUS_FIELD_STRING(struct report_orders_get, product_id, BUS_TOKEN, 1, BUS_ID_MAX, BUS_OPTIONAL,
                     "only orders with this product"),
    FROM(struct report_orders_get, BUS_OPTIONAL),
    TO(struct report_orders_get, BUS_OPTIONAL),
    BUS_FIELD_INT64(struct report_orders_get, min_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "least total, in minor units"),
    BUS_FIELD_INT64(struct report_orders_get, max_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "highest total, in minor units"),
    BUS_FIELD_STRING(struct report_orders_get, cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL,
                     "begin behind it"),
    BUS_FIELD_INT64(struct report_orders_get, limit, 1, REPORT_PAGE_MAX, BUS_REQUIRED, "how many at most"),
};
static const struct bus_schema orders_get_schema =
    BUS_SCHEMA("report.orders-get", struct report_orders_get, orders_get_fields);

static const struct bus_field order_fields[] = {
    BUS_FIELD_UUID(struct report_order, order_id, BUS_REQUIRED, "the order"),
    BUS_FIELD_STRING(struct report_order, customer_id, BUS_VISIBLE, 1, ORDER_CUSTOMER_MAX, BUS_REQUIRED,
                     "whose order it is"),
    BUS_FIELD_ENUM(struct report_order, status, report_status_names, BUS_REQUIRED, "what became of it"),
    REASON(struct report_order),
    BUS_FIELD_INT64(struct report_order, total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "in minor units; null: unknown"),
    CURRENCY(struct report_order, BUS_OPTIONAL),
    BUS_FIELD_INT64(struct report_order, refunded, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "what went back, in minor units"),
    BUS_FIELD_TIME(struct report_order, placed_at, BUS_REQUIRED, "when it was placed"),
    BUS_FIELD_TIME(struct report_order, finished_at, BUS_OPTIONAL, "when it became final; null: OPEN"),
    BUS_FIELD_ARRAY(struct report_order, items, item_count, struct order_item, &order_item_schema, 0, ORDER_ITEMS_MAX,
                    BUS_REQUIRED, "what is ordered"),
};
static const struct bus_schema order_schema = BUS_SCHEMA("reported order", struct report_order, order_fields);

static const struct bus_field orders_fields[] = {
    BUS_FIELD_ARRAY(struct report_orders, items, item_count, struct report_order, &order_schema, 0, REPORT_PAGE_MAX,
                    BUS_REQUIRED, "orders, newest first"),
    BUS_FIELD_STRING(struct report_orders, next_cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL,
                     "where the next page begins, also of a short one; null at the end"),
};
const struct bus_schema report_orders_schema = BUS_SCHEMA("reported orders", struct report_orders, orders_fields);

static const struct bus_field ping_fields[] = {
    BUS_FIELD_BOOL(struct data_ping, deep, BUS_OPTIONAL, "reserved"),
};
static const struct bus_schema ping_schema = BUS_SCHEMA("ping", struct data_ping, ping_fields);

const struct bus_message_type report_revenue_get_type = BUS_QUERY("report.revenue-get.v1", &revenue_get_schema, "edge");
const struct bus_message_type report_kpis_get_type = BUS_QUERY("report.kpis-get.v1", &kpis_get_schema, "edge");
const struct bus_message_type report_orders_get_type = BUS_QUERY("report.orders-get.v1", &orders_get_schema, "edge");
const struct bus_message_type data_ping_type = BUS_QUERY("data.ping.v1", &ping_schema, "edge");
const struct bus_message_type data_trail_type = BUS_TRAIL_QUERY("data.trail.v1", "edge");
const struct bus_message_type report_revenue_type = BUS_ANSWER("report.revenue.v1", &report_revenue_schema);
const struct bus_message_type report_kpis_type = BUS_ANSWER("report.kpis.v1", &report_kpis_schema);
const struct bus_message_type report_orders_type = BUS_ANSWER("report.orders.v1", &report_orders_schema);
const struct bus_message_type data_pong_type = BUS_ANSWER("data.pong.v1", &bus_pong_schema);
