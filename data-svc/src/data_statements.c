/* Every SQL statement of data-svc. */
#include "data_statements.h"

#include "data_kpis.h"
#include "job.h"

/* s, an order, fits the filters of q. */
#define FITS(q)                                                                                                        \
  "(" q ".order_status IS NULL OR s.status = " q ".order_status) AND (" q ".customer_id IS NULL OR s.customer_id = " q \
  ".customer_id) AND (" q ".product_id IS NULL OR " q ".product_id = ANY (s.product_ids)) AND (" q                     \
  ".min_total IS NULL OR s.total >= " q ".min_total) AND (" q ".max_total IS NULL OR s.total <= " q ".max_total)"

/* ---- jobs ---- */

#define OPEN_JOB "j.finished_at IS NULL"
/* The orders that the next step of an export walks, newest first. */
#define BEFORE_PLACE                                                                                                   \
  "c.placed_at <= j.place_at AND (c.placed_at, c.order_id) < (j.place_at, coalesce(j.place_id, "                       \
  "'00000000-0000-0000-0000-000000000000'))"
#define ORDER_COLUMNS(alias)                                                                                           \
  alias ".order_id, " alias ".placed_at, " alias ".customer_id, " alias ".status, " alias ".reason, " alias            \
        ".total, " alias ".currency, " alias ".refunded, " alias ".finished_at, " alias ".product_ids, " alias         \
        ".quantities, " alias ".unit_prices"
/* Sums of a grain are what `rows` gives, and zero where it gives no row of a key that is there. Two jobs may name one
 * slot; a month may have been dropped since the step began. */
#define SUM(grain, rows)                                                                                               \
  "INSERT INTO reports.rollups (grain, slot, currency, status, reason, bucket, orders, amount, refunded, "             \
  "duration_ms) SELECT '" grain "', n.slot, u.currency, u.status, u.reason, u.bucket, sum(u.orders)::bigint, "         \
  "sum(u.amount)::bigint, sum(u.refunded)::bigint, sum(u.duration_ms)::bigint FROM (SELECT DISTINCT unnest($1) AS "    \
  "slot) n JOIN reports.months m ON m.since <= n.slot AND n.slot < m.until, LATERAL (" rows                            \
  " UNION ALL SELECT k.currency, k.status, k.reason, k.bucket, 0, 0, 0, 0 FROM "                                       \
  "reports.rollups k WHERE k.grain = '" grain "' AND k.slot = n.slot) u GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, "     \
  "3, 4, 5, 6 ON CONFLICT (grain, slot, currency, status, reason, bucket) DO UPDATE SET orders = excluded.orders, "    \
  "amount = excluded.amount, refunded = excluded.refunded, duration_ms = excluded.duration_ms"
/* As report_share and report_bucket have it; b.bits: the length of the duration as a binary number. */
#define SHARES_OF_ORDERS                                                                                               \
  "SELECT coalesce(o.currency, '') COLLATE \"C\" AS currency, o.status COLLATE \"C\" AS status, coalesce(o.reason, "   \
  "'') COLLATE \"C\" AS reason, CASE WHEN o.finished_at IS NULL THEN -1 WHEN d.ms < 4 THEN d.ms ELSE least(159, "      \
  "(b.bits - 2) * 4 + (d.ms >> (b.bits - 3)) - 4) END AS bucket, 1::bigint AS orders, coalesce(o.total, 0) AS "        \
  "amount, o.refunded, d.ms AS duration_ms FROM reports.orders o, LATERAL (SELECT greatest(0, "                        \
  "coalesce(trunc(extract(epoch FROM o.finished_at - o.placed_at) * 1000), 0))::bigint AS ms) d, LATERAL (SELECT "     \
  "length(ltrim(d.ms::bit(64)::text, '0')) AS bits) b WHERE o.placed_at >= n.slot AND o.placed_at < n.slot + "         \
  "interval '1 hour'"
#define SHARES_OF_HOURS                                                                                                \
  "SELECT h.currency, h.status, h.reason, h.bucket, h.orders, h.amount, h.refunded, h.duration_ms FROM "               \
  "reports.rollups h WHERE h.grain = 'hour' AND h.slot >= n.slot AND h.slot < n.slot + interval '1 day'"

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
    /* The lock is the claim: another process leaves a job alone while a step of it runs, and it goes with the process.
     */
    [LOCK_JOBS] = BUS_STATEMENT_OF(
        &job_columns,
        "SELECT {j.row} FROM reports.jobs j WHERE j.job_id = ANY ($1) ORDER BY j.job_id FOR UPDATE SKIP LOCKED", "U"),
    [WALK_JOBS] = BUS_STATEMENT(
        "SELECT j.job_id, w.walked, w.fitting, w.last_at, w.last_id, CASE WHEN j.total IS NULL THEN (SELECT "
        "coalesce(sum(r.orders), 0)::bigint FROM reports.rollups r WHERE r.grain = 'day' AND r.slot >= "
        "date_trunc('day', j.since, 'UTC') AND r.slot < j.until) END FROM unnest($2) AS n (job_id), LATERAL (SELECT * "
        "FROM reports.jobs c WHERE c.job_id = n.job_id LIMIT 1) j, LATERAL (SELECT count(*) AS walked, count(*) FILTER "
        "(WHERE " FITS("j") ") AS fitting, (array_agg(s.placed_at ORDER BY s.placed_at, s.order_id))[1] AS last_at, "
                            "(array_agg(s.order_id ORDER BY s.placed_at, s.order_id))[1] AS last_id FROM (SELECT * "
                            "FROM reports.orders c "
                            "WHERE j.kind = 'export-orders' AND c.placed_at >= j.since AND " BEFORE_PLACE
                            " ORDER BY c.placed_at DESC, c.order_id DESC LIMIT $1) s) w",
        "iU"),
    /* While the job still has its place from before the step. */
    [COPY_ORDERS] = BUS_STATEMENT(
        "INSERT INTO reports.exported (job_id, order_id, placed_at, customer_id, status, reason, total, currency, "
        "refunded, finished_at, product_ids, quantities, unit_prices) SELECT j.job_id, " ORDER_COLUMNS(
            "s") " FROM unnest($1, $2, $3) AS n (job_id, last_at, last_id) JOIN reports.jobs j USING (job_id), LATERAL "
                 "(SELECT * "
                 "FROM reports.orders c WHERE c.placed_at >= n.last_at AND (c.placed_at, c.order_id) >= (n.last_at, "
                 "n.last_id) "
                 "AND " BEFORE_PLACE ") s WHERE " FITS("j") " ON CONFLICT (job_id, placed_at, order_id) DO NOTHING",
        "UZU"),
    [SUM_HOURS] = BUS_STATEMENT(SUM("hour", SHARES_OF_ORDERS), "Z"),
    [SUM_DAYS] = BUS_STATEMENT(SUM("day", SHARES_OF_HOURS), "Z"),
    [UPDATE_JOBS] = BUS_UPDATE(&job_columns),
    [FIND_JOBS] =
        BUS_STATEMENT("SELECT j.job_id FROM reports.jobs j WHERE " OPEN_JOB " ORDER BY j.created_at LIMIT 4", ""),
    [COUNT_JOBS] = BUS_STATEMENT("SELECT j.kind, j.status, count(*) FROM (SELECT c.kind, c.status FROM reports.jobs c "
                                 "ORDER BY c.created_at DESC, c.job_id DESC LIMIT 10000) j GROUP BY 1, 2",
                                 ""),
    /* One at a time: the orders that it exported go with it. */
    [PURGE_JOBS] =
        BUS_STATEMENT("DELETE FROM reports.jobs WHERE job_id = ANY (ARRAY(SELECT j.job_id FROM reports.jobs j "
                      "WHERE j.finished_at < now() - $1 * interval '1 day' ORDER BY j.finished_at LIMIT 1))",
                      "i"),
};

/* ---- reads ---- */

/* A search walks an index, newest first, up to n.scan orders, and numbers them. It gives those that fit its filters,
 * and the last one that it walked in any case, so that the page says where to go on: the last column is NULL but there,
 * and false if the order does not fit. One bound alone ends the walk: with two, an index scan may begin at the worse
 * one. */
#define SEARCH                                                                                                         \
  "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY AS n (order_status, customer_id, "             \
  "product_id, since, min_total, max_total, behind_at, behind_id, scan, take, page), "
#define WALK                                                                                                           \
  "c.placed_at >= n.since AND c.placed_at <= n.behind_at AND (c.placed_at, c.order_id) < (n.behind_at, n.behind_id) "  \
  "ORDER BY c.placed_at DESC, c.order_id DESC LIMIT n.scan"
#define SEARCH_PARAMS "TTTZIIZUII"
#define NUMBERED(rows)                                                                                                 \
  "(SELECT w.*, w.placed_at AS at, w.order_id AS id, row_number() OVER (ORDER BY w.placed_at DESC, w.order_id DESC) "  \
  "AS number FROM (" rows ") w) "
#define ORDERS(walked)                                                                                                 \
  BUS_STATEMENT_OF(&report_columns,                                                                                    \
                   "SELECT n.page, {o.view}, CASE WHEN o.number = n.scan THEN coalesce(o.fits, false) END " SEARCH     \
                   "LATERAL (SELECT * FROM (SELECT s.*, " FITS(                                                        \
                       "n") " AS fits FROM " walked "s) f WHERE f.fits OR "                                            \
                            "f.number = n.scan ORDER BY f.at DESC, f.id DESC LIMIT n.take) o "                         \
                            "ORDER BY n.page, o.at DESC, o.id DESC",                                                   \
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
    [GET_JOBS] = BUS_READ(&job_columns),
    [LIST_JOBS] = BUS_STATEMENT_OF(
        &job_columns,
        "SELECT n.page, {j.row} FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS n (status, kind, behind_at, "
        "behind_id, take, page), LATERAL (SELECT * FROM reports.jobs c WHERE (n.status IS NULL OR c.status = n.status) "
        "AND (n.kind IS NULL OR c.kind = n.kind) AND (c.created_at, c.job_id) < (n.behind_at, n.behind_id) "
        "ORDER BY c.created_at DESC, c.job_id DESC LIMIT n.take) j ORDER BY n.page, j.created_at DESC, j.job_id DESC",
        "TTZUI"),
    [COPIED_ORDERS] = BUS_STATEMENT_OF(
        &report_columns,
        "SELECT n.page, {o.view} FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS n (job_id, behind_at, behind_id, take, "
        "page), LATERAL (SELECT * FROM reports.exported c WHERE c.job_id = n.job_id AND (c.placed_at, c.order_id) < "
        "(n.behind_at, n.behind_id) ORDER BY c.placed_at DESC, c.order_id DESC LIMIT n.take) o "
        "ORDER BY n.page, o.placed_at DESC, o.order_id DESC",
        "UZUI"),
};

struct bus_statement data_statements[DATA_STATEMENTS], data_query_statements[DATA_QUERY_STATEMENTS];

bool data_statements_make(void) {
  return bus_recipes_make(recipes, DATA_STATEMENTS, data_statements) &&
         bus_recipes_make(query_recipes, DATA_QUERY_STATEMENTS, data_query_statements);
}
