-- Takes the view away.
BEGIN;
DROP VIEW payments.audit;
COMMIT;
