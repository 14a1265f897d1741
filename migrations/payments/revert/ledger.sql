-- Takes the ledger away.
BEGIN;
DROP TABLE payments.ledger;
COMMIT;
