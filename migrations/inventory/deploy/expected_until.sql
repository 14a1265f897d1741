-- When order-svc has decided at the latest: a reservation that is RESERVED after that time is asked about. Rows of before,
-- and rows that an older inventory-svc writes, get ten minutes.
--
-- A sale takes its row out of the index, so it is no heap-only update as it was before: one more entry in the primary
-- key, on a page that was written a moment ago.
BEGIN;

ALTER TABLE inventory.reservations ADD COLUMN expected_until timestamptz DEFAULT now() + interval '10 minutes';
CREATE INDEX reservations_held ON inventory.reservations (expected_until) WHERE state = 'RESERVED';
GRANT UPDATE (expected_until) ON inventory.reservations TO inventory_svc;

COMMIT;
