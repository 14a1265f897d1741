-- The state is allowed.
SELECT 1 / count(*) FROM pg_constraint
WHERE conname = 'reservations_state_check' AND pg_get_constraintdef(oid) LIKE '%RETURNED%';
