-- Takes the log away.
BEGIN;
DROP TABLE orders.order_events;
COMMIT;
