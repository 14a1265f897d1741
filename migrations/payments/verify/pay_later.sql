-- Columns, CHECK (which the change `rules` takes over), views and index are there.
SELECT paid_order FROM payments.legs WHERE false;
SELECT 1 / (pg_get_viewdef('payments.disputed_orders'::regclass) LIKE '%attempt_of%')::int;
SELECT attempt_of, pay_attempt FROM payments.payments WHERE false;
SELECT 1 / count(*) FROM pg_constraint
WHERE conrelid = 'payments.payments'::regclass AND conname IN ('payments_attempt', 'payments_rules');
SELECT 1 / (to_regclass('payments.payments_attempts') IS NOT NULL)::int;
