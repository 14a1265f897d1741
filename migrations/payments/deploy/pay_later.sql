-- Attempts to pay an order later: each is a payment of its own, whose key is made of the order's id and its number.
-- NOT VALID: no older row is one, so none need be read.
BEGIN;

ALTER TABLE payments.payments
    ADD COLUMN attempt_of uuid,
    ADD COLUMN pay_attempt bigint NOT NULL DEFAULT 0;
ALTER TABLE payments.payments
    ADD CONSTRAINT payments_attempt CHECK (pay_attempt BETWEEN 0 AND 1000
                                           AND (pay_attempt > 0) = (attempt_of IS NOT NULL)) NOT VALID;
COMMENT ON COLUMN payments.payments.order_id IS
    'The order; of an attempt to pay later a UUIDv5 of attempt_of and pay_attempt';

-- For operators: the attempts of an order. The service finds each by its key.
CREATE UNIQUE INDEX payments_attempts ON payments.payments (attempt_of, pay_attempt) WHERE attempt_of IS NOT NULL;

COMMIT;
