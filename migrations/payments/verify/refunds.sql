-- Tables, columns and views are there; the service may change what it must, and no account of a movement.
SELECT refund_id, order_id, state, number, amount, whole, reason, restock, psp_id, created_at, updated_at
FROM payments.refunds WHERE false;
SELECT promised_amount, refund_id, refund_amount FROM payments.payments WHERE false;
SELECT refund, debit, credit FROM payments.ledger WHERE false;
SELECT order_id, entry, refund, account, amount, currency, psp_id, at FROM payments.legs WHERE false;
SELECT promised_amount, promised, done FROM payments.audit WHERE false;
SELECT 1 / has_column_privilege('payment_svc', 'payments.payments', 'refund_id', 'UPDATE')::int;
SELECT 1 / (NOT has_column_privilege('payment_svc', 'payments.refunds', 'amount', 'UPDATE'))::int;
SELECT 1 / (NOT has_table_privilege('payment_svc', 'payments.audit', 'SELECT'))::int;
SELECT 1 / (NOT has_function_privilege('payment_svc', 'payments.settle(uuid, text, text, text)', 'EXECUTE'))::int;
