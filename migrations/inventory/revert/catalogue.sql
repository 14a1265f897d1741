-- Takes the column and its index away. Orders that were rejected for a withdrawn product count as out of stock.
BEGIN;
UPDATE inventory.reservations SET reason = 'out_of_stock' WHERE reason = 'withdrawn';
ALTER TABLE inventory.reservations DROP CONSTRAINT reservations_reason_check;
ALTER TABLE inventory.reservations ADD CONSTRAINT reservations_reason_check
    CHECK (reason IN ('out_of_stock', 'unknown_product', 'total_mismatch', 'mixed_currencies', 'total_too_large'));
ALTER TABLE inventory.products DROP COLUMN withdrawn;
COMMIT;
