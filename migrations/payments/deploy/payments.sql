-- One row an order. A charge is inserted before the PSP is called; next_attempt_at says when somebody must look again.
-- No card data: only the PSP's token, and that no longer than a charge can still follow.
BEGIN;

CREATE SCHEMA payments;
REVOKE ALL ON SCHEMA payments FROM PUBLIC;
GRANT USAGE ON SCHEMA payments TO payment_svc;

CREATE TABLE payments.payments (
    order_id         uuid        PRIMARY KEY,
    state            text        NOT NULL CHECK (state IN ('processing', 'captured', 'declined', 'failed', 'voided',
                                                           'refunding', 'refunded', 'unknown')),
    amount           bigint      NOT NULL CHECK (amount BETWEEN 0 AND 1000000000000),  -- minor units
    currency         text        CHECK (octet_length(currency) = 3),                   -- NULL: never charged
    token            text        CHECK (octet_length(token) BETWEEN 1 AND 128),
    psp_id           text        CHECK (octet_length(psp_id) BETWEEN 1 AND 128),       -- the PSP's payment intent
    reason           text        CHECK (octet_length(reason) BETWEEN 1 AND 64),
    refunds          bigint      NOT NULL DEFAULT 0 CHECK (refunds >= 0),   -- number of the refund's idempotency key
    refunded_amount  bigint      NOT NULL DEFAULT 0,
    attempts         bigint      NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    first_attempt_at timestamptz,                               -- when the idempotency key in use was first sent
    next_attempt_at  timestamptz,
    refund_requested boolean     NOT NULL DEFAULT false,
    traceparent      text        CHECK (octet_length(traceparent) = 55),
    version          bigint      NOT NULL CHECK (version >= 1),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payments_open CHECK (state NOT IN ('processing', 'refunding') OR next_attempt_at IS NOT NULL),
    CONSTRAINT payments_token CHECK (CASE state WHEN 'processing' THEN token IS NOT NULL
                                                WHEN 'unknown' THEN true
                                                ELSE token IS NULL END),
    CONSTRAINT payments_refunded CHECK (refunded_amount = CASE state WHEN 'refunded' THEN amount ELSE 0 END),
    CONSTRAINT payments_refunding CHECK (state <> 'refunding' OR (refund_requested AND refunds > 0)),
    CONSTRAINT payments_captured CHECK (state NOT IN ('captured', 'refunding', 'refunded') OR amount = 0
                                        OR psp_id IS NOT NULL),
    CONSTRAINT payments_priced CHECK (currency IS NOT NULL OR state = 'voided'),
    CONSTRAINT payments_explained CHECK (state NOT IN ('declined', 'failed', 'voided', 'unknown')
                                         OR reason IS NOT NULL)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 100000,
        autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 20000);

-- Only what is open stands in it: it stays as small as the work in progress.
CREATE INDEX payments_due ON payments.payments (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX payments_unknown ON payments.payments (order_id) WHERE state = 'unknown';

-- Amount and currency are what was first asked for: the service cannot change them.
GRANT SELECT, INSERT ON payments.payments TO payment_svc;
GRANT UPDATE (state, token, psp_id, reason, refunds, refunded_amount, attempts, first_attempt_at, next_attempt_at,
              refund_requested, traceparent, version, updated_at) ON payments.payments TO payment_svc;

COMMIT;
