-- Takes libbus's tables away.
BEGIN;

REVOKE SELECT ON sqitch.changes FROM user_svc;
REVOKE USAGE ON SCHEMA sqitch FROM user_svc;
DROP SCHEMA bus CASCADE;
GRANT USAGE ON SCHEMA public TO PUBLIC;

COMMIT;
