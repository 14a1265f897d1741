-- A line of the audit names the columns that the log tells.
BEGIN;

CREATE OR REPLACE VIEW orders.audit_lines AS
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
