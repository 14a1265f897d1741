-- Nothing of bus-5.sql is left.
BEGIN;

REVOKE SELECT (id, type, unroutable, attempts, messages, created_at, next_attempt_at) ON bus.outbox FROM users_operator;
REVOKE SELECT ON bus.inbox, bus.outbox_messages, bus.parked, bus.suspects FROM users_operator;
REVOKE USAGE ON SCHEMA bus FROM users_operator;
DROP VIEW bus.outbox_messages;

COMMIT;
