-- Nothing of bus-5.sql is left.
BEGIN;

REVOKE SELECT (id, type, unroutable, attempts, messages, created_at, next_attempt_at) ON bus.outbox FROM webhooks_operator;
REVOKE SELECT ON bus.inbox, bus.outbox_messages, bus.parked, bus.suspects FROM webhooks_operator;
REVOKE USAGE ON SCHEMA bus FROM webhooks_operator;
DROP VIEW bus.outbox_messages;

COMMIT;
