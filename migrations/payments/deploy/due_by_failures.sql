-- What is due is claimed by how often it has failed, what never failed first: the index begins with that. As before,
-- only what is open stands in it.
BEGIN;

DROP INDEX payments.payments_due;
CREATE INDEX payments_due ON payments.payments (least(attempts, 3), next_attempt_at) WHERE next_attempt_at IS NOT NULL;

COMMIT;
