-- The function is called by the table's CHECK, and refuses in the rule's name.
SELECT 1 / (count(*) = 1)::int FROM pg_constraint
WHERE conrelid = 'orders.orders'::regclass AND conname = 'orders_rules'
  AND pg_get_constraintdef(oid) LIKE '%orders.order_rules(%';
DO $$
DECLARE
    rule text;
BEGIN
    PERFORM orders.refuse_order('orders_items');
    RAISE 'not refused';
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME;
    IF rule <> 'orders_items' THEN
        RAISE 'refused in the name of %', rule;
    END IF;
END
$$;
