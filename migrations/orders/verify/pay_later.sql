-- Columns, rights, CHECKs (which the change `rules` makes one), index and view are there.
SELECT pay_later, attempts FROM orders.orders WHERE false;
SELECT 1 / has_column_privilege('order_svc', 'orders.orders', 'attempts', 'UPDATE')::int;
SELECT 1 / (count(*) = 7 OR bool_or(conname = 'orders_rules'))::int FROM pg_constraint
WHERE conrelid = 'orders.orders'::regclass
  AND conname IN ('orders_status_check', 'orders_attempts', 'orders_awaiting', 'orders_priced', 'orders_settled',
                  'orders_deadline', 'orders_token', 'orders_rules');
SELECT 1 / (to_regclass('orders.orders_unpaid') IS NOT NULL)::int;
SELECT 1 / (pg_get_viewdef('orders.order_list'::regclass) LIKE '%AWAITING_PAYMENT%')::int;
