-- Endpoints that are addresses ("mailto:ann@example.org"): unconfirmed at first, and disabled by mails that are refused
-- for good. Mails to one address are counted by a hash of it.
BEGIN;

ALTER TABLE webhooks.endpoints
    DROP CONSTRAINT endpoints_events_check,
    DROP CONSTRAINT endpoints_status_check,
    DROP CONSTRAINT endpoints_cause_check,
    ADD CONSTRAINT endpoints_events_check CHECK (events BETWEEN 1 AND 31), -- bit 4: webhook.disabled
    ADD CONSTRAINT endpoints_status_check CHECK (status IN ('enabled', 'disabled', 'unconfirmed', 'deleted')),
    ADD CONSTRAINT endpoints_cause_check CHECK (cause IN ('gone', 'failing', 'refused')),
    ADD COLUMN refusals bigint NOT NULL DEFAULT 0 CHECK (refusals >= 0);
CREATE INDEX endpoints_unconfirmed ON webhooks.endpoints (endpoint_id) WHERE status = 'unconfirmed';
GRANT UPDATE (refusals) ON webhooks.endpoints TO notify_svc;

-- order_id: NULL where the delivery is about no order.
ALTER TABLE webhooks.deliveries
    ALTER COLUMN order_id DROP NOT NULL,
    DROP CONSTRAINT deliveries_event_check,
    ADD CONSTRAINT deliveries_event_check CHECK (event IN ('order.confirmed', 'order.cancelled', 'order.rejected',
                                                           'order.refunded', 'webhook.disabled', 'email.confirm'));

CREATE TABLE webhooks.mail_windows (
    address_key text        COLLATE "C" PRIMARY KEY CHECK (octet_length(address_key) = 64),
    began_at    timestamptz NOT NULL,
    mails       bigint      NOT NULL CHECK (mails >= 0)
);
CREATE INDEX mail_windows_age ON webhooks.mail_windows (began_at);
GRANT SELECT, INSERT, DELETE ON webhooks.mail_windows TO notify_svc;
GRANT UPDATE (began_at, mails) ON webhooks.mail_windows TO notify_svc;

COMMIT;
