-- The role reads nothing here any more.
BEGIN;

REVOKE SELECT (order_id, seq, type, at) ON orders.order_events FROM orders_operator;
REVOKE SELECT (order_id, received_at) ON orders.tombstones FROM orders_operator;
REVOKE USAGE ON SCHEMA orders FROM orders_operator;
DROP VIEW orders.order_states;

COMMIT;
