/* The envelope's codec: AMQP properties and headers on one side, struct bus_envelope on the other. */
#pragma once

#include <bus/amqp.h>
#include <bus/timefmt.h>

#include "rabbitmq.h"

enum { ENVELOPE_HEADERS = 15, ENVELOPE_ATTEMPT_MAX = 1000000 };

/* Properties that point into this struct, the publication and the sender: they live as long as all three. */
struct envelope_wire {
  amqp_basic_properties_t properties;
  amqp_table_entry_t headers[ENVELOPE_HEADERS];
  char message_id[BUS_UUID_TEXT], correlation_id[BUS_UUID_TEXT], causation_id[BUS_UUID_TEXT];
  char shard[BUS_SHARD_TEXT];
  char traceparent[BUS_TRACEPARENT_TEXT], first_failed[BUS_TIME_TEXT], deadline[BUS_TIME_TEXT];
};

/* Who publishes: the connection's user, and the same as a CloudEvents source. */
struct envelope_sender {
  struct bus_str user;   /* "order-svc" */
  struct bus_str source; /* "/order-svc" */
  size_t shards;         /* of the queues that its messages may go to; 0 or 1: they are not split */
};

void envelope_encode(const struct bus_publication *publication, const struct envelope_sender *sender,
                     struct envelope_wire *ret);

/* Reads the properties. A missing, malformed, too long or wrongly typed property becomes absent or nil in *ret; the
 * consumer judges. redelivered is not among the properties. Text is copied into the arena. False only when out of
 * memory. */
bool envelope_decode(const amqp_basic_properties_t *properties, struct bus_arena *arena,
                     struct bus_envelope *ret) BUS_MUST_CHECK;

/* message_id alone, nil where it is missing or malformed. */
void envelope_message_id(const amqp_basic_properties_t *properties, struct bus_uuid *ret);
