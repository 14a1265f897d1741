-- Takes that away. Rows that are bundles must be gone: an older version would send them as single messages.
BEGIN;
DO $$ BEGIN
  IF EXISTS (SELECT FROM bus.outbox WHERE messages > 1) THEN
    RAISE EXCEPTION 'bus.outbox holds bundles: wait until they are confirmed (BUNDLE_MAX=1 makes no more)';
  END IF;
END $$;
ALTER TABLE bus.outbox DROP COLUMN messages;
COMMIT;
