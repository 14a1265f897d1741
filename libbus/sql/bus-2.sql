-- What libbus needs beside bus.sql since its second version: what happened to a parked message, and the unroutable rows at a glance.
-- Included by a later migration of every service, in a transaction of its own.

-- How it failed, try by try, as the message itself carries it in bus-history; and which version gave it up.
ALTER TABLE bus.parked ADD COLUMN service_version text NOT NULL DEFAULT '',
                       ADD COLUMN history         text NOT NULL DEFAULT '';

-- Empty but in a fault of the topology: counting them reads what there is to count, however long the outbox is.
CREATE INDEX outbox_unroutable ON bus.outbox (id) WHERE unroutable;
