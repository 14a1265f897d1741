/* Every SQL statement of data-svc. */
#include "data_statements.h"

#include "data.h"
#include "data_kpis.h"

static const struct bus_recipe recipes[DATA_STATEMENTS] = {
    /* The first event of an order finds no row to lock. Orders share locks, so that their number is bounded. */
    [LOCK_ORDERS] = BUS_STATEMENT("SELECT pg_advisory_xact_lock(n.key) IS NULL FROM unnest($1) AS n (key)", "I"),
    [READ_MONTHS] = BUS_STATEMENT("SELECT (SELECT since FROM reports.months ORDER BY since LIMIT 1), "
                                  "(SELECT until FROM reports.months ORDER BY since DESC LIMIT 1)",
                                  ""),
    /* The LIMIT keeps the planner from joining whole partitions. */
    [READ_ORDERS] = BUS_STATEMENT_OF(
        &report_columns,
        "SELECT {o.row} FROM unnest($1, $2) AS n (order_id, placed_at), LATERAL (SELECT * FROM reports.orders c "
        "WHERE c.placed_at = n.placed_at AND c.order_id = n.order_id LIMIT 1) o",
        "UZ"),
    [PUT_ORDERS] = BUS_STATEMENT(
        "INSERT INTO reports.orders AS o (order_id, placed_at, customer_id, status, reason, total, currency, refunded, "
        "finished_at, product_ids, quantities, unit_prices) SELECT n.order_id, n.placed_at, n.customer_id, n.status, "
        "n.reason, n.total, n.currency, n.refunded, n.finished_at, $12[n.first:n.last], $13[n.first:n.last], "
        "CASE WHEN $14[n.first] IS NOT NULL THEN $14[n.first:n.last] END "
        "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS n (order_id, placed_at, customer_id, status, "
        "reason, total, currency, refunded, finished_at, first, last) ON CONFLICT (placed_at, order_id) DO UPDATE "
        "SET status = excluded.status, reason = excluded.reason, total = excluded.total, currency = excluded.currency, "
        "refunded = excluded.refunded, finished_at = excluded.finished_at, product_ids = excluded.product_ids, "
        "quantities = excluded.quantities, unit_prices = excluded.unit_prices",
        "UZTTTITIZIIVWW"),
    [PUT_LINES] = BUS_STATEMENT("INSERT INTO reports.lines (product_id, placed_at, order_id) "
                                "SELECT * FROM unnest($1, $2, $3) ON CONFLICT DO NOTHING",
                                "TZU"),
    [PUT_ROLLUPS] = BUS_STATEMENT(
        "INSERT INTO reports.rollups AS r (grain, slot, currency, status, reason, bucket, orders, amount, refunded, "
        "duration_ms) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
        "ON CONFLICT (grain, slot, currency, status, reason, bucket) DO UPDATE SET orders = r.orders + "
        "excluded.orders, amount = r.amount + excluded.amount, refunded = r.refunded + excluded.refunded, "
        "duration_ms = r.duration_ms + excluded.duration_ms",
        "TZTTTIIIII"),
    [KEEP_MONTHS] = BUS_STATEMENT("SELECT reports.keep_months($1, $2)", "ii"),
};

/* ---- reads ---- */

/* A search walks an index, newest first, up to n.scan orders, and numbers them. It gives those that fit its filters,
 * and the last one that it walked in any case, so that the page says where to go on: the last column is NULL but there,
 * and false if the order does not fit. One bound alone ends the walk: with two, an index scan may begin at the worse
 * one. */
#define SEARCH                                                                                                         \
  "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY AS n (status, customer_id, product_id, "       \
  "since, "                                                                                                            \
  "least, most, behind_at, behind_id, scan, take, page), "
#define WALK                                                                                                           \
  "c.placed_at >= n.since AND c.placed_at <= n.behind_at AND (c.placed_at, c.order_id) < (n.behind_at, n.behind_id) "  \
  "ORDER BY c.placed_at DESC, c.order_id DESC LIMIT n.scan"
#define FITS                                                                                                           \
  "(n.status IS NULL OR s.status = n.status) AND (n.customer_id IS NULL OR s.customer_id = n.customer_id) AND "        \
  "(n.product_id IS NULL OR n.product_id = ANY (s.product_ids)) AND (n.least IS NULL OR s.total >= n.least) AND "      \
  "(n.most IS NULL OR s.total <= n.most)"
#define SEARCH_PARAMS "TTTZIIZUII"
#define NUMBERED(rows)                                                                                                 \
  "(SELECT w.*, w.placed_at AS at, w.order_id AS id, row_number() OVER (ORDER BY w.placed_at DESC, w.order_id DESC) "  \
  "AS number FROM (" rows ") w) "
#define ORDERS(walked)                                                                                                 \
  BUS_STATEMENT_OF(&report_columns,                                                                                    \
                   "SELECT n.page, {o.view}, CASE WHEN o.number = n.scan THEN coalesce(o.fits, false) END " SEARCH     \
                   "LATERAL (SELECT * FROM (SELECT s.*, " FITS " AS fits FROM " walked "s) f WHERE f.fits OR "         \
                   "f.number = n.scan ORDER BY f.at DESC, f.id DESC LIMIT n.take) o "                                  \
                   "ORDER BY n.page, o.at DESC, o.id DESC",                                                            \
                   SEARCH_PARAMS)

static const struct bus_recipe query_recipes[DATA_QUERY_STATEMENTS] = {
    [REVENUE] = BUS_STATEMENT(
        "SELECT n.page, r.slot, r.orders, r.revenue, r.refunded FROM unnest($1, $2, $3, $4) WITH ORDINALITY "
        "AS n (grain, since, until, currency, page), LATERAL (SELECT c.slot, sum(c.orders)::bigint AS orders, "
        "sum(c.amount)::bigint AS revenue, sum(c.refunded)::bigint AS refunded FROM reports.rollups c "
        "WHERE c.grain = n.grain AND c.slot >= n.since AND c.slot < n.until AND c.currency = n.currency "
        "AND c.status = 'CONFIRMED' GROUP BY c.slot HAVING sum(c.orders) <> 0) r ORDER BY n.page, r.slot",
        "TZZT"),
    /* Whole days, and the hours before and behind them. */
    [SUMS] = BUS_STATEMENT(
        "SELECT n.page, r.currency, r.status, r.reason, r.bucket, sum(r.orders)::bigint, "
        "sum(r.amount)::bigint, "
        "sum(r.refunded)::bigint FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS n (since, until, day_since, "
        "day_until, "
        "page), LATERAL (SELECT * FROM reports.rollups d WHERE d.grain = 'day' AND d.slot >= n.day_since "
        "AND d.slot < n.day_until UNION ALL SELECT * FROM reports.rollups a WHERE a.grain = 'hour' "
        "AND a.slot >= n.since AND a.slot < n.day_since UNION ALL SELECT * FROM reports.rollups b "
        "WHERE b.grain = 'hour' AND b.slot >= n.day_until AND b.slot < n.until) r "
        "GROUP BY 1, 2, 3, 4, 5 HAVING sum(r.orders) <> 0 ORDER BY 1, 2, 3, 4, 5",
        "ZZZZ"),
    [ORDERS_BY_TIME] = ORDERS(NUMBERED("SELECT * FROM reports.orders c WHERE " WALK)),
    [ORDERS_BY_CUSTOMER] =
        ORDERS(NUMBERED("SELECT * FROM reports.orders c WHERE c.customer_id = n.customer_id AND " WALK)),
    [ORDERS_BY_PRODUCT] = ORDERS("(SELECT o.*, l.at, l.id, l.number FROM " NUMBERED(
        "SELECT c.placed_at, c.order_id FROM reports.lines c WHERE c.product_id = n.product_id "
        "AND " WALK) "l, LATERAL (SELECT * FROM reports.orders c WHERE c.placed_at = l.at AND "
                     "c.order_id = l.id LIMIT 1) o) "),
};

struct bus_statement data_statements[DATA_STATEMENTS], data_query_statements[DATA_QUERY_STATEMENTS];

bool data_statements_make(void) {
  return bus_recipes_make(recipes, DATA_STATEMENTS, data_statements) &&
         bus_recipes_make(query_recipes, DATA_QUERY_STATEMENTS, data_query_statements);
}
