/* The choice of dead letters, and the actions on them. */
#ifndef DEAD_H
#define DEAD_H

#include "audit.h"
#include "program.h"

#include <bus/amqp.h>

enum { DEAD_IDS_MAX = 100, DEAD_END = 448 };
#define DEAD_RETRY "dead.retry" /* in the record */

/* Which messages of one dead queue are meant. */
struct dead_choice {
  const struct bus_queue *queue;
  const struct program *program; /* type, error, all */
  struct bus_uuid ids[DEAD_IDS_MAX];
  size_t id_count;
};

bool dead_is_chosen(const struct dead_choice *choice, const struct bus_envelope *envelope) BUS_MUST_CHECK;

/* Sends the chosen ones again, a canary first; returns the status to exit with. */
int dead_retry(const struct dead_choice *choice);
/* Takes them away forever. */
int dead_drop(const struct dead_choice *choice);
/* Puts back what the run has sent and nobody has taken. */
int dead_undo(const struct program *program, const struct bus_uuid *run);

#endif
