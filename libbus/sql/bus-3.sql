-- What libbus needs beside bus-2.sql since its third version: the tracestate of a message that waits to be published.
-- Included by a later migration of every service, in a transaction of its own.

ALTER TABLE bus.outbox ADD COLUMN tracestate text CHECK (length(tracestate) <= 512);
