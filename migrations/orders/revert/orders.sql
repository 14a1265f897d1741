-- Takes the orders away.
BEGIN;
DROP TABLE orders.orders;
DROP SCHEMA orders;
COMMIT;
