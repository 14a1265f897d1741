-- Columns and rights: what was reserved, at which price, is written once.
SELECT order_id, state, reason, product_id, total, currency, product_ids, quantities, unit_prices, created_at, updated_at
FROM inventory.reservations WHERE false;
SELECT 1 / (has_column_privilege('inventory_svc', 'inventory.reservations', 'state', 'UPDATE')
            AND NOT has_column_privilege('inventory_svc', 'inventory.reservations', 'unit_prices', 'UPDATE')
            AND NOT has_table_privilege('inventory_svc', 'inventory.reservations', 'DELETE'))::int;
