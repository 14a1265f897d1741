-- The provider keeps what is lost here.
BEGIN;
DROP VIEW payments.disputed_orders;
DROP VIEW payments.disputes;
DROP TABLE payments.dispute_events;
COMMIT;
