/* Fates of messages that were sent again, as their service's database has them. */
#ifndef DEAD_FATES_H
#define DEAD_FATES_H

#include "program.h"

#include <bus/topology.h>

struct dead_fates {
  int64_t taken, failed; /* in the inbox; dead-lettered again */
};

/* Opens the database of the queue's service. */
bool dead_fates_open(const struct program *program, const struct bus_queue *queue, struct bus_reader **ret,
                     struct bus_error *err) BUS_MUST_CHECK;
bool dead_fates_read(struct bus_reader *reader, const struct bus_uuid *ids, size_t count, struct dead_fates *ret,
                     struct bus_error *err) BUS_MUST_CHECK;
/* Time of the first message that the inbox still knows; BUS_NO_TIME: it knows none. */
bool dead_first_taken(struct bus_reader *reader, bus_time *ret, struct bus_error *err) BUS_MUST_CHECK;
/* Index of the queue's service among outbox_services; OUTBOXES: it has no database that an operator reads. */
int dead_service(const struct bus_queue *queue);

#endif
