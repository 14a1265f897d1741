-- Takes the payments away.
BEGIN;
DROP TABLE payments.payments;
DROP SCHEMA payments;
COMMIT;
