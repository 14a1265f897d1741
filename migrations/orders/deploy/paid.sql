-- No order becomes PAID any more: the capture confirms it. The number stays for rows and logs of the release before.
BEGIN;

COMMENT ON COLUMN orders.orders.status IS
    '0 PENDING, 1 RESERVED, 2 PAID (of the release before), 3 COMPENSATING, 4 CONFIRMED, 5 REJECTED, 6 CANCELLED';

COMMIT;
