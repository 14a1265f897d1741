-- What the provider tells of disputed charges: each piece of news is a row. A dispute names a payment intent and no
-- order: views tell what was told last, and of which order. They read whole tables: the service never does.
BEGIN;

CREATE TABLE payments.dispute_events (
    event_id   uuid        PRIMARY KEY,                                          -- of the message
    dispute_id text        NOT NULL CHECK (octet_length(dispute_id) BETWEEN 1 AND 128),
    psp_id     text        NOT NULL CHECK (octet_length(psp_id) BETWEEN 1 AND 128),  -- the payment intent
    amount     bigint      NOT NULL CHECK (amount >= 0),                         -- minor units
    currency   text        NOT NULL CHECK (octet_length(currency) = 3),
    reason     text        NOT NULL CHECK (octet_length(reason) BETWEEN 1 AND 64),
    status     text        NOT NULL CHECK (octet_length(status) BETWEEN 1 AND 64),
    at         timestamptz NOT NULL,                                             -- of the provider's event
    taken_at   timestamptz NOT NULL DEFAULT now()
);
GRANT INSERT ON payments.dispute_events TO payment_svc;

-- Times have seconds: of two pieces of news in one, that which asks nothing of us is the later.
CREATE VIEW payments.disputes AS
SELECT DISTINCT ON (dispute_id) dispute_id, psp_id, amount, currency, reason, status, at
FROM payments.dispute_events
ORDER BY dispute_id, at DESC, status LIKE '%needs_response', taken_at DESC;

-- For operators. No order: the charge is another system's, which shares the provider's account.
CREATE VIEW payments.disputed_orders AS
SELECT p.order_id, d.* FROM payments.disputes d LEFT JOIN payments.payments p USING (psp_id);

COMMIT;
