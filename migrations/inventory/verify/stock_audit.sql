-- The views are there, for operators only.
SELECT order_id, state, position, product_id, quantity, unit_price FROM inventory.reservation_items WHERE false;
SELECT product_id, held_reserved, held_sold FROM inventory.stock_audit WHERE false;
SELECT 1 / (NOT has_table_privilege('inventory_svc', 'inventory.stock_audit', 'SELECT'))::int;
