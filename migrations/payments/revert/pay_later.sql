-- The rows of attempts stay, under keys that are no order's.
BEGIN;
DROP INDEX payments.payments_attempts;
ALTER TABLE payments.payments DROP COLUMN attempt_of, DROP COLUMN pay_attempt;
COMMENT ON COLUMN payments.payments.order_id IS NULL;
COMMIT;
