-- Takes the function away.
BEGIN;
DROP FUNCTION payments.adopt(uuid, uuid, bigint, bigint, text, text, bigint, text);
COMMIT;
