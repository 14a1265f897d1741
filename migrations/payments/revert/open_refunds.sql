-- Without the index of pages.
BEGIN;
DROP INDEX payments.payments_open_refunds;
COMMIT;
