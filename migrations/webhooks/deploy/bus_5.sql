-- Where messages are, for a role that operators read by.
BEGIN;

\set operator webhooks_operator
\ir ../../../libbus/sql/bus-5.sql

COMMIT;
