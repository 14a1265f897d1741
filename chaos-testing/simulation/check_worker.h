/* Invariants of what a worker does with messages that it cannot process. */
#ifndef SIM_CHECK_WORKER_H
#define SIM_CHECK_WORKER_H

#include "worker.h"

/* The refusal of a row that one message leads to. */
#define STUMBLE "a row that cannot be written"

/* A database refuses a transaction with the message. */
void check_refused(struct world *world, struct fate *fate);
/* An attempt begins in the same batch as the one before it, which the database refused: whole, until the batch has met
 * that some times or others have committed. */
void check_part(struct world *world, const struct worker *worker);
/* A delivery moves to a tier or the dead: an attempt is counted only where its database took something since it failed
 * first; and only what is poison is dead-lettered, with a cause. The fault of one message is not held against another.
 */
void check_moved(struct world *world, const struct worker *worker, const struct sending *sending,
                 const struct bus_publication *publication);
/* An answer goes out: what it answers is committed. */
void check_answer(struct world *world, const struct worker *worker, const struct letter *letter,
                  const struct bus_uuid *cause);
/* A message crashes the process that decides it: one that may have crashed an earlier process is alone. */
void check_alone(struct world *world, const struct worker *worker, const struct bus_envelope *envelope);

#endif
