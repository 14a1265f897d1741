-- The views are there, for operators only.
SELECT order_id, status, final FROM orders.order_list WHERE false;
SELECT order_id, position, product_id, quantity, unit_price FROM orders.order_items WHERE false;
SELECT order_id, line FROM orders.audit_lines WHERE false;
SELECT 1 / (NOT has_table_privilege('order_svc', 'orders.audit_lines', 'SELECT'))::int;
