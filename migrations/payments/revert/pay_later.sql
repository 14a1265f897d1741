-- The rows of attempts stay, under keys that are no order's.
BEGIN;
CREATE OR REPLACE VIEW payments.disputed_orders AS
SELECT p.order_id, d.* FROM payments.disputes d LEFT JOIN payments.payments p USING (psp_id);
DROP VIEW payments.legs;
CREATE VIEW payments.legs AS
SELECT l.order_id, l.entry, l.refund, a.account, l.amount * a.sign AS amount, l.currency, l.psp_id, l.at
FROM payments.ledger l CROSS JOIN LATERAL (VALUES (l.debit, 1), (l.credit, -1)) AS a (account, sign);
DROP INDEX payments.payments_attempts;
ALTER TABLE payments.payments DROP COLUMN attempt_of, DROP COLUMN pay_attempt;
COMMENT ON COLUMN payments.payments.order_id IS NULL;
COMMIT;
