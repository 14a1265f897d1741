-- The index begins with the number of failures.
SELECT 1 / (pg_get_indexdef('payments.payments_due'::regclass, 1, true) ILIKE 'least(attempts%')::int;
