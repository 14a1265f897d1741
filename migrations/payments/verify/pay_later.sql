-- Columns, CHECK and index are there.
SELECT attempt_of, pay_attempt FROM payments.payments WHERE false;
SELECT 1 / count(*) FROM pg_constraint
WHERE conrelid = 'payments.payments'::regclass AND conname = 'payments_attempt';
SELECT 1 / (to_regclass('payments.payments_attempts') IS NOT NULL)::int;
