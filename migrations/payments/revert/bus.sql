-- Takes libbus's tables away.
BEGIN;

REVOKE SELECT ON sqitch.changes FROM payment_svc;
REVOKE USAGE ON SCHEMA sqitch FROM payment_svc;
DROP SCHEMA bus CASCADE;
GRANT USAGE ON SCHEMA public TO PUBLIC;

COMMIT;
