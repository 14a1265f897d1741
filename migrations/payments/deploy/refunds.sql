-- Refunds that operators ask for, whole or in part; a payment may have many, one of which is under way. The ledger
-- keeps each of them, and says of every movement which account it leaves and which it enters.
-- NOT VALID: no older row has a refund in part, so none need be read.
BEGIN;

CREATE TABLE payments.refunds (
    refund_id  uuid        PRIMARY KEY,                                       -- of the client's idempotency key
    order_id   uuid        NOT NULL REFERENCES payments.payments,
    state      text        NOT NULL CHECK (state IN ('open', 'done')),
    number     bigint      NOT NULL CHECK (number >= 1),                      -- refunds of one payment, in this order
    amount     bigint      NOT NULL CHECK (amount BETWEEN 1 AND 1000000000000),  -- minor units
    whole      boolean     NOT NULL,                                          -- asked for without an amount
    reason     text        CHECK (octet_length(reason) BETWEEN 1 AND 200),
    restock    boolean     NOT NULL,
    psp_id     text        CHECK (octet_length(psp_id) BETWEEN 1 AND 128),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (order_id, number),
    CONSTRAINT refunds_done CHECK ((state = 'done') = (psp_id IS NOT NULL))
);
GRANT SELECT, INSERT ON payments.refunds TO payment_svc;
GRANT UPDATE (state, psp_id, updated_at) ON payments.refunds TO payment_svc;

ALTER TABLE payments.payments
    ADD COLUMN promised_amount bigint NOT NULL DEFAULT 0,  -- of all rows in refunds
    ADD COLUMN refund_id       uuid,                       -- the one under way; NULL: none, or order-svc's
    ADD COLUMN refund_amount   bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT payments_refunded,
    DROP CONSTRAINT payments_refunding;
ALTER TABLE payments.payments
    ADD CONSTRAINT payments_refunded CHECK (
        refunded_amount >= 0 AND refund_amount >= 0 AND refunded_amount + refund_amount <= amount
        AND promised_amount BETWEEN 0 AND amount AND (refund_id IS NULL) = (0 = refund_amount)
        AND CASE state WHEN 'refunded' THEN refunded_amount = amount
                       WHEN 'captured' THEN refunded_amount < amount OR amount = 0
                       WHEN 'refunding' THEN refunded_amount < amount
                       WHEN 'unknown' THEN true
                       ELSE 0 = refunded_amount + promised_amount END
        AND (refund_id IS NULL OR state IN ('refunding', 'unknown'))) NOT VALID,
    ADD CONSTRAINT payments_refunding CHECK (
        state <> 'refunding' OR ((refund_requested OR refund_id IS NOT NULL) AND refunds > 0)) NOT VALID;
GRANT UPDATE (promised_amount, refund_id, refund_amount) ON payments.payments TO payment_svc;

-- Double entry: the legs of a movement are its amount on both accounts, so they sum to zero. The provider's account is
-- what the provider owes us; the customer's is what customers have paid us.
ALTER TABLE payments.ledger
    ADD COLUMN refund bigint NOT NULL DEFAULT 0 CHECK (refund >= 0),  -- number of the refund's idempotency key; 0: the capture
    ADD COLUMN debit  text   NOT NULL GENERATED ALWAYS AS (CASE entry WHEN 'captured' THEN 'provider'
                                                                       WHEN 'refunded' THEN 'customer' END) STORED,
    ADD COLUMN credit text   NOT NULL GENERATED ALWAYS AS (CASE entry WHEN 'captured' THEN 'customer'
                                                                       WHEN 'refunded' THEN 'provider' END) STORED,
    DROP CONSTRAINT ledger_pkey,
    ADD PRIMARY KEY (order_id, entry, refund),
    ADD CONSTRAINT ledger_captured_once CHECK (entry = 'refunded' OR 0 = refund) NOT VALID,
    ADD CONSTRAINT ledger_two_accounts CHECK (debit <> credit) NOT VALID;

-- Two rows a movement; they sum to zero.
CREATE VIEW payments.legs AS
SELECT l.order_id, l.entry, l.refund, a.account, l.amount * a.sign AS amount, l.currency, l.psp_id, l.at
FROM payments.ledger l CROSS JOIN LATERAL (VALUES (l.debit, 1), (l.credit, -1)) AS a (account, sign);

-- No row at any time between two transactions.
DROP VIEW payments.audit;
CREATE VIEW payments.audit AS
SELECT coalesce(p.order_id, l.order_id) AS order_id, p.state, p.amount, p.refunded_amount, p.promised_amount,
       l.captured, l.refunded, r.promised, r.done
FROM payments.payments p
FULL JOIN (SELECT order_id,
                  coalesce(sum(amount) FILTER (WHERE entry = 'captured'), 0)::bigint AS captured,
                  coalesce(sum(amount) FILTER (WHERE entry = 'refunded'), 0)::bigint AS refunded,
                  min(currency) <> max(currency) AS mixed
           FROM payments.ledger GROUP BY order_id) l ON l.order_id = p.order_id
LEFT JOIN (SELECT order_id, sum(amount)::bigint AS promised,
                  coalesce(sum(amount) FILTER (WHERE state = 'done'), 0)::bigint AS done
           FROM payments.refunds GROUP BY order_id) r ON r.order_id = p.order_id
WHERE p.order_id IS NULL
   OR l.mixed
   OR coalesce(l.refunded, 0) <> p.refunded_amount
   OR coalesce(r.promised, 0) <> p.promised_amount
   OR coalesce(r.done, 0) > p.refunded_amount
   OR (p.state <> 'unknown'
       AND coalesce(l.captured, 0)
           <> CASE WHEN p.state IN ('captured', 'refunding', 'refunded') THEN p.amount ELSE 0 END);

-- As before; the outcome of an operator's refund is that of the refund under way alone.
CREATE OR REPLACE FUNCTION payments.settle(p_order uuid, p_outcome text, p_psp_id text DEFAULT NULL,
                                           p_reason text DEFAULT 'settled')
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    p payments.payments;
    goal text := p_outcome;
    returned bigint := 0;
BEGIN
    IF p_outcome IS NULL OR p_outcome NOT IN ('captured', 'refunded', 'declined', 'failed') THEN
        RAISE EXCEPTION 'outcome must be captured, refunded, declined or failed';
    END IF;
    SELECT * INTO p FROM payments.payments WHERE order_id = p_order FOR UPDATE;
    IF NOT FOUND OR p.state <> 'unknown' THEN
        RAISE EXCEPTION 'payment of order % is not unknown', p_order;
    END IF;
    IF p_outcome IN ('declined', 'failed')
       AND EXISTS (SELECT FROM payments.ledger WHERE order_id = p_order AND entry = 'captured') THEN
        RAISE EXCEPTION 'payment of order % was captured', p_order;
    END IF;
    IF p.refund_id IS NULL THEN
        p.psp_id := coalesce(p_psp_id, p.psp_id);
    END IF;
    IF p_outcome IN ('captured', 'refunded') THEN
        IF p.psp_id IS NULL THEN
            RAISE EXCEPTION 'the PSP''s id is needed';
        END IF;
        INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)
        VALUES (p_order, 'captured', p.amount, p.currency, p.psp_id) ON CONFLICT DO NOTHING;
        p_reason := NULL;
    END IF;
    IF p_outcome = 'refunded' THEN
        returned := CASE WHEN p.refund_id IS NULL THEN p.amount - p.refunded_amount ELSE p.refund_amount END;
        INSERT INTO payments.ledger (order_id, entry, refund, amount, currency, psp_id)
        VALUES (p_order, 'refunded', p.refunds, returned, p.currency, coalesce(p_psp_id, p.psp_id));
        UPDATE payments.refunds SET state = 'done', psp_id = coalesce(p_psp_id, p.psp_id), updated_at = now()
         WHERE order_id = p_order AND state = 'open'
           AND (refund_id = p.refund_id OR p.refunded_amount + returned = p.amount);
        p.refunded_amount := p.refunded_amount + returned;
        p.refund_id := NULL;
        p.refund_amount := 0;
        IF p.refunded_amount < p.amount THEN
            goal := CASE WHEN p.refund_requested THEN 'refunding' ELSE 'captured' END;
        END IF;
    ELSIF p_outcome = 'captured' AND (p.refund_requested OR p.refund_id IS NOT NULL) THEN
        goal := 'refunding';
    END IF;
    UPDATE payments.payments
       SET state = goal, token = NULL, psp_id = p.psp_id, reason = p_reason,
           refunds = refunds + (goal = 'refunding')::int, refunded_amount = p.refunded_amount,
           refund_id = p.refund_id, refund_amount = p.refund_amount,
           attempts = 0, first_attempt_at = NULL, next_attempt_at = now(), version = version + 1, updated_at = now()
     WHERE order_id = p_order;
    RETURN goal;
END
$$;

COMMIT;
