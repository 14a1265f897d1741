-- What libbus needs beside bus-3.sql since its fourth version: rows of the outbox that are bundles of messages.
-- Included by a later migration of every service, in a transaction of its own.

ALTER TABLE bus.outbox ADD COLUMN messages smallint NOT NULL DEFAULT 1 CHECK (messages BETWEEN 1 AND 128);

-- A bundle has up to 64 KiB. pglz, the default, took 9 % of the processor time of a loaded database.
DO $$
BEGIN
  ALTER TABLE bus.outbox ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL; -- a server that was built without lz4
END $$;
