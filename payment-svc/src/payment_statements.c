/* Every SQL statement of payment-svc. */
#include "payment_statements.h"

/* How often a payment that is due has failed, as the index payments_due has it. */
#define FAILURES_MANY "3"
#define FAILURES "least(p.attempts, " FAILURES_MANY ") "

const struct bus_statement payment_statements[PAYMENT_STATEMENTS] = {
    [LOCK_PAYMENTS] =
        {"SELECT order_id, state, amount, currency, token, psp_id, psp_refund_id, reason, refunds, "
         "refunded_amount, attempts, first_attempt_at, next_attempt_at, refund_requested, traceparent, causation_id, "
         "tracestate, version "
         "FROM payments.payments WHERE order_id = ANY ($1) ORDER BY order_id FOR UPDATE",
         "U"},
    [INSERT_PAYMENTS] = {"INSERT INTO payments.payments (order_id, amount, currency, state, token, psp_id, "
                         "psp_refund_id, reason, refunds, refunded_amount, attempts, first_attempt_at, "
                         "next_attempt_at, refund_requested, "
                         "traceparent, causation_id, tracestate, version) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, "
                         "$7, $8, $9, $10, $11, "
                         "$12, $13, $14, $15, $16, $17, $18)",
                         "UITTTTTTIIIZZLTUTI"},
    [UPDATE_PAYMENTS] =
        {"UPDATE payments.payments p SET state = n.state, token = n.token, psp_id = n.psp_id, "
         "psp_refund_id = n.psp_refund_id, reason = n.reason, refunds = n.refunds, refunded_amount = "
         "n.refunded_amount, "
         "attempts = n.attempts, first_attempt_at = n.first_attempt_at, "
         "next_attempt_at = n.next_attempt_at, refund_requested = n.refund_requested, "
         "traceparent = n.traceparent, causation_id = n.causation_id, "
         "tracestate = n.tracestate, version = n.version, updated_at = now() "
         "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS n (order_id, state, "
         "token, psp_id, psp_refund_id, reason, refunds, refunded_amount, attempts, first_attempt_at, "
         "next_attempt_at, refund_requested, traceparent, causation_id, tracestate, version) WHERE p.order_id = "
         "n.order_id",
         "UTTTTTIIIZZLTUTI"},
    [INSERT_LEDGER] = {"INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id) "
                       "SELECT * FROM unnest($1, $2, $3, $4, $5)",
                       "UTITT"},
    [FIND_DUE] = {"(SELECT p.order_id FROM payments.payments p WHERE " FAILURES "= 0 AND p.next_attempt_at <= now() "
                  "ORDER BY p.next_attempt_at LIMIT $1) UNION ALL (SELECT d.order_id "
                  "FROM (VALUES (1::bigint), (2), (" FAILURES_MANY ")) AS f (failures) CROSS JOIN LATERAL "
                  "(SELECT p.order_id FROM payments.payments p WHERE " FAILURES "= f.failures "
                  "AND p.next_attempt_at <= now() ORDER BY p.next_attempt_at LIMIT $2) d "
                  "ORDER BY f.failures LIMIT $2)",
                  "ii"},
    /* Due later than anything can be: by the time of before the server's clock was set back. */
    [FIND_PUT_OFF] = {"SELECT d.order_id FROM (VALUES (0::bigint), (1), (2), (" FAILURES_MANY ")) AS f (failures) "
                      "CROSS JOIN LATERAL (SELECT p.order_id FROM payments.payments p WHERE " FAILURES "= f.failures "
                      "AND p.next_attempt_at > now() + $2 * interval '1 microsecond' "
                      "ORDER BY p.next_attempt_at DESC LIMIT $1) d LIMIT $1",
                      "ii"},
    [LOOK_AFTER] = {"SELECT count(*), count(*) FILTER (WHERE state = 'refunding' AND attempts >= $1 "
                    "AND psp_refund_id IS NULL), "
                    "(SELECT count(*) FROM (SELECT FROM payments.payments WHERE state = 'unknown' ORDER BY order_id "
                    "LIMIT " PAYMENT_GAUGE_MAX ") AS u), "
                    "coalesce((extract(epoch FROM now() - min(created_at)) * 1000000)::bigint, 0) "
                    "FROM (SELECT state, attempts, psp_refund_id, created_at FROM payments.payments "
                    "WHERE next_attempt_at IS NOT NULL ORDER BY least(attempts, " FAILURES_MANY "), next_attempt_at "
                    "LIMIT " PAYMENT_GAUGE_MAX ") AS o",
                    "i"},
};
