-- What happened to each order, in its order. Written once, read for ever: the service may add and read, and no more. The
-- text of the data is kept as it was written (json, not jsonb). No foreign key: both rows are written by one statement
-- each of one transaction, and neither is ever deleted; the fold audit compares them.
BEGIN;

CREATE TABLE orders.order_events (
    order_id uuid             NOT NULL,
    seq      bigint           NOT NULL CHECK (seq >= 1),
    type     text COLLATE "C" NOT NULL CHECK (octet_length(type) BETWEEN 1 AND 64),
    at       timestamptz      NOT NULL,
    data     json             NOT NULL,
    PRIMARY KEY (order_id, seq)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_insert_threshold = 100000,
        autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 50000);

GRANT SELECT, INSERT ON orders.order_events TO order_svc;

COMMIT;
