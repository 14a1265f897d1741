-- Tables of libbus; the schema that every role could otherwise write to is closed.
BEGIN;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

\set service data_svc
\ir ../../../libbus/sql/bus.sql
\ir ../../../libbus/sql/bus-2.sql
\ir ../../../libbus/sql/bus-3.sql
\ir ../../../libbus/sql/bus-4.sql
\set operator reports_operator
\ir ../../../libbus/sql/bus-5.sql

COMMIT;
