-- Takes the column away, and its index and right with it.
BEGIN;
ALTER TABLE inventory.reservations DROP COLUMN expected_until;
COMMIT;
