-- Takes the function away.
BEGIN;
DROP FUNCTION payments.settle(uuid, text, text, text);
COMMIT;
