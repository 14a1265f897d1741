-- The column and its CHECK.
SELECT expires_at FROM inventory.reservations WHERE false;
SELECT 1 / count(*) FROM pg_constraint WHERE conname = 'reservations_own' AND convalidated;
