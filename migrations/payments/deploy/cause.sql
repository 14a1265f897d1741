-- The message id and tracestate of the last command: results of calls are told in its name.
-- NOT VALID: no older row has a tracestate, so none need be read.
BEGIN;

ALTER TABLE payments.payments ADD COLUMN causation_id uuid, ADD COLUMN tracestate text;
ALTER TABLE payments.payments ADD CONSTRAINT payments_tracestate CHECK (length(tracestate) <= 512) NOT VALID;

GRANT UPDATE (causation_id, tracestate) ON payments.payments TO payment_svc;

COMMIT;
