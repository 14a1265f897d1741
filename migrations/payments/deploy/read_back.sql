-- The refund that the PSP has taken but not finished: it is read back by this id. The id of a payment intent that is not
-- final stands in psp_id. NOT VALID: no older row has a value, so none need be read.
BEGIN;

ALTER TABLE payments.payments ADD COLUMN psp_refund_id text;
ALTER TABLE payments.payments
    ADD CONSTRAINT payments_psp_refund_id CHECK (psp_refund_id IS NULL OR (state = 'refunding'
        AND octet_length(psp_refund_id) BETWEEN 1 AND 128)) NOT VALID;

GRANT UPDATE (psp_refund_id) ON payments.payments TO payment_svc;

COMMIT;
