-- The message id and tracestate of the order.place: deadlines send in its name.
-- NOT VALID: no older row has a tracestate, so none need be read.
BEGIN;

ALTER TABLE orders.orders ADD COLUMN causation_id uuid, ADD COLUMN tracestate text;
ALTER TABLE orders.orders ADD CONSTRAINT orders_tracestate CHECK (length(tracestate) <= 512) NOT VALID;

COMMIT;
