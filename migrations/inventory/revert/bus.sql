-- Takes libbus's tables away.
BEGIN;

REVOKE SELECT ON sqitch.changes FROM inventory_svc;
REVOKE USAGE ON SCHEMA sqitch FROM inventory_svc;
DROP SCHEMA bus CASCADE;
GRANT USAGE ON SCHEMA public TO PUBLIC;

COMMIT;
