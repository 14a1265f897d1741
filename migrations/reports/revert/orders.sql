-- Drops the reports.
BEGIN;

DROP SCHEMA reports CASCADE;

COMMIT;
