-- Drops endpoints, deliveries and attempts.
BEGIN;

DROP SCHEMA webhooks CASCADE;

COMMIT;
