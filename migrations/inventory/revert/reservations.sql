-- Takes the reservations away.
BEGIN;
DROP TABLE inventory.reservations;
COMMIT;
