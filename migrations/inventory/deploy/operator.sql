-- States of reservations for operators.
BEGIN;

GRANT USAGE ON SCHEMA inventory TO inventory_operator;
GRANT SELECT (order_id, state, reason, total, currency, created_at, updated_at, expected_until, expires_at)
    ON inventory.reservations TO inventory_operator;

COMMIT;
