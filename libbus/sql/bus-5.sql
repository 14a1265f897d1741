-- For a role of operators' programs, psql variable `operator`: where messages are, never their bodies, which hold customers'
-- data. Included by a later migration of a service that has such a role, in a transaction of its own.

-- A line for each message that waits to be published; a bundle has one for each of its messages.
CREATE VIEW bus.outbox_messages AS
SELECT o.id AS row_id, coalesce((e.one ->> 'id')::uuid, o.id) AS message_id, o.type,
       coalesce((e.one ->> 'subject')::uuid, o.correlation_id) AS correlation_id,
       coalesce((e.one ->> 'causationid')::uuid, o.causation_id) AS causation_id,
       o.unroutable, o.attempts, o.messages::bigint AS messages, o.created_at, o.next_attempt_at
FROM bus.outbox o
LEFT JOIN LATERAL jsonb_array_elements(CASE WHEN o.messages > 1 THEN o.body::jsonb END) AS e (one) ON true;

GRANT USAGE ON SCHEMA bus TO :"operator";
GRANT SELECT ON bus.inbox, bus.outbox_messages, bus.parked, bus.suspects TO :"operator";
GRANT SELECT (id, type, unroutable, attempts, messages, created_at, next_attempt_at) ON bus.outbox TO :"operator";
