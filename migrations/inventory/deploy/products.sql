-- The catalogue and its stock. Rows of products that sell well are updated by every batch: the numbers are in no index,
-- and half of each page is free, so that an update stays on its page and touches no index (HOT).
BEGIN;

CREATE SCHEMA inventory;
REVOKE ALL ON SCHEMA inventory FROM PUBLIC;
GRANT USAGE ON SCHEMA inventory TO inventory_svc;

CREATE TABLE inventory.products (
    product_id text COLLATE "C" PRIMARY KEY CHECK (product_id ~ '^[A-Za-z0-9._:-]{1,64}$'),
    name       text        NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 200),
    price      bigint      NOT NULL CHECK (price BETWEEN 0 AND 1000000000000),  -- minor units
    currency   text        NOT NULL CHECK (currency ~ '^[A-Za-z0-9._:-]{3}$'),
    on_hand    bigint      NOT NULL CHECK (on_hand >= 0),                       -- what can still be reserved
    reserved   bigint      NOT NULL DEFAULT 0 CHECK (reserved >= 0),            -- held by open orders
    sold       bigint      NOT NULL DEFAULT 0 CHECK (sold >= 0),
    received   bigint      NOT NULL,
    version    bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT products_balance CHECK (received = on_hand + reserved + sold)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_analyze_scale_factor = 0.1, autovacuum_analyze_threshold = 5000);

GRANT SELECT, INSERT ON inventory.products TO inventory_svc;
GRANT UPDATE (name, price, currency, on_hand, reserved, sold, received, version, updated_at)
    ON inventory.products TO inventory_svc;

COMMIT;
