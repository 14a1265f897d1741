-- States of orders for operators, without customers' data.
BEGIN;

-- Without the customer, and without the customer's own words.
CREATE VIEW orders.order_states AS
SELECT order_id,
       (ARRAY['PENDING', 'RESERVED', 'PAID', 'COMPENSATING', 'CONFIRMED', 'REJECTED', 'CANCELLED',
              'AWAITING_PAYMENT'])[status + 1] AS status,
       CASE WHEN reason LIKE 'customer:%' THEN 'customer' ELSE reason END AS reason, total, currency, captured,
       refunded, stock_settled, payment_settled, version, created_at, updated_at, deadline, due_at, resends,
       pay_later, attempts, causation_id
FROM orders.orders;

GRANT USAGE ON SCHEMA orders TO orders_operator;
GRANT SELECT ON orders.order_states TO orders_operator;
GRANT SELECT (order_id, seq, type, at) ON orders.order_events TO orders_operator;
GRANT SELECT (order_id, received_at) ON orders.tombstones TO orders_operator;

COMMIT;
