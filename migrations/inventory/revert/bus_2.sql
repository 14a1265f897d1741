-- Takes that away; the parked rows themselves stay.
BEGIN;
DROP INDEX bus.outbox_unroutable;
ALTER TABLE bus.parked DROP COLUMN history, DROP COLUMN service_version;
COMMIT;
