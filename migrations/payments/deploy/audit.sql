-- What the invariants ask, for operators and tests: payments whose state is not what the ledger says. It reads whole
-- tables: the service never does.
BEGIN;

-- No row at any time between two transactions.
CREATE VIEW payments.audit AS
SELECT coalesce(p.order_id, l.order_id) AS order_id, p.state, p.amount, p.refunded_amount, l.captured, l.refunded
FROM payments.payments p
FULL JOIN (SELECT order_id,
                  coalesce(sum(amount) FILTER (WHERE entry = 'captured'), 0)::bigint AS captured,
                  coalesce(sum(amount) FILTER (WHERE entry = 'refunded'), 0)::bigint AS refunded
           FROM payments.ledger GROUP BY order_id) l ON l.order_id = p.order_id
WHERE p.order_id IS NULL
   OR coalesce(l.refunded, 0) <> p.refunded_amount
   OR (p.state <> 'unknown'
       AND coalesce(l.captured, 0)
           <> CASE WHEN p.state IN ('captured', 'refunding', 'refunded') THEN p.amount ELSE 0 END);

COMMIT;
