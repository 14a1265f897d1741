-- The role reads states and no data of customers.
SELECT order_id, status, reason, deadline, causation_id FROM orders.order_states WHERE false;
SELECT 1 / (has_table_privilege('orders_operator', 'orders.order_states', 'SELECT')
            AND has_column_privilege('orders_operator', 'orders.order_events', 'type', 'SELECT')
            AND NOT has_column_privilege('orders_operator', 'orders.order_events', 'data', 'SELECT')
            AND NOT has_table_privilege('orders_operator', 'orders.order_list', 'SELECT')
            AND NOT has_column_privilege('orders_operator', 'orders.orders', 'customer_id', 'SELECT'))::int;
