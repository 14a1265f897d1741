/* libbus's own statements over the tables of sql/bus.sql, bus-2.sql and bus-3.sql. Inserts and locks are in order of
 * id. */
#include "own.h"

const struct bus_statement bus_own_statements[BUS_OWN_STATEMENTS] = {
    [OWN_BEGIN] = {"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", ""},
    [OWN_SETTINGS] = {NULL, ""}, /* the driver's: what a session behind a pooler needs in each transaction */
    [OWN_NOW] = {"SELECT now()", ""},
    [OWN_INBOX_INSERT] = {"INSERT INTO bus.inbox (message_id) SELECT id FROM unnest($1) AS id ORDER BY id "
                          "ON CONFLICT DO NOTHING RETURNING message_id, now()",
                          "U"},
    [OWN_INBOX_DELETE] = {"DELETE FROM bus.inbox WHERE message_id = ANY($1)", "U"},
    [OWN_OUTBOX_INSERT] =
        {"INSERT INTO bus.outbox (id, type, correlation_id, causation_id, traceparent, tracestate, "
         "body, messages, next_attempt_at) SELECT id, type, correlation_id, causation_id, traceparent, "
         "tracestate, body, messages, now() + $1 * interval '1 millisecond' "
         "FROM unnest($2, $3, $4, $5, $6, $7, $8, $9) "
         "AS row (id, type, correlation_id, causation_id, traceparent, tracestate, body, messages)",
         "iUTUUTTTI"},
    [OWN_OUTBOX_DELETE] = {"DELETE FROM bus.outbox WHERE id IN "
                           "(SELECT id FROM bus.outbox WHERE id = ANY($1) FOR UPDATE SKIP LOCKED)",
                           "U"},
    [OWN_OUTBOX_UNROUTABLE] = {"UPDATE bus.outbox SET unroutable = true, next_attempt_at = now() + "
                               "least(power(2, least(attempts, 10)), 60) * interval '5 seconds' WHERE id IN "
                               "(SELECT id FROM bus.outbox WHERE id = ANY($1) FOR UPDATE SKIP LOCKED)",
                               "U"},
    /* A claim: others see the rows as not due until the lease is over. */
    [OWN_OUTBOX_SWEEP] =
        {"UPDATE bus.outbox AS claimed SET attempts = attempts + 1, next_attempt_at = now() + "
         "$1 * interval '1 millisecond' WHERE id IN (SELECT id FROM bus.outbox "
         "WHERE next_attempt_at <= now() ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED) "
         "RETURNING id, type, correlation_id, causation_id, traceparent, body, created_at, tracestate, "
         "messages::int8",
         "ii"},
    /* No row is due later than in $1, no unroutable row later than in 5 minutes. A later time was written before the
     * server's clock was set back; the row would wait until the clock has caught up. */
    [OWN_OUTBOX_RECALL] = {"UPDATE bus.outbox SET next_attempt_at = now() WHERE id IN (SELECT id FROM bus.outbox "
                           "WHERE next_attempt_at > now() + $1 * interval '1 millisecond' "
                           "AND (NOT unroutable OR next_attempt_at > now() + interval '5 minutes') "
                           "ORDER BY next_attempt_at DESC LIMIT $2 FOR UPDATE SKIP LOCKED)",
                           "ii"},
    /* Bounded: an outage may leave millions of rows. UUIDv7 sorts by age. */
    [OWN_OUTBOX_DEPTH] = {"SELECT (SELECT coalesce(sum(messages), 0)::int8 FROM (SELECT messages FROM bus.outbox LIMIT "
                          "10001) AS bounded), "
                          "(SELECT created_at FROM bus.outbox ORDER BY id LIMIT 1), now(), "
                          "(SELECT count(*) FROM (SELECT 1 FROM bus.outbox WHERE unroutable LIMIT 10001) AS bounded)",
                          ""},
    [OWN_PARKED_INSERT] = {"INSERT INTO bus.parked (message_id, queue, type, correlation_id, attempt, cause_class, "
                           "cause, service_version, history) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                           "ON CONFLICT DO NOTHING",
                           "UTTUITTTT"},
    [OWN_SUSPECT_COUNT] = {"INSERT INTO bus.suspects AS known (message_id) VALUES ($1) ON CONFLICT (message_id) "
                           "DO UPDATE SET tries = known.tries + 1 RETURNING tries",
                           "u"},
    [OWN_SUSPECT_DELETE] = {"DELETE FROM bus.suspects WHERE message_id = ANY($1)", "U"},
    /* $1: the least UUIDv7 of $3 hours ago, so that the primary key finds old rows. */
    [OWN_PURGE] = {"WITH forgotten AS (DELETE FROM bus.suspects WHERE since < now() - $3 * interval '1 hour') "
                   "DELETE FROM bus.inbox WHERE message_id IN (SELECT message_id FROM bus.inbox WHERE message_id < $1 "
                   "AND received_at < now() - $3 * interval '1 hour' ORDER BY message_id LIMIT $2)",
                   "uii"},
    [OWN_COMMIT] = {"COMMIT", ""},
    [OWN_ROLLBACK] = {"ROLLBACK", ""},
};
