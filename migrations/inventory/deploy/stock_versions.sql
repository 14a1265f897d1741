-- Moves of a product's stock have a version of their own, so that a condition on the product's version holds while it
-- sells. Requests that changed the stock by a delta are remembered beside those that set it.
BEGIN;

ALTER TABLE inventory.products ADD COLUMN stock_version bigint NOT NULL DEFAULT 1 CHECK (stock_version >= 1);
GRANT UPDATE (stock_version) ON inventory.products TO inventory_svc;

ALTER TABLE inventory.stock_requests
    ADD COLUMN delta bigint CHECK (delta BETWEEN -1000000000 AND 1000000000);  -- NULL: on_hand was set

COMMIT;
