-- Columns and rights: a request that was carried out is not rewritten.
SELECT request_id, product_id, on_hand, created_at FROM inventory.stock_requests WHERE false;
SELECT 1 / (has_table_privilege('inventory_svc', 'inventory.stock_requests', 'INSERT')
            AND NOT has_table_privilege('inventory_svc', 'inventory.stock_requests', 'UPDATE'))::int;
