-- What the invariants ask, for operators and tests: reservations item by item, and the products whose numbers are not
-- what the reservations say. Both read whole tables: the service never does.
BEGIN;

CREATE VIEW inventory.reservation_items AS
SELECT r.order_id, r.state, i.position, i.product_id, i.quantity, i.unit_price
FROM inventory.reservations r,
     unnest(r.product_ids, r.quantities, r.unit_prices) WITH ORDINALITY
         AS i (product_id, quantity, unit_price, position);

-- No row at any time between two transactions.
CREATE VIEW inventory.stock_audit AS
SELECT coalesce(p.product_id, h.product_id) AS product_id, p.received, p.on_hand, p.reserved, p.sold,
       coalesce(h.reserved, 0) AS held_reserved, coalesce(h.sold, 0) AS held_sold
FROM inventory.products p
FULL JOIN (SELECT product_id,
                  coalesce(sum(quantity) FILTER (WHERE state = 'RESERVED'), 0)::bigint AS reserved,
                  coalesce(sum(quantity) FILTER (WHERE state = 'COMMITTED'), 0)::bigint AS sold
           FROM inventory.reservation_items GROUP BY product_id) h ON h.product_id = p.product_id
WHERE p.product_id IS NULL
   OR p.received <> p.on_hand + p.reserved + p.sold
   OR least(p.on_hand, p.reserved, p.sold) < 0
   OR p.reserved <> coalesce(h.reserved, 0)
   OR p.sold <> coalesce(h.sold, 0);

COMMIT;
