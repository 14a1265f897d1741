-- Takes libbus's tables away.
BEGIN;

REVOKE SELECT ON sqitch.changes FROM data_svc;
REVOKE USAGE ON SCHEMA sqitch FROM data_svc;
DROP SCHEMA bus CASCADE;
GRANT USAGE ON SCHEMA public TO PUBLIC;

COMMIT;
