-- What a parked message leaves behind, and the unroutable rows of the outbox at a glance.
BEGIN;

\ir ../../../libbus/sql/bus-2.sql

COMMIT;
