-- The operator's role reads items, and changes nothing.
SELECT 1 / (has_table_privilege('inventory_operator', 'inventory.reservation_items', 'SELECT')
            AND NOT has_table_privilege('inventory_operator', 'inventory.reservations', 'UPDATE'))::int;
