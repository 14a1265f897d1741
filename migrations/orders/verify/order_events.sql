-- Columns and rights: append-only for the service.
SELECT order_id, seq, type, at, data FROM orders.order_events WHERE false;
SELECT 1 / (has_table_privilege('order_svc', 'orders.order_events', 'INSERT')
            AND has_table_privilege('order_svc', 'orders.order_events', 'SELECT')
            AND NOT has_any_column_privilege('order_svc', 'orders.order_events', 'UPDATE')
            AND NOT has_table_privilege('order_svc', 'orders.order_events', 'DELETE')
            AND NOT has_table_privilege('order_svc', 'orders.order_events', 'TRUNCATE'))::int;
