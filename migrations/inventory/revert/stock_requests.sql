-- Takes the memory of requests away.
BEGIN;
DROP TABLE inventory.stock_requests;
COMMIT;
