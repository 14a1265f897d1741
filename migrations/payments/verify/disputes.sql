-- Table and views are there.
SELECT event_id, dispute_id, psp_id, amount, currency, reason, status, at, taken_at FROM payments.dispute_events
WHERE false;
SELECT dispute_id, status FROM payments.disputes WHERE false;
SELECT order_id, dispute_id FROM payments.disputed_orders WHERE false;
