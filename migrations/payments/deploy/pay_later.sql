-- Attempts to pay an order later: each is a payment of its own, whose key is made of the order's id and its number.
-- NOT VALID: no older row is one, so none need be read.
BEGIN;

ALTER TABLE payments.payments
    ADD COLUMN attempt_of uuid,
    ADD COLUMN pay_attempt bigint NOT NULL DEFAULT 0;
ALTER TABLE payments.payments
    ADD CONSTRAINT payments_attempt CHECK (pay_attempt BETWEEN 0 AND 20
                                           AND (pay_attempt > 0) = (attempt_of IS NOT NULL)) NOT VALID;
COMMENT ON COLUMN payments.payments.order_id IS
    'The order; of an attempt to pay later a UUIDv5 of attempt_of and pay_attempt';

-- Movements of attempts have keys of their own: paid_order is the order.
CREATE OR REPLACE VIEW payments.legs AS
SELECT l.order_id, l.entry, l.refund, a.account, l.amount * a.sign AS amount, l.currency, l.psp_id, l.at,
       coalesce(p.attempt_of, l.order_id) AS paid_order
FROM payments.ledger l LEFT JOIN payments.payments p ON p.order_id = l.order_id
CROSS JOIN LATERAL (VALUES (l.debit, 1), (l.credit, -1)) AS a (account, sign);

CREATE OR REPLACE VIEW payments.disputed_orders AS
SELECT coalesce(p.attempt_of, p.order_id) AS order_id, d.*
FROM payments.disputes d LEFT JOIN payments.payments p USING (psp_id);

-- For operators: the attempts of an order. The service finds each by its key.
CREATE UNIQUE INDEX payments_attempts ON payments.payments (attempt_of, pay_attempt) WHERE attempt_of IS NOT NULL;

COMMIT;
