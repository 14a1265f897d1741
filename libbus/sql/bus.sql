-- The tables that libbus needs in a service's database: inbox, outbox, parked. Included by the first migration of every
-- service with the psql variable `service` set to the role that it runs as.

CREATE SCHEMA bus;

-- Which messages were processed. The worker inserts a whole batch with ON CONFLICT DO NOTHING; what comes back is new.
CREATE TABLE bus.inbox (
    message_id  uuid        PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);

-- What must still be published. A row is deleted once the broker has confirmed it, mostly within the next batch's
-- transaction; the sweeper takes what is due by next_attempt_at. Selected by state, never by a high-water mark: ids
-- commit in another order than they were given out.
CREATE TABLE bus.outbox (
    id              uuid        PRIMARY KEY,               -- the message_id, for ever
    type            text        NOT NULL CHECK (length(type) BETWEEN 1 AND 64),
    correlation_id  uuid,
    causation_id    uuid,
    traceparent     text        CHECK (length(traceparent) <= 55),
    body            text        NOT NULL,
    unroutable      boolean     NOT NULL DEFAULT false,     -- the broker returned it: no queue is bound
    attempts        bigint      NOT NULL DEFAULT 0,         -- by the sweeper
    created_at      timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000);
CREATE INDEX outbox_due ON bus.outbox (next_attempt_at);

-- What was parked in a dead queue, and why: for the operator, who finds it here when the queue is long empty.
CREATE TABLE bus.parked (
    message_id     uuid        NOT NULL,
    parked_at      timestamptz NOT NULL DEFAULT now(),
    queue          text        NOT NULL,
    type           text        NOT NULL,
    correlation_id uuid,
    attempt        bigint      NOT NULL,
    cause_class    text        NOT NULL,
    cause          text        NOT NULL,
    PRIMARY KEY (message_id, parked_at)
);

-- Messages that are taken one by one after a crash, each counted before it is tried: the one that crashes its consumer
-- again and again is found by its own count, and its neighbours stay unharmed.
CREATE TABLE bus.suspects (
    message_id uuid        PRIMARY KEY,
    tries      bigint      NOT NULL DEFAULT 1,
    since      timestamptz NOT NULL DEFAULT now()
);

GRANT USAGE ON SCHEMA bus TO :"service";
GRANT SELECT, INSERT, DELETE ON bus.inbox TO :"service";
GRANT SELECT, INSERT, UPDATE, DELETE ON bus.outbox TO :"service";
GRANT SELECT, INSERT, UPDATE, DELETE ON bus.suspects TO :"service";
GRANT SELECT, INSERT ON bus.parked TO :"service";

-- Where sqitch deploys, the service checks at its start that the migrations that it needs are there.
SELECT to_regclass('sqitch.changes') IS NOT NULL AS has_sqitch \gset
\if :has_sqitch
GRANT USAGE ON SCHEMA sqitch TO :"service";
GRANT SELECT ON sqitch.changes TO :"service";
\endif
