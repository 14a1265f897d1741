-- The tracestate of messages that wait to be published.
BEGIN;

\ir ../../../libbus/sql/bus-3.sql

COMMIT;
