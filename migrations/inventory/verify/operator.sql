-- The role reads states of reservations.
SELECT 1 / (has_column_privilege('inventory_operator', 'inventory.reservations', 'state', 'SELECT')
            AND NOT has_column_privilege('inventory_operator', 'inventory.reservations', 'product_ids', 'SELECT'))::int;
