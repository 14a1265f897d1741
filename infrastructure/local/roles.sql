-- The roles and the database of one service. Run by an administrator, as often as one likes; ./dev up does.
--
-- psql variables: database, service (the runtime role), owner (owns everything, nobody logs in as it), migrator (logs
-- in for migrations and acts as the owner), service_password and migrator_password (plain, or SCRAM verifiers);
-- connections (30 where it is not set: of the runtime role, all instances of the service together). Where they are set:
-- operator, operator_password (a role for operators' programs, which reads what the migrations grant it).
\if :{?connections}
\else
\set connections 30
\endif
SELECT format('CREATE ROLE %I', name)
  FROM unnest(ARRAY[:'owner', :'migrator', :'service']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE :"owner" NOLOGIN NOCREATEDB NOCREATEROLE;
ALTER ROLE :"migrator" LOGIN NOINHERIT NOCREATEDB NOCREATEROLE PASSWORD :'migrator_password';
ALTER ROLE :"service" LOGIN NOINHERIT NOCREATEDB NOCREATEROLE PASSWORD :'service_password';
GRANT :"owner" TO :"migrator";
-- An administrator that is no superuser may hand a database only to a role that he is a member of.
SELECT format('GRANT %I TO CURRENT_USER', :'owner')
 WHERE NOT pg_has_role(CURRENT_USER, :'owner', 'MEMBER') \gexec

-- One service must not take the connections of all.
ALTER ROLE :"service" CONNECTION LIMIT :connections;
ALTER ROLE :"migrator" CONNECTION LIMIT 5;

-- A role may change its own settings, and Postgres cannot forbid it: each run takes such changes back.
ALTER ROLE :"service" RESET ALL;
-- A statement or transaction that hangs must not hold the others' locks for long.
ALTER ROLE :"service" SET lock_timeout = '3s';
ALTER ROLE :"service" SET statement_timeout = '10s';
ALTER ROLE :"service" SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE :"service" SET default_transaction_isolation = 'read committed';

-- Only a superuser may set this limit, so that no role can raise its own. A session's temporary files together.
SELECT format('ALTER ROLE %I SET temp_file_limit = %L', :'service', '64MB')
 WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER) \gexec

SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
ALTER DATABASE :"database" OWNER TO :"owner";
ALTER ROLE :"service" IN DATABASE :"database" RESET ALL;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"service", :"migrator";
ALTER ROLE :"migrator" IN DATABASE :"database" SET role = :'owner';
-- A migration that waits for a lock makes everyone behind it wait: better it fails and is run again.
ALTER ROLE :"migrator" IN DATABASE :"database" SET lock_timeout = '3s';

-- The operator's role reads alone, in short transactions: it must hold up neither the service nor vacuum.
\if :{?operator}
SELECT format('CREATE ROLE %I', :'operator')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'operator') \gexec
ALTER ROLE :"operator" LOGIN NOINHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT 5 PASSWORD :'operator_password';
ALTER ROLE :"operator" RESET ALL;
ALTER ROLE :"operator" SET default_transaction_read_only = on;
ALTER ROLE :"operator" SET lock_timeout = '1s';
ALTER ROLE :"operator" SET statement_timeout = '5s';
ALTER ROLE :"operator" SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE :"operator" IN DATABASE :"database" RESET ALL;
GRANT CONNECT ON DATABASE :"database" TO :"operator";
\endif
