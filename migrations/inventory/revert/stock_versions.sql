-- Takes both columns away. The version of a product goes on from the sum of both, so that it never becomes one that a
-- client has seen already. A request that changed the stock by a delta counts as one that set it.
BEGIN;
UPDATE inventory.products SET version = version + stock_version;
ALTER TABLE inventory.products DROP COLUMN stock_version;
ALTER TABLE inventory.stock_requests DROP COLUMN delta;
COMMIT;
