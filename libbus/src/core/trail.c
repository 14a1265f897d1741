/* The tables and the answer of <service>.trail. */
#include <bus/trail.h>

/* A service could not read a type that it dead-lettered, so the texts may be anything. */
#define NAME(S, member, ...) BUS_FIELD_STRING(S, member, BUS_TEXT, 0, 4 * BUS_TYPE_MAX, BUS_REQUIRED, __VA_ARGS__)
#define CAUSE(S)                                                                                                       \
  NAME(S, queue, "the work queue"), NAME(S, type, "the message's type"), NAME(S, error, "name of the error"),          \
      BUS_FIELD_STRING(S, cause, BUS_TEXT, 0, 4 * BUS_TRAIL_CAUSE, BUS_REQUIRED, "why it was given up")

static const struct bus_field get_fields[] = {
    BUS_FIELD_UUID(struct bus_trail_get, correlation_id, BUS_OPTIONAL,
                   "whose messages; without it, dead letters by cause"),
};
const struct bus_schema bus_trail_get_schema = BUS_SCHEMA("service.trail-get", struct bus_trail_get, get_fields);

static const struct bus_field outgoing_fields[] = {
    BUS_FIELD_UUID(struct bus_trail_outgoing, message_id, BUS_REQUIRED, "the message"),
    BUS_FIELD_UUID(struct bus_trail_outgoing, causation_id, BUS_OPTIONAL, "the message that caused it"),
    NAME(struct bus_trail_outgoing, type, "its type"),
    BUS_FIELD_BOOL(struct bus_trail_outgoing, unroutable, BUS_REQUIRED, "no queue takes it"),
    BUS_FIELD_INT64(struct bus_trail_outgoing, attempts, 0, BUS_JSON_INT_MAX, BUS_REQUIRED,
                    "how often it was sent again"),
    BUS_FIELD_TIME(struct bus_trail_outgoing, created_at, BUS_REQUIRED, "when it was written to the outbox"),
};
const struct bus_schema bus_trail_outgoing_schema =
    BUS_SCHEMA("service.outgoing", struct bus_trail_outgoing, outgoing_fields);

static const struct bus_field dead_fields[] = {
    BUS_FIELD_UUID(struct bus_trail_dead, message_id, BUS_OPTIONAL, "the message; null if it had no id"),
    CAUSE(struct bus_trail_dead),
    BUS_FIELD_INT64(struct bus_trail_dead, attempt, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "number of its last try"),
    BUS_FIELD_TIME(struct bus_trail_dead, at, BUS_REQUIRED, "when it was dead-lettered"),
};
const struct bus_schema bus_trail_dead_schema = BUS_SCHEMA("service.dead", struct bus_trail_dead, dead_fields);

static const struct bus_field cause_fields[] = {
    CAUSE(struct bus_trail_cause),
    BUS_FIELD_INT64(struct bus_trail_cause, count, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "how many"),
    BUS_FIELD_TIME(struct bus_trail_cause, first_at, BUS_REQUIRED, "when the first was dead-lettered"),
    BUS_FIELD_TIME(struct bus_trail_cause, last_at, BUS_REQUIRED, "when the last was dead-lettered"),
    BUS_FIELD_UUID(struct bus_trail_cause, message_id, BUS_OPTIONAL, "the last message; null if it had no id"),
};
const struct bus_schema bus_trail_cause_schema = BUS_SCHEMA("service.dead-cause", struct bus_trail_cause, cause_fields);

static const struct bus_field fields[] = {
    BUS_FIELD_ARRAY(struct bus_trail, outgoing, outgoing_count, struct bus_trail_outgoing, &bus_trail_outgoing_schema,
                    0, BUS_TRAIL_MAX, BUS_REQUIRED, "messages in the outbox, oldest first"),
    BUS_FIELD_ARRAY(struct bus_trail, dead, dead_count, struct bus_trail_dead, &bus_trail_dead_schema, 0, BUS_TRAIL_MAX,
                    BUS_REQUIRED, "dead-lettered messages, oldest first"),
    BUS_FIELD_ARRAY(struct bus_trail, causes, cause_count, struct bus_trail_cause, &bus_trail_cause_schema, 0,
                    BUS_TRAIL_MAX, BUS_REQUIRED, "causes of dead letters, the last first"),
};
const struct bus_schema bus_trail_schema = BUS_SCHEMA("service.trail", struct bus_trail, fields);

const struct bus_message_type bus_trail_type = BUS_ANSWER("service.trail.v1", &bus_trail_schema);
