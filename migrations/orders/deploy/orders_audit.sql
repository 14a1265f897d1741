-- For operators and tests: orders with the names of their states, and each order with its log on one line of JSON, which
-- the program order-audit folds and compares with the row. Both read whole tables: the service never does.
BEGIN;

CREATE VIEW orders.order_list AS
SELECT order_id, customer_id,
       (ARRAY['PENDING', 'RESERVED', 'PAID', 'COMPENSATING', 'CONFIRMED', 'REJECTED', 'CANCELLED'])[status + 1] AS status,
       status >= 4 AS final, reason, total, currency, captured, refunded, stock_settled, payment_settled, version,
       created_at, updated_at, deadline, resends
FROM orders.orders;

CREATE VIEW orders.order_items AS
SELECT o.order_id, i.position, i.product_id, i.quantity, i.unit_price
FROM orders.orders o,
     unnest(o.product_ids, o.quantities, o.unit_prices) WITH ORDINALITY
         AS i (product_id, quantity, unit_price, position);

CREATE VIEW orders.audit_lines AS
SELECT o.order_id,
       json_build_object(
           'order_id', o.order_id, 'status', o.status, 'version', o.version, 'customer_id', o.customer_id,
           'product_ids', array_to_string(o.product_ids, ','), 'quantities', array_to_string(o.quantities, ','),
           'unit_prices', array_to_string(o.unit_prices, ','), 'expected_total', o.expected_total,
           'request_hash', o.request_hash, 'reason', o.reason, 'total', o.total, 'currency', o.currency,
           'captured', o.captured, 'refunded', o.refunded, 'stock_settled', o.stock_settled,
           'payment_settled', o.payment_settled, 'created_at', o.created_at, 'updated_at', o.updated_at,
           'events', coalesce((SELECT json_agg(json_build_object('seq', e.seq, 'type', e.type, 'at', e.at, 'data', e.data)
                                               ORDER BY e.seq)
                               FROM orders.order_events e WHERE e.order_id = o.order_id), '[]'::json)
       )::text AS line
FROM orders.orders o;

COMMIT;
