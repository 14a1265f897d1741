-- The columns and the index are there.
SELECT service_version, history FROM bus.parked WHERE false;
SELECT 'bus.outbox_unroutable'::regclass;
