-- Columns and rights of the catalogue: the service cannot delete a product.
SELECT product_id, name, price, currency, on_hand, reserved, sold, received, version, updated_at
FROM inventory.products WHERE false;
SELECT 1 / (has_column_privilege('inventory_svc', 'inventory.products', 'on_hand', 'UPDATE')
            AND NOT has_column_privilege('inventory_svc', 'inventory.products', 'product_id', 'UPDATE')
            AND NOT has_table_privilege('inventory_svc', 'inventory.products', 'DELETE'))::int;
