-- The tables are there, and the runtime role may change no more than it must.
SELECT order_id, placed_at, status FROM reports.orders WHERE false;
SELECT product_id, placed_at, order_id FROM reports.lines WHERE false;
SELECT grain, slot, orders FROM reports.rollups WHERE false;
SELECT 1 / (count(*) >= 4)::int FROM reports.months;
SELECT 1 / (has_table_privilege('data_svc', 'reports.orders', 'INSERT')
            AND NOT has_table_privilege('data_svc', 'reports.orders', 'DELETE')
            AND NOT has_column_privilege('data_svc', 'reports.orders', 'customer_id', 'UPDATE')
            AND NOT has_table_privilege('data_svc', 'reports.lines', 'UPDATE')
            AND NOT has_table_privilege('data_svc', 'reports.months', 'INSERT')
            AND NOT has_schema_privilege('data_svc', 'reports', 'CREATE')
            AND has_function_privilege('data_svc', 'reports.keep_months(bigint, bigint)', 'EXECUTE'))::int;
