-- Products are withdrawn from sale and put again; orders for a withdrawn product are rejected with a reason of its own.
-- Lists and searches leave withdrawn products out: their indexes have only the others. No number of the stock is in an
-- index, so that an update of the stock stays on its page.
BEGIN;

ALTER TABLE inventory.products ADD COLUMN withdrawn boolean NOT NULL DEFAULT false;
GRANT UPDATE (withdrawn) ON inventory.products TO inventory_svc;
CREATE INDEX products_on_sale ON inventory.products (product_id) WHERE NOT withdrawn;
CREATE INDEX products_by_price ON inventory.products (price, product_id) WHERE NOT withdrawn;
CREATE INDEX products_by_word ON inventory.products USING gin (to_tsvector('simple', name)) WHERE NOT withdrawn;

ALTER TABLE inventory.reservations DROP CONSTRAINT reservations_reason_check;
ALTER TABLE inventory.reservations ADD CONSTRAINT reservations_reason_check
    CHECK (reason IN ('out_of_stock', 'unknown_product', 'total_mismatch', 'mixed_currencies', 'total_too_large',
                      'withdrawn')) NOT VALID;
ALTER TABLE inventory.reservations VALIDATE CONSTRAINT reservations_reason_check;

COMMIT;
