-- The function is called by the table's CHECK, and refuses in the rule's name.
SELECT 1 / (count(*) = 1)::int FROM pg_constraint
WHERE conrelid = 'payments.payments'::regclass AND conname = 'payments_rules'
  AND pg_get_constraintdef(oid) LIKE '%payments.payment_rules(%';
DO $$
DECLARE
    rule text;
BEGIN
    PERFORM payments.refuse_payment('payments_token');
    RAISE 'not refused';
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME;
    IF rule <> 'payments_token' THEN
        RAISE 'refused in the name of %', rule;
    END IF;
END
$$;
