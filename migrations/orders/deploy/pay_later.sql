-- Orders that are paid later: they await the payment on a shelf of their own (7), reserved and with a deadline.
-- NOT VALID: no older row is one, so none need be read.
BEGIN;

ALTER TABLE orders.orders
    ADD COLUMN pay_later boolean NOT NULL DEFAULT false,
    ADD COLUMN attempts bigint NOT NULL DEFAULT 0;

ALTER TABLE orders.orders
    DROP CONSTRAINT orders_status_check,
    DROP CONSTRAINT orders_priced,
    DROP CONSTRAINT orders_settled,
    DROP CONSTRAINT orders_deadline,
    DROP CONSTRAINT orders_token;
ALTER TABLE orders.orders
    ADD CONSTRAINT orders_status_check CHECK (status BETWEEN 0 AND 7) NOT VALID,
    ADD CONSTRAINT orders_attempts CHECK (attempts BETWEEN 0 AND 20 AND (pay_later OR attempts = 0)) NOT VALID,
    ADD CONSTRAINT orders_awaiting CHECK (status <> 7 OR pay_later) NOT VALID,
    ADD CONSTRAINT orders_priced CHECK (CASE WHEN status IN (0, 5) THEN total IS NULL
                                             WHEN status IN (1, 2, 4, 7) THEN total IS NOT NULL
                                             ELSE true END) NOT VALID,
    ADD CONSTRAINT orders_settled CHECK (CASE WHEN status = 3 THEN NOT (stock_settled AND payment_settled)
                                              WHEN status IN (4, 5, 6) THEN stock_settled
                                              ELSE true END) NOT VALID,
    ADD CONSTRAINT orders_deadline CHECK ((status IN (4, 5, 6)) = (deadline IS NULL)
                                          AND (status IN (4, 5, 6)) = (due_at IS NULL)
                                          AND (due_at IS NULL OR due_at <= deadline)) NOT VALID,
    ADD CONSTRAINT orders_token CHECK ((status = 0 AND NOT pay_later) = (payment_token IS NOT NULL)) NOT VALID;

-- How many of them are open: of a customer, and of all.
CREATE INDEX orders_unpaid ON orders.orders (customer_id) WHERE pay_later AND shelf IN (0, 7);

COMMENT ON COLUMN orders.orders.status IS
    '0 PENDING, 1 RESERVED, 2 PAID (of the release before), 3 COMPENSATING, 4 CONFIRMED, 5 REJECTED, 6 CANCELLED, '
    '7 AWAITING_PAYMENT';
COMMENT ON COLUMN orders.orders.shelf IS '0: open; else the status, final or AWAITING_PAYMENT';

GRANT UPDATE (attempts) ON orders.orders TO order_svc;

CREATE OR REPLACE VIEW orders.order_list AS
SELECT order_id, customer_id,
       (ARRAY['PENDING', 'RESERVED', 'PAID', 'COMPENSATING', 'CONFIRMED', 'REJECTED', 'CANCELLED',
              'AWAITING_PAYMENT'])[status + 1] AS status,
       status IN (4, 5, 6) AS final, reason, total, currency, captured, refunded, stock_settled, payment_settled,
       version, created_at, updated_at, deadline, resends
FROM orders.orders;

COMMIT;
