/* order-svc's SQL. Parameter letters: bus/sql.h. order_rows.c reads the columns of an order in this order. */
#include "order_statements.h"

#include "order.h"

/* Columns that clients see. */
#define VIEW_COLUMNS                                                                                                   \
  "o.order_id, o.customer_id, o.status::bigint, o.reason, array_to_string(o.product_ids, ','), "                       \
  "array_to_string(o.quantities, ','), array_to_string(o.unit_prices, ','), o.total, o.currency, o.created_at, "       \
  "o.updated_at, o.version"
/* Columns that only the saga needs. */
#define SAGA_COLUMNS                                                                                                   \
  "o.expected_total, o.request_hash, o.captured, o.refunded, o.stock_settled, o.payment_settled, o.deadline, "         \
  "o.due_at, o.resends, o.payment_token, o.reply_to, o.request_id, o.reply_until, o.traceparent, "                     \
  "o.causation_id, o.tracestate"

#define GUARD_KEY "'orders.tombstones'::regclass::oid::bigint"

const struct bus_statement order_statements[ORDER_STATEMENTS] = {
    /* An order and a cancel that comes before it have no row in common: of two transactions at once, each would miss
     * what the other writes. So one that may write a tombstone runs alone among those that look for tombstones. */
    [GUARD_SHARED] = {"SELECT pg_advisory_xact_lock_shared(" GUARD_KEY ")", ""},
    [GUARD_ALONE] = {"SELECT pg_advisory_xact_lock(" GUARD_KEY ")", ""},
    [LOCK_ORDERS] = {"SELECT " VIEW_COLUMNS ", " SAGA_COLUMNS " FROM orders.orders o "
                     "WHERE o.order_id = ANY ($1) ORDER BY o.order_id FOR UPDATE",
                     "U"},
    /* An order that another worker inserted since it was not found: 23505, and the batch comes again. */
    [INSERT_ORDERS] =
        {"INSERT INTO orders.orders (order_id, customer_id, product_ids, quantities, expected_total, "
         "request_hash, created_at, traceparent, causation_id, tracestate, status, reason, unit_prices, total, "
         "currency, updated_at, version, captured, refunded, stock_settled, payment_settled, deadline, due_at, "
         "resends, payment_token, reply_to, request_id, reply_until) "
         "SELECT n.order_id, n.customer_id, string_to_array(n.product_ids, ','), "
         "string_to_array(n.quantities, ',')::bigint[], n.expected_total, n.request_hash, n.created_at, "
         "n.traceparent, n.causation_id, n.tracestate, n.status::smallint, n.reason, "
         "string_to_array(n.unit_prices, ',')::bigint[], n.total, n.currency, n.updated_at, n.version, n.captured, "
         "n.refunded, n.stock_settled, "
         "n.payment_settled, n.deadline, n.due_at, n.resends, n.payment_token, n.reply_to, "
         "n.request_id, n.reply_until "
         "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
         "$19, $20, $21, $22, $23, $24, $25, $26, $27, $28) AS n (order_id, customer_id, product_ids, quantities, "
         "expected_total, request_hash, created_at, traceparent, causation_id, tracestate, status, reason, "
         "unit_prices, total, currency, updated_at, version, captured, refunded, stock_settled, payment_settled, "
         "deadline, "
         "due_at, resends, payment_token, reply_to, request_id, reply_until)",
         "UTTTITZTUT"
         "ITTITZIIILLZZITTUZ"},
    [UPDATE_ORDERS] = {"UPDATE orders.orders o SET status = n.status::smallint, reason = n.reason, "
                       "unit_prices = string_to_array(n.unit_prices, ',')::bigint[], total = n.total, "
                       "currency = n.currency, updated_at = n.updated_at, version = n.version, "
                       "captured = n.captured, refunded = n.refunded, stock_settled = n.stock_settled, "
                       "payment_settled = n.payment_settled, deadline = n.deadline, due_at = n.due_at, "
                       "resends = n.resends, payment_token = n.payment_token, reply_to = n.reply_to, "
                       "request_id = n.request_id, reply_until = n.reply_until "
                       "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
                       "$19) AS n (order_id, status, reason, unit_prices, total, currency, updated_at, version, "
                       "captured, refunded, stock_settled, payment_settled, deadline, due_at, resends, "
                       "payment_token, reply_to, request_id, reply_until) WHERE o.order_id = n.order_id",
                       "U"
                       "ITTITZIIILLZZITTUZ"},
    [INSERT_EVENTS] = {"INSERT INTO orders.order_events (order_id, seq, type, at, data) "
                       "SELECT n.order_id, n.seq, n.type, n.at, n.data::json "
                       "FROM unnest($1, $2, $3, $4, $5) AS n (order_id, seq, type, at, data)",
                       "UITZT"},
    [FIND_TOMBSTONES] = {"SELECT t.order_id, t.customer_id, t.reason FROM orders.tombstones t "
                         "WHERE t.order_id = ANY ($1)",
                         "U"},
    [INSERT_TOMBSTONES] = {"INSERT INTO orders.tombstones (order_id, customer_id, reason) "
                           "SELECT n.order_id, n.customer_id, n.reason "
                           "FROM unnest($1, $2, $3) AS n (order_id, customer_id, reason)",
                           "UTT"},
    /* $1: hours. A tombstone that is as old as the inbox has met its order, or its order.place is gone. */
    [PURGE_TOMBSTONES] =
        {"DELETE FROM orders.tombstones WHERE received_at < now() - $1 * interval '1 hour' AND order_id "
         "= ANY (ARRAY(SELECT t.order_id FROM orders.tombstones t WHERE t.received_at < "
         "now() - $1 * interval '1 hour' ORDER BY t.received_at LIMIT 5000))",
         "i"},
    [FIND_DUE] = {"SELECT o.order_id FROM orders.orders o WHERE o.due_at <= now() ORDER BY o.due_at LIMIT $1", "i"},
    /* Due later than anything can be: by the time of before the server's clock was set back. */
    [FIND_PUT_OFF] = {"SELECT o.order_id FROM orders.orders o WHERE o.due_at > now() + $2 * interval '1 microsecond' "
                      "ORDER BY o.due_at DESC LIMIT $1",
                      "ii"},
    /* A struct order_load. Open: PENDING and RESERVED orders among the $1 newest on their shelf. Late: orders that were
     * undone by their deadline, or whose deadline is at most $2 µs away, among the $4 newest ones that are older than
     * $3 µs and newer than the newest CONFIRMED order. */
    [COUNT_OPEN] = {"SELECT (SELECT count(*) FROM (SELECT status FROM orders.orders WHERE shelf = 0 "
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
                    "iiii"},
};

/* Newest first behind a cursor. The index begins with the shelf (0: open, else the final status; a generated column, so
 * that the steps of an open order leave the index alone): one short range of each shelf that may hold some, merged. */
#define PAGE_OF(condition)                                                                                             \
  "CROSS JOIN LATERAL (SELECT o.* FROM (VALUES (0::smallint), (4::smallint), (5::smallint), (6::smallint)) "           \
  "AS s (shelf) CROSS JOIN LATERAL (SELECT * FROM orders.orders c WHERE " condition "c.shelf = s.shelf "               \
  "AND (c.created_at, c.order_id) < (n.before, n.before_id) AND (n.status IS NULL OR c.status = n.status) "            \
  "ORDER BY c.created_at DESC, c.order_id DESC LIMIT n.most) o "                                                       \
  "WHERE n.status IS NULL OR s.shelf = CASE WHEN n.status >= 4 THEN n.status ELSE 0 END "                              \
  "ORDER BY o.created_at DESC, o.order_id DESC LIMIT n.most) o "                                                       \
  "ORDER BY n.place, o.created_at DESC, o.order_id DESC"

const struct bus_statement order_query_statements[ORDER_QUERY_STATEMENTS] = {
    [GET_ORDERS] = {"SELECT " VIEW_COLUMNS ", n.place FROM unnest($1, $2) WITH ORDINALITY "
                    "AS n (order_id, customer_id, place) JOIN orders.orders o ON o.order_id = n.order_id "
                    "WHERE n.customer_id IS NULL OR o.customer_id = n.customer_id ORDER BY n.place",
                    "UT"},
    [LIST_ORDERS] = {"SELECT " VIEW_COLUMNS ", n.place FROM unnest($1, $2, $3, $4) WITH ORDINALITY "
                     "AS n (status, before, before_id, most, place) " PAGE_OF(""),
                     "IZUI"},
    [LIST_ORDERS_OF_CUSTOMERS] = {"SELECT " VIEW_COLUMNS ", n.place FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY "
                                  "AS n (customer_id, status, before, before_id, most, place) " PAGE_OF(
                                      "c.customer_id = n.customer_id AND "),
                                  "TIZUI"},
    /* An order without events behind the cursor gives one row with NULLs; no order gives none. */
    [LIST_EVENTS] = {"SELECT n.place, e.seq, e.type, e.at, e.data::text FROM unnest($1, $2, $3, $4) WITH ORDINALITY "
                     "AS n (order_id, customer_id, after_seq, most, place) "
                     "JOIN orders.orders o ON o.order_id = n.order_id "
                     "AND (n.customer_id IS NULL OR o.customer_id = n.customer_id) "
                     "LEFT JOIN LATERAL (SELECT v.seq, v.type, v.at, v.data FROM orders.order_events v "
                     "WHERE v.order_id = n.order_id AND v.seq > n.after_seq ORDER BY v.seq LIMIT n.most) e ON true "
                     "ORDER BY n.place, e.seq",
                     "UTII"},
    /* One row, by the primary key: ids are in order of time. */
    [OUTBOX_AGE] = {"SELECT coalesce((SELECT greatest(0, floor(extract(epoch FROM now() - created_at) * 1000)) "
                    "FROM bus.outbox ORDER BY id LIMIT 1), 0)::bigint",
                    ""},
};
