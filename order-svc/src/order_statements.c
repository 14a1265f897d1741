/* order-svc's SQL. */
#include "order_statements.h"

#include "order.h"
#include "order_columns.h"

#define GUARD_KEY "'orders.tombstones'::regclass::oid::bigint"

static const struct bus_recipe recipes[ORDER_STATEMENTS] = {
    /* An order and a cancel that comes before it have no row in common: of two transactions at once, each would miss
     * what the other writes. So one that may write a tombstone runs alone among those that look for tombstones. */
    [GUARD_SHARED] = BUS_STATEMENT("SELECT pg_advisory_xact_lock_shared(" GUARD_KEY ")", ""),
    [GUARD_ALONE] = BUS_STATEMENT("SELECT pg_advisory_xact_lock(" GUARD_KEY ")", ""),
    /* Two transactions that count a customer's unpaid orders would each miss those of the other: one at a time. */
    [GUARD_UNPAID] = BUS_STATEMENT("SELECT pg_advisory_xact_lock('orders.orders'::regclass::oid::bigint)", ""),
    [LOCK_ORDERS] = BUS_LOCK(&order_columns),
    /* An order that another worker inserted since it was not found: 23505, and the batch comes again. */
    [INSERT_ORDERS] = BUS_INSERT(&order_columns),
    [UPDATE_ORDERS] = BUS_UPDATE(&order_columns),
    [INSERT_EVENTS] = BUS_INSERT(&event_columns),
    [FIND_TOMBSTONES] = BUS_STATEMENT_OF(&tombstone_columns,
                                         "SELECT {t.row} FROM orders.tombstones t WHERE t.order_id = ANY ($1)", "U"),
    /* The open orders that are paid later: of each customer, and of all, as far as limits go ($2, $3). */
    [COUNT_UNPAID] = BUS_STATEMENT(
        "SELECT n.customer_id, (SELECT count(*) FROM (SELECT FROM orders.orders o WHERE o.customer_id = "
        "n.customer_id AND o.pay_later AND o.shelf IN (0, 7) LIMIT $1) AS c), a.unpaid "
        "FROM unnest($3) AS n (customer_id), (SELECT count(*) AS unpaid FROM (SELECT FROM orders.orders o "
        "WHERE o.pay_later AND o.shelf IN (0, 7) LIMIT $2) AS c) AS a",
        "iiT"),
    /* The order.pay that attempts followed, from the whole log: a key replays also after its order was archived. */
    [FIND_ATTEMPTS] = BUS_STATEMENT("SELECT e.order_id, e.data::text FROM orders.all_events e "
                                    "WHERE e.order_id = ANY ($1) AND e.type = 'payment.requested'",
                                    "U"),
    [INSERT_TOMBSTONES] = BUS_INSERT(&tombstone_columns),
    /* $1: hours. A tombstone that is as old as the inbox has met its order, or its order.place is gone. */
    [PURGE_TOMBSTONES] =
        BUS_STATEMENT("DELETE FROM orders.tombstones WHERE received_at < now() - $1 * interval '1 hour' AND order_id "
                      "= ANY (ARRAY(SELECT t.order_id FROM orders.tombstones t WHERE t.received_at < "
                      "now() - $1 * interval '1 hour' ORDER BY t.received_at LIMIT 5000))",
                      "i"),
    [FIND_DUE] =
        BUS_STATEMENT("SELECT o.order_id FROM orders.orders o WHERE o.due_at <= now() ORDER BY o.due_at LIMIT $1", "i"),
    /* Due later than anything can be: by the time of before the server's clock was set back. $3: of orders that await
     * their payment. */
    [FIND_PUT_OFF] =
        BUS_STATEMENT("SELECT o.order_id FROM orders.orders o WHERE o.due_at > now() + $2 * interval '1 microsecond' "
                      "AND (o.status <> 7 OR o.due_at > now() + $3 * interval '1 microsecond') "
                      "ORDER BY o.due_at DESC LIMIT $1",
                      "iii"),
    /* A struct order_load. Open: PENDING and RESERVED orders among the $1 newest on their shelf. Late: orders that were
     * undone by their deadline, or whose deadline is at most $2 µs away, among the $4 newest ones that are older than
     * $3 µs and newer than the newest CONFIRMED order. */
    [COUNT_OPEN] =
        BUS_STATEMENT("SELECT (SELECT count(*) FROM (SELECT status FROM orders.orders WHERE shelf = 0 "
                      "ORDER BY created_at DESC, order_id DESC LIMIT $1) AS o WHERE o.status <= 1), "
                      "(SELECT count(*) FROM (SELECT a.* FROM (VALUES (0::smallint), (5::smallint), (6::smallint)) "
                      "AS s (shelf) CROSS JOIN LATERAL (SELECT status, reason, deadline, created_at, order_id "
                      "FROM orders.orders WHERE shelf = s.shelf AND created_at > coalesce((SELECT c.created_at "
                      "FROM orders.orders c WHERE c.shelf = 4 ORDER BY c.created_at DESC, c.order_id DESC LIMIT 1), "
                      "'-infinity') AND created_at <= now() - $3 * interval '1 microsecond' "
                      "ORDER BY created_at DESC, order_id DESC LIMIT $4) AS a "
                      "ORDER BY a.created_at DESC, a.order_id DESC LIMIT $4) AS o "
                      "WHERE (o.status = 3 AND o.reason = '" ORDER_REASON_TIMEOUT "') "
                      "OR (o.status <= 1 AND o.deadline <= now() + $2 * interval '1 microsecond'))",
                      "iiii"),
};

/* Newest first behind a cursor. The index begins with the shelf (0: open, else the status, final or AWAITING_PAYMENT; a
 * generated column, so that the steps of an open order leave the index alone): one short range of each shelf that may
 * hold some, merged. */
#define PAGE_OF(condition)                                                                                             \
  "CROSS JOIN LATERAL (SELECT o.* FROM (VALUES (0::smallint), (4::smallint), (5::smallint), (6::smallint), "           \
  "(7::smallint)) "                                                                                                    \
  "AS s (shelf) CROSS JOIN LATERAL (SELECT * FROM orders.orders c WHERE " condition "c.shelf = s.shelf "               \
  "AND (c.created_at, c.order_id) < (n.before, n.before_id) AND (n.status IS NULL OR c.status = n.status) "            \
  "ORDER BY c.created_at DESC, c.order_id DESC LIMIT n.most) o "                                                       \
  "WHERE n.status IS NULL OR s.shelf = CASE WHEN n.status >= 4 THEN n.status ELSE 0 END "                              \
  "ORDER BY o.created_at DESC, o.order_id DESC LIMIT n.most) o "                                                       \
  "ORDER BY n.place, o.created_at DESC, o.order_id DESC"

static const struct bus_recipe query_recipes[ORDER_QUERY_STATEMENTS] = {
    [GET_ORDERS] =
        BUS_STATEMENT_OF(&order_columns,
                         "SELECT n.place, {o.view} FROM unnest($1, $2) WITH ORDINALITY "
                         "AS n (order_id, customer_id, place) JOIN orders.orders o ON o.order_id = n.order_id "
                         "WHERE n.customer_id IS NULL OR o.customer_id = n.customer_id ORDER BY n.place",
                         "UT"),
    [LIST_ORDERS] = BUS_STATEMENT_OF(&order_columns,
                                     "SELECT n.place, {o.view} FROM unnest($1, $2, $3, $4) WITH ORDINALITY "
                                     "AS n (status, before, before_id, most, place) " PAGE_OF(""),
                                     "IZUI"),
    [LIST_ORDERS_OF_CUSTOMERS] = BUS_STATEMENT_OF(
        &order_columns,
        "SELECT n.place, {o.view} FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY "
        "AS n (customer_id, status, before, before_id, most, place) " PAGE_OF("c.customer_id = n.customer_id AND "),
        "TIZUI"),
    /* An order without events behind the cursor gives one row with NULLs; no order gives none. */
    [LIST_EVENTS] =
        BUS_STATEMENT("SELECT n.place, e.seq, e.type, e.at, e.data::text FROM unnest($1, $2, $3, $4) WITH ORDINALITY "
                      "AS n (order_id, customer_id, after_seq, most, place) "
                      "JOIN orders.orders o ON o.order_id = n.order_id "
                      "AND (n.customer_id IS NULL OR o.customer_id = n.customer_id) "
                      "LEFT JOIN LATERAL (SELECT v.seq, v.type, v.at, v.data FROM orders.all_events v "
                      "WHERE v.order_id = n.order_id AND v.seq > n.after_seq ORDER BY v.seq LIMIT n.most) e ON true "
                      "ORDER BY n.place, e.seq",
                      "UTII"),
    /* One row, by the primary key: ids are in order of time. */
    [OUTBOX_AGE] =
        BUS_STATEMENT("SELECT coalesce((SELECT greatest(0, floor(extract(epoch FROM now() - created_at) * 1000)) "
                      "FROM bus.outbox ORDER BY id LIMIT 1), 0)::bigint",
                      ""),
};

struct bus_statement order_statements[ORDER_STATEMENTS], order_query_statements[ORDER_QUERY_STATEMENTS];

bool order_statements_make(void) {
  return bus_recipes_make(recipes, ORDER_STATEMENTS, order_statements) &&
         bus_recipes_make(query_recipes, ORDER_QUERY_STATEMENTS, order_query_statements);
}
