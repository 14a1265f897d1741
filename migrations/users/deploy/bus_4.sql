-- Rows of the outbox may be bundles of messages.
BEGIN;

\ir ../../../libbus/sql/bus-4.sql

COMMIT;
