-- What was sold can be put back into stock, once an order. NOT VALID and then VALIDATE: no row is locked meanwhile.
BEGIN;

ALTER TABLE inventory.reservations DROP CONSTRAINT reservations_state_check;
ALTER TABLE inventory.reservations ADD CONSTRAINT reservations_state_check
    CHECK (state IN ('RESERVED', 'COMMITTED', 'RELEASED', 'RETURNED', 'REJECTED', 'EXPIRED')) NOT VALID;
ALTER TABLE inventory.reservations VALIDATE CONSTRAINT reservations_state_check;

COMMIT;
