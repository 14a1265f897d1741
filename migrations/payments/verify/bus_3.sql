-- The column is there.
SELECT tracestate FROM bus.outbox WHERE false;
