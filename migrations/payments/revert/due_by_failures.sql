-- The index by time alone.
BEGIN;
DROP INDEX payments.payments_due;
CREATE INDEX payments_due ON payments.payments (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
COMMIT;
