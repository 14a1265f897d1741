-- Own reservations: an operator holds stock without an order. They are rows of the same table, so that whatever adds
-- reservations up has them, too; expires_at tells them apart. While one is RESERVED its expected_until is expires_at.
BEGIN;

ALTER TABLE inventory.reservations ADD COLUMN expires_at timestamptz;  -- NULL: an order's

ALTER TABLE inventory.reservations DROP CONSTRAINT reservations_state_check;
ALTER TABLE inventory.reservations ADD CONSTRAINT reservations_state_check
    CHECK (state IN ('RESERVED', 'COMMITTED', 'RELEASED', 'REJECTED', 'EXPIRED')) NOT VALID;
ALTER TABLE inventory.reservations VALIDATE CONSTRAINT reservations_state_check;
-- An order's never expires, and a refused own one leaves no row.
ALTER TABLE inventory.reservations ADD CONSTRAINT reservations_own
    CHECK (CASE WHEN expires_at IS NULL THEN state <> 'EXPIRED'
                ELSE state <> 'REJECTED' AND total IS NOT NULL AND expires_at > created_at END) NOT VALID;
ALTER TABLE inventory.reservations VALIDATE CONSTRAINT reservations_own;
-- Own ones may expire after a day: the index tells them apart where orders' ones that were put off are looked for.
DROP INDEX inventory.reservations_held;
CREATE INDEX reservations_held ON inventory.reservations (expected_until, expires_at) WHERE state = 'RESERVED';

COMMIT;
