-- Takes the right away.
BEGIN;

REVOKE SELECT ON inventory.reservation_items FROM inventory_operator;

COMMIT;
