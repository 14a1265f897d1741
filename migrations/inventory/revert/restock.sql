-- What was put back counts as released: its stock is on hand, too.
BEGIN;
UPDATE inventory.reservations SET state = 'RELEASED' WHERE state = 'RETURNED';
ALTER TABLE inventory.reservations DROP CONSTRAINT reservations_state_check;
ALTER TABLE inventory.reservations ADD CONSTRAINT reservations_state_check
    CHECK (state IN ('RESERVED', 'COMMITTED', 'RELEASED', 'REJECTED', 'EXPIRED'));
COMMIT;
