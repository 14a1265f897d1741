-- Tables of libbus, and nothing for anybody in the schema that every role could otherwise write to.
BEGIN;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

\set service payment_svc
\ir ../../../libbus/sql/bus.sql

COMMIT;
