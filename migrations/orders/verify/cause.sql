-- The columns are there.
SELECT causation_id, tracestate FROM orders.orders WHERE false;
