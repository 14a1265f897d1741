-- What reservations hold, for operators: an answer of inventory-svc that was lost can be made again.
BEGIN;

GRANT SELECT ON inventory.reservation_items TO inventory_operator;

COMMIT;
