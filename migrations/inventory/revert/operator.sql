-- The role reads nothing here any more.
BEGIN;

REVOKE SELECT (order_id, state, reason, total, currency, created_at, updated_at, expected_until, expires_at)
    ON inventory.reservations FROM inventory_operator;
REVOKE USAGE ON SCHEMA inventory FROM inventory_operator;

COMMIT;
