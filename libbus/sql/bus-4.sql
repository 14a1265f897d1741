-- What libbus needs beside bus-3.sql since its fourth version: rows of the outbox that are bundles of messages.
-- Included by a later migration of every service, in a transaction of its own.

ALTER TABLE bus.outbox ADD COLUMN messages smallint NOT NULL DEFAULT 1 CHECK (messages BETWEEN 1 AND 128);
