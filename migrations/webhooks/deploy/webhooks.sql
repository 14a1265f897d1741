-- Endpoints of customers, one delivery for each event that an endpoint wants, and a row for each attempt. Secrets are
-- sealed to a key that the database does not know.
BEGIN;

CREATE SCHEMA webhooks;
REVOKE ALL ON SCHEMA webhooks FROM PUBLIC;
GRANT USAGE ON SCHEMA webhooks TO notify_svc;

-- events: bit 0 order.confirmed, 1 order.cancelled, 2 order.rejected, 3 order.refunded. A deleted endpoint stays until
-- its deliveries are purged.
CREATE TABLE webhooks.endpoints (
    endpoint_id      uuid        PRIMARY KEY,
    customer_id      text COLLATE "C" NOT NULL CHECK (octet_length(customer_id) BETWEEN 1 AND 64),
    url              text        NOT NULL CHECK (octet_length(url) BETWEEN 8 AND 512),
    events           bigint      NOT NULL CHECK (events BETWEEN 1 AND 15),
    description      text        CHECK (octet_length(description) BETWEEN 1 AND 200),
    created_at       timestamptz NOT NULL,
    secret           text        NOT NULL CHECK (octet_length(secret) = 131),
    old_secret       text        CHECK (octet_length(old_secret) = 131),
    old_secret_until timestamptz,
    rotation_id      uuid,
    status           text        NOT NULL CHECK (status IN ('enabled', 'disabled', 'deleted')),
    cause            text        CHECK (cause IN ('gone', 'failing')),
    disabled_at      timestamptz,
    failing_since    timestamptz,
    CONSTRAINT endpoints_cause CHECK (status <> 'disabled' OR (cause IS NOT NULL AND disabled_at IS NOT NULL))
);
CREATE INDEX endpoints_customer ON webhooks.endpoints (customer_id, created_at);
CREATE INDEX endpoints_deleted ON webhooks.endpoints (endpoint_id) WHERE status = 'deleted';
GRANT SELECT, INSERT, DELETE ON webhooks.endpoints TO notify_svc;
GRANT UPDATE (secret, old_secret, old_secret_until, rotation_id, status, cause, disabled_at, failing_since)
    ON webhooks.endpoints TO notify_svc;

CREATE TABLE webhooks.deliveries (
    delivery_id     uuid        PRIMARY KEY,
    endpoint_id     uuid        NOT NULL REFERENCES webhooks.endpoints,
    order_id        uuid        NOT NULL,
    event           text        NOT NULL CHECK (event IN ('order.confirmed', 'order.cancelled', 'order.rejected',
                                                          'order.refunded')),
    payload         text        NOT NULL CHECK (octet_length(payload) BETWEEN 2 AND 20000),
    created_at      timestamptz NOT NULL,
    status          text        NOT NULL CHECK (status IN ('waiting', 'delivered', 'failed')),
    attempts        bigint      NOT NULL CHECK (attempts >= 0),
    failures        bigint      NOT NULL CHECK (failures BETWEEN 0 AND 17),
    next_attempt_at timestamptz,
    CONSTRAINT deliveries_next CHECK ((status = 'waiting') = (next_attempt_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX deliveries_due ON webhooks.deliveries (endpoint_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_page ON webhooks.deliveries (endpoint_id, created_at, delivery_id);
CREATE INDEX deliveries_age ON webhooks.deliveries (created_at);
GRANT SELECT, INSERT, DELETE ON webhooks.deliveries TO notify_svc;
GRANT UPDATE (status, attempts, failures, next_attempt_at) ON webhooks.deliveries TO notify_svc;

-- status: of HTTP; NULL where there was no answer.
CREATE TABLE webhooks.attempts (
    delivery_id uuid        NOT NULL REFERENCES webhooks.deliveries ON DELETE CASCADE,
    number      bigint      NOT NULL CHECK (number >= 1),
    at          timestamptz NOT NULL,
    status      bigint      CHECK (status BETWEEN 100 AND 999),
    duration_ms bigint      NOT NULL CHECK (duration_ms >= 0),
    note        text        CHECK (octet_length(note) <= 200),
    PRIMARY KEY (delivery_id, number)
);
GRANT SELECT, INSERT ON webhooks.attempts TO notify_svc;

COMMIT;
