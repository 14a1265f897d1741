-- Columns, indexes and rights: nothing of what was ordered can be rewritten, and no order be deleted.
SELECT order_id, customer_id, status, shelf, stock_settled, payment_settled, version, created_at, updated_at, reason,
       product_ids, quantities, unit_prices, expected_total, total, currency, captured, refunded, request_hash, deadline,
       due_at, resends, payment_token, reply_to, request_id, reply_until, traceparent
FROM orders.orders WHERE false;
SELECT 1 / (count(*) >= 4)::int FROM pg_index WHERE indrelid = 'orders.orders'::regclass AND indisvalid;
SELECT 1 / (has_column_privilege('order_svc', 'orders.orders', 'status', 'UPDATE')
            AND NOT has_column_privilege('order_svc', 'orders.orders', 'customer_id', 'UPDATE')
            AND NOT has_column_privilege('order_svc', 'orders.orders', 'request_hash', 'UPDATE')
            AND NOT has_table_privilege('order_svc', 'orders.orders', 'DELETE'))::int;
