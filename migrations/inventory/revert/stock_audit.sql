-- Takes the views away.
BEGIN;
DROP VIEW inventory.stock_audit;
DROP VIEW inventory.reservation_items;
COMMIT;
