-- All that libbus needs in a new database, for services without a migration tool: psql -v service=ROLE -f libbus.sql. With
-- such a tool the first migration includes bus.sql, and a later one each of the others.
\ir bus.sql
\ir bus-2.sql
\ir bus-3.sql
\ir bus-4.sql
-- With -v operator=ROLE as well: views for a role of operators' programs.
\if :{?operator}
\ir bus-5.sql
\endif
