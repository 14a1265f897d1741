-- The function is there, for operators only.
SELECT 1 / (NOT has_function_privilege('payment_svc', 'payments.adopt(uuid, uuid, bigint, bigint, text, text, bigint, text)',
                                       'EXECUTE'))::int;
