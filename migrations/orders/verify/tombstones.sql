-- Columns, indexes and rights: a tombstone is never rewritten.
SELECT order_id, customer_id, reason, received_at FROM orders.tombstones WHERE false;
SELECT 1 / (count(*) = 2)::int FROM pg_index WHERE indrelid = 'orders.tombstones'::regclass AND indisvalid;
SELECT 1 / (has_table_privilege('order_svc', 'orders.tombstones', 'INSERT')
            AND has_table_privilege('order_svc', 'orders.tombstones', 'DELETE')
            AND NOT has_any_column_privilege('order_svc', 'orders.tombstones', 'UPDATE')
            AND NOT has_table_privilege('order_svc', 'orders.tombstones', 'TRUNCATE'))::int;
