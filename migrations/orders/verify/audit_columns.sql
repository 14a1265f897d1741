-- The view shows whole rows.
SELECT 1 / (pg_get_viewdef('orders.audit_lines'::regclass) LIKE '%to_jsonb%')::int;
