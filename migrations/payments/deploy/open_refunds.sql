-- Payments whose refund is not carried out, by their key: the pages that operators read.
BEGIN;

CREATE INDEX payments_open_refunds ON payments.payments (order_id)
    WHERE state IN ('refunding', 'unknown') AND (refund_requested OR refund_id IS NOT NULL);

COMMIT;
