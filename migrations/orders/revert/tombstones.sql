-- Takes the tombstones away.
BEGIN;
DROP TABLE orders.tombstones;
COMMIT;
