/* The order in which messages leave a worker: bundles of one transaction to the same place in that of their first
 * messages, and messages of one order to the same place as they were emitted. */
#ifndef SIM_LEAVING_H
#define SIM_LEAVING_H

#include "broker.h"

#include <bus/effects.h>

enum { LEFT_MAX = 256 };

/* A message of the attempt that has been published. */
struct left {
  const struct letter *letter;
  bool first; /* of its AMQP message */
  int reply;  /* the edge that it is for; -1: queues */
};

struct leaving {
  uint64_t attempt; /* the one under way; unique in the world */
  size_t emitted, count;
  struct left left[LEFT_MAX];
};

/* An attempt begins. */
void leaving_begin(struct world *world, struct leaving *leaving);
/* An input was decided: notes what it emits. */
void leaving_emitted(struct world *world, struct leaving *leaving, const struct bus_effects *effects);
/* Checks what is published from an attempt or an outbox row. */
void leaving_check(struct world *world, struct leaving *leaving, const struct sending *sending);

#endif
