-- Takes the column away: refunds under way are asked for again with the key that they have.
BEGIN;
ALTER TABLE payments.payments DROP COLUMN psp_refund_id;
COMMIT;
