-- Takes the users away.
BEGIN;
DROP SCHEMA users CASCADE;
COMMIT;
