-- The column is there.
SELECT messages FROM bus.outbox WHERE false;
