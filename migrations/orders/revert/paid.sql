-- Takes the comment away.
BEGIN;
COMMENT ON COLUMN orders.orders.status IS NULL;
COMMIT;
