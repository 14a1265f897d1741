-- The index holds rows by a condition.
SELECT 1 / (indpred IS NOT NULL)::int FROM pg_index WHERE indexrelid = 'payments.payments_open_refunds'::regclass;
