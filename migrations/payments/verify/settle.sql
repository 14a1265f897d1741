-- The function is there, for operators only.
SELECT 1 / (NOT has_function_privilege('payment_svc', 'payments.settle(uuid, text, text, text)', 'EXECUTE'))::int;
