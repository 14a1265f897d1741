-- The column, its index and the right to move it on.
SELECT expected_until FROM inventory.reservations WHERE false;
SELECT 'inventory.reservations_held'::regclass;
SELECT 1 / has_column_privilege('inventory_svc', 'inventory.reservations', 'expected_until', 'UPDATE')::int;
