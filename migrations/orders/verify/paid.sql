-- The comment is there.
SELECT 1 / (col_description('orders.orders'::regclass, attnum) LIKE '%2 PAID%')::int
FROM pg_attribute WHERE attrelid = 'orders.orders'::regclass AND attname = 'status';
