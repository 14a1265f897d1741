-- Takes the views away.
BEGIN;
DROP VIEW orders.audit_lines;
DROP VIEW orders.order_items;
DROP VIEW orders.order_list;
COMMIT;
