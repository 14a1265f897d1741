-- The service reads the whole log, and archives nothing.
SELECT 1 / (has_table_privilege('order_svc', 'orders.all_events', 'SELECT')
            AND NOT has_table_privilege('order_svc', 'orders.archived_events', 'INSERT')
            AND NOT has_function_privilege('order_svc', 'orders.archive(interval, bigint, bigint)', 'EXECUTE'))::int;
SELECT 1 / (count(*) = 3)::int FROM orders.archive_cursor;
