-- Takes both columns away.
BEGIN;
ALTER TABLE payments.payments DROP COLUMN causation_id, DROP COLUMN tracestate;
COMMIT;
