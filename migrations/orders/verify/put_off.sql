-- The function is there, for operators only.
SELECT 1 / (NOT has_function_privilege('order_svc', 'orders.put_off(interval)', 'EXECUTE'))::int;
