-- Only while no order is to be paid later: the CHECKs of before refuse such a row.
BEGIN;

CREATE OR REPLACE VIEW orders.order_list AS
SELECT order_id, customer_id,
       (ARRAY['PENDING', 'RESERVED', 'PAID', 'COMPENSATING', 'CONFIRMED', 'REJECTED', 'CANCELLED'])[status + 1] AS status,
       status >= 4 AS final, reason, total, currency, captured, refunded, stock_settled, payment_settled, version,
       created_at, updated_at, deadline, resends
FROM orders.orders;

DROP INDEX orders.orders_unpaid;

ALTER TABLE orders.orders
    DROP CONSTRAINT orders_status_check,
    DROP CONSTRAINT orders_attempts,
    DROP CONSTRAINT orders_awaiting,
    DROP CONSTRAINT orders_priced,
    DROP CONSTRAINT orders_settled,
    DROP CONSTRAINT orders_deadline,
    DROP CONSTRAINT orders_token;
ALTER TABLE orders.orders
    ADD CONSTRAINT orders_status_check CHECK (status BETWEEN 0 AND 6),
    ADD CONSTRAINT orders_priced CHECK (CASE WHEN status IN (0, 5) THEN total IS NULL
                                             WHEN status IN (1, 2, 4) THEN total IS NOT NULL
                                             ELSE true END),
    ADD CONSTRAINT orders_settled CHECK (CASE WHEN status = 3 THEN NOT (stock_settled AND payment_settled)
                                              WHEN status >= 4 THEN stock_settled
                                              ELSE true END),
    ADD CONSTRAINT orders_deadline CHECK ((status >= 4) = (deadline IS NULL) AND (status >= 4) = (due_at IS NULL)
                                          AND (due_at IS NULL OR due_at <= deadline)),
    ADD CONSTRAINT orders_token CHECK ((status = 0) = (payment_token IS NOT NULL));
ALTER TABLE orders.orders DROP COLUMN pay_later, DROP COLUMN attempts;

COMMENT ON COLUMN orders.orders.status IS
    '0 PENDING, 1 RESERVED, 2 PAID (of the release before), 3 COMPENSATING, 4 CONFIRMED, 5 REJECTED, 6 CANCELLED';
COMMENT ON COLUMN orders.orders.shelf IS NULL;

COMMIT;
