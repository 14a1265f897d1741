-- States of payments for operators, without tokens.
BEGIN;

GRANT USAGE ON SCHEMA payments TO payments_operator;
GRANT SELECT (order_id, state, amount, currency, psp_id, reason, refunds, refunded_amount, attempts, first_attempt_at,
              next_attempt_at, refund_requested, version, created_at, updated_at, causation_id, promised_amount, refund_id,
              refund_amount, attempt_of, pay_attempt) ON payments.payments TO payments_operator;
GRANT SELECT ON payments.ledger TO payments_operator;
GRANT SELECT (refund_id, order_id, state, number, amount, created_at, updated_at) ON payments.refunds
    TO payments_operator;

COMMIT;
