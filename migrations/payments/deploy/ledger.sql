-- Money that moved between the customer and us. Append-only for the service, and each kind once an order: a second
-- capture cannot be written down.
BEGIN;

CREATE TABLE payments.ledger (
    order_id uuid        NOT NULL,
    entry    text        NOT NULL CHECK (entry IN ('captured', 'refunded')),
    amount   bigint      NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000),  -- minor units
    currency text        NOT NULL CHECK (octet_length(currency) = 3),
    psp_id   text        NOT NULL CHECK (octet_length(psp_id) BETWEEN 1 AND 128),
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, entry)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 100000,
        autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 20000);

GRANT SELECT, INSERT ON payments.ledger TO payment_svc;

COMMIT;
