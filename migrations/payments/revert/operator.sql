-- The role reads nothing here any more.
BEGIN;

REVOKE SELECT (refund_id, order_id, state, number, amount, created_at, updated_at) ON payments.refunds
    FROM payments_operator;
REVOKE SELECT ON payments.ledger FROM payments_operator;
REVOKE SELECT (order_id, state, amount, currency, psp_id, reason, refunds, refunded_amount, attempts, first_attempt_at,
               next_attempt_at, refund_requested, version, created_at, updated_at, causation_id, promised_amount, refund_id,
               refund_amount, attempt_of, pay_attempt) ON payments.payments FROM payments_operator;
REVOKE USAGE ON SCHEMA payments FROM payments_operator;

COMMIT;
