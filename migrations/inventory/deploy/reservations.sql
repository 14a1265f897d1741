-- One row an order, with its items in three arrays of one length: a batch writes one heap row and one index entry for a
-- reservation, however many items it has. inventory.reservation_items shows them as rows. A row is inserted once and
-- changed at most once more, with its neighbours in one batch: half of each page is left for those second versions, so
-- that no index learns of them.
BEGIN;

CREATE TABLE inventory.reservations (
    order_id    uuid             PRIMARY KEY,
    state       text             NOT NULL CHECK (state IN ('RESERVED', 'COMMITTED', 'RELEASED', 'REJECTED')),
    reason      text             CHECK (reason IN ('out_of_stock', 'unknown_product', 'total_mismatch',
                                                   'mixed_currencies', 'total_too_large')),
    product_id  text COLLATE "C" CHECK (octet_length(product_id) BETWEEN 1 AND 64),  -- the one it was rejected for
    total       bigint           CHECK (total BETWEEN 0 AND 1000000000000),          -- minor units
    currency    text             CHECK (octet_length(currency) = 3),
    product_ids text[] COLLATE "C" NOT NULL DEFAULT '{}',
    quantities  bigint[]         NOT NULL DEFAULT '{}',
    unit_prices bigint[]         NOT NULL DEFAULT '{}',   -- locked when it was reserved
    created_at  timestamptz      NOT NULL DEFAULT now(),
    updated_at  timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT reservations_items CHECK (cardinality(product_ids) = cardinality(quantities)
                                         AND cardinality(product_ids) = cardinality(unit_prices)
                                         AND cardinality(product_ids) <= 100 AND 0 < ALL (quantities)),
    CONSTRAINT reservations_rejected CHECK ((state = 'REJECTED') = (reason IS NOT NULL)),
    -- What was ever reserved has items, a total and a currency; a tombstone (released before it was reserved) and a
    -- rejection have none.
    CONSTRAINT reservations_priced CHECK ((total IS NOT NULL) = (cardinality(product_ids) > 0)
                                          AND (currency IS NOT NULL) = (total IS NOT NULL)),
    CONSTRAINT reservations_held CHECK (CASE state WHEN 'REJECTED' THEN total IS NULL
                                                   WHEN 'RELEASED' THEN true
                                                   ELSE total IS NOT NULL END)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 100000,
        autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 20000);

GRANT SELECT, INSERT ON inventory.reservations TO inventory_svc;
GRANT UPDATE (state, updated_at) ON inventory.reservations TO inventory_svc;

COMMIT;
