-- Columns and rights: the service cannot change what was asked for, nor delete a payment.
SELECT order_id, state, amount, currency, token, psp_id, reason, refunds, refunded_amount, attempts, first_attempt_at,
       next_attempt_at, refund_requested, traceparent, version, created_at, updated_at
FROM payments.payments WHERE false;
SELECT 1 / (has_column_privilege('payment_svc', 'payments.payments', 'state', 'UPDATE')
            AND NOT has_column_privilege('payment_svc', 'payments.payments', 'amount', 'UPDATE')
            AND NOT has_table_privilege('payment_svc', 'payments.payments', 'DELETE'))::int;
