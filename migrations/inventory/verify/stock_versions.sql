-- Both columns, and the right to change the first.
SELECT stock_version FROM inventory.products WHERE false;
SELECT delta FROM inventory.stock_requests WHERE false;
SELECT 1 / has_column_privilege('inventory_svc', 'inventory.products', 'stock_version', 'UPDATE')::int;
