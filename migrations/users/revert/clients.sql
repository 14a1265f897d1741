-- Takes the clients away.
BEGIN;
DROP TABLE users.clients;
COMMIT;
