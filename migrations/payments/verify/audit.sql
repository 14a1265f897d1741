-- The view is there, for operators only.
SELECT order_id, state, amount, refunded_amount, captured, refunded FROM payments.audit WHERE false;
SELECT 1 / (NOT has_table_privilege('payment_svc', 'payments.audit', 'SELECT'))::int;
