-- Takes both columns away.
BEGIN;
ALTER TABLE orders.orders DROP COLUMN causation_id, DROP COLUMN tracestate;
COMMIT;
