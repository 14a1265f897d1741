/* <service>.trail.v1: a query that each service answers without code of its own (bus/service.h), from the tables of
 * libbus in its database: the messages of one correlation id that wait in the outbox or were dead-lettered; or, for
 * none, all that was dead-lettered lately, by cause. No body of a message is shown. Pure. */
#pragma once

#include <bus/field.h>
#include <bus/message.h>

BUS_C_BEGIN

/* A service defines its query with it, and names the query in a query queue of its topology: BUS_TRAIL_QUERY(
 * "order.trail.v1", "edge"). */
#define BUS_TRAIL_QUERY(name, ...) BUS_QUERY(name, &bus_trail_get_schema, __VA_ARGS__)

struct bus_trail_get {
  struct bus_uuid correlation_id; /* nil: none */
};

/* A message that the broker has not confirmed yet. */
struct bus_trail_outgoing {
  struct bus_uuid message_id, causation_id;
  struct bus_str type;
  bool unroutable;
  int64_t attempts; /* by the sweeper */
  bus_time created_at;
};

/* A message that was dead-lettered; perhaps it was sent again or dropped since. */
struct bus_trail_dead {
  struct bus_uuid message_id;
  struct bus_str queue, type, error, cause;
  int64_t attempt;
  bus_time at;
};

/* Dead-lettered messages of one queue, type, error and cause, without the ids in it. */
struct bus_trail_cause {
  struct bus_str queue, type, error, cause;
  int64_t count;
  bus_time first_at, last_at;
  struct bus_uuid message_id; /* the last one */
};

enum { BUS_TRAIL_MAX = 100 /* in each list */, BUS_TRAIL_CAUSE = 256 /* characters */ };
/* Looked through are the 500 oldest rows of the outbox and the 10,000 newest dead letters; causes are those of 7 days.
 */
struct bus_trail {
  struct bus_trail_outgoing *outgoing;
  struct bus_trail_dead *dead;
  struct bus_trail_cause *causes;
  size_t outgoing_count, dead_count, cause_count;
};

extern const struct bus_schema bus_trail_get_schema, bus_trail_outgoing_schema, bus_trail_dead_schema,
    bus_trail_cause_schema, bus_trail_schema;
extern const struct bus_message_type bus_trail_type; /* the answer of all services */

BUS_C_END
