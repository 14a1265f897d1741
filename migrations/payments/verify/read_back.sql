-- The column is there, and the service may write it.
SELECT psp_refund_id FROM payments.payments WHERE false;
SELECT 1 / has_column_privilege('payment_svc', 'payments.payments', 'psp_refund_id', 'UPDATE')::int;
