-- Takes the catalogue away.
BEGIN;
DROP TABLE inventory.products;
DROP SCHEMA inventory;
COMMIT;
