/* Every SQL statement of payment-svc. */
#include "payment_statements.h"

#include "payment_columns.h"

/* How often a payment that is due has failed, as the index payments_due has it. */
#define FAILURES_MANY "3"
#define FAILURES "least(p.attempts, " FAILURES_MANY ") "

static const struct bus_recipe recipes[PAYMENT_STATEMENTS] = {
    [LOCK_PAYMENTS] = BUS_LOCK(&payment_columns),
    [READ_REFUNDS] =
        BUS_STATEMENT_OF(&refund_columns,
                         "SELECT {r.row} FROM payments.refunds r WHERE r.order_id = ANY ($1) "
                         "AND r.state = 'open' UNION ALL SELECT {n.row} FROM payments.refunds n "
                         "WHERE n.refund_id = ANY ($2) AND (n.order_id = ANY ($1) AND n.state = 'open') IS NOT TRUE",
                         "UU"),
    [INSERT_PAYMENTS] = BUS_INSERT(&payment_columns),
    [UPDATE_PAYMENTS] = BUS_UPDATE(&payment_columns),
    [INSERT_LEDGER] = BUS_INSERT(&booking_columns),
    [INSERT_REFUNDS] = BUS_INSERT(&refund_columns),
    [UPDATE_REFUNDS] = BUS_UPDATE(&refund_columns),
    [INSERT_DISPUTES] = BUS_INSERT(&dispute_columns),
    [FIND_DUE] = BUS_STATEMENT("(SELECT p.order_id FROM payments.payments p WHERE " FAILURES
                               "= 0 AND p.next_attempt_at <= now() "
                               "ORDER BY p.next_attempt_at LIMIT $1) UNION ALL (SELECT d.order_id "
                               "FROM (VALUES (1::bigint), (2), (" FAILURES_MANY ")) AS f (failures) CROSS JOIN LATERAL "
                               "(SELECT p.order_id FROM payments.payments p WHERE " FAILURES "= f.failures "
                               "AND p.next_attempt_at <= now() ORDER BY p.next_attempt_at LIMIT $2) d "
                               "ORDER BY f.failures LIMIT $2)",
                               "ii"),
    /* Due later than anything can be: by the time of before the server's clock was set back. */
    [FIND_PUT_OFF] =
        BUS_STATEMENT("SELECT d.order_id FROM (VALUES (0::bigint), (1), (2), (" FAILURES_MANY ")) AS f (failures) "
                      "CROSS JOIN LATERAL (SELECT p.order_id FROM payments.payments p WHERE " FAILURES "= f.failures "
                      "AND p.next_attempt_at > now() + $2 * interval '1 microsecond' "
                      "ORDER BY p.next_attempt_at DESC LIMIT $1) d LIMIT $1",
                      "ii"),
    [LOOK_AFTER] =
        BUS_STATEMENT("SELECT count(*), count(*) FILTER (WHERE state = 'refunding' AND attempts >= $1 "
                      "AND psp_refund_id IS NULL), "
                      "(SELECT count(*) FROM (SELECT FROM payments.payments WHERE state = 'unknown' ORDER BY order_id "
                      "LIMIT " PAYMENT_GAUGE_MAX ") AS u), "
                      "coalesce((extract(epoch FROM now() - min(created_at)) * 1000000)::bigint, 0) "
                      "FROM (SELECT state, attempts, psp_refund_id, created_at FROM payments.payments "
                      "WHERE next_attempt_at IS NOT NULL ORDER BY least(attempts, " FAILURES_MANY "), next_attempt_at "
                      "LIMIT " PAYMENT_GAUGE_MAX ") AS o",
                      "i"),
};

static const struct bus_recipe query_recipes[PAYMENT_QUERY_STATEMENTS] = {
    [GET_PAYMENTS] = BUS_STATEMENT_OF(&payment_columns,
                                      "SELECT {p.row} FROM payments.payments p WHERE p.order_id = ANY ($1) "
                                      "ORDER BY p.order_id",
                                      "U"),
    [GET_PAYMENT_REFUNDS] = BUS_STATEMENT_OF(&refund_columns,
                                             "SELECT {r.row} FROM payments.refunds r WHERE r.order_id = ANY ($1) "
                                             "ORDER BY r.order_id, r.number",
                                             "U"),
    /* The condition is that of the index payments_open_refunds. */
    [LIST_OPEN_REFUNDS] = BUS_STATEMENT_OF(
        &payment_columns,
        "SELECT n.page, {p.row} FROM unnest($1, $2) WITH ORDINALITY AS n (most, id, page), LATERAL (SELECT * "
        "FROM payments.payments c WHERE c.state IN ('refunding', 'unknown') AND (c.refund_requested OR c.refund_id IS "
        "NOT NULL) AND c.order_id > n.id ORDER BY c.order_id LIMIT n.most) p ORDER BY n.page, p.order_id",
        "IU"),
};

struct bus_statement payment_statements[PAYMENT_STATEMENTS], payment_query_statements[PAYMENT_QUERY_STATEMENTS];

bool payment_statements_make(void) {
  return bus_recipes_make(recipes, PAYMENT_STATEMENTS, payment_statements) &&
         bus_recipes_make(query_recipes, PAYMENT_QUERY_STATEMENTS, payment_query_statements);
}
