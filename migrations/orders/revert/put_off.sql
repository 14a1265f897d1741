-- Takes the function away.
BEGIN;
DROP FUNCTION orders.put_off(interval);
COMMIT;
