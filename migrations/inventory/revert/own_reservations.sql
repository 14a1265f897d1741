-- Gives the stock of open own reservations back: nothing would ask for their end. What was confirmed stays sold.
BEGIN;
UPDATE inventory.products p
SET on_hand = p.on_hand + h.quantity, reserved = p.reserved - h.quantity, stock_version = p.stock_version + 1,
    updated_at = now()
FROM (SELECT i.product_id, sum(i.quantity)::bigint AS quantity
      FROM inventory.reservation_items i JOIN inventory.reservations r USING (order_id)
      WHERE r.expires_at IS NOT NULL AND r.state = 'RESERVED' GROUP BY i.product_id) h
WHERE p.product_id = h.product_id;
UPDATE inventory.reservations SET state = 'RELEASED', expected_until = NULL
WHERE expires_at IS NOT NULL AND state IN ('RESERVED', 'EXPIRED');
ALTER TABLE inventory.reservations DROP CONSTRAINT reservations_own;
ALTER TABLE inventory.reservations DROP CONSTRAINT reservations_state_check;
ALTER TABLE inventory.reservations ADD CONSTRAINT reservations_state_check
    CHECK (state IN ('RESERVED', 'COMMITTED', 'RELEASED', 'REJECTED'));
ALTER TABLE inventory.reservations DROP COLUMN expires_at;  -- and the index with it
CREATE INDEX reservations_held ON inventory.reservations (expected_until) WHERE state = 'RESERVED';
COMMIT;
