-- Which requests of inventory.set-stock were carried out: the same request again is answered, not carried out again.
-- Kept for seven days, as the inbox is.
BEGIN;

CREATE TABLE inventory.stock_requests (
    request_id uuid             PRIMARY KEY,
    product_id text COLLATE "C" NOT NULL,
    on_hand    bigint           NOT NULL,
    created_at timestamptz      NOT NULL DEFAULT now()
);
CREATE INDEX stock_requests_age ON inventory.stock_requests (created_at);

GRANT SELECT, INSERT, DELETE ON inventory.stock_requests TO inventory_svc;

COMMIT;
