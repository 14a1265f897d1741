/* Outboxes after a restore: messages that wait to be published, and that other services have taken before. */
#ifndef RECONCILE_OUTBOX_H
#define RECONCILE_OUTBOX_H

#include "program.h"

/* waiting: messages in the outbox of the place, of the first RECONCILE_OUTBOX_MAX. taken: those of them that an inbox
 * of another place has; they are published again, and taken once. */
struct reconcile_outbox {
  int64_t waiting, taken;
};
enum { RECONCILE_OUTBOX_MAX = 100000 };

bool reconcile_outboxes_read(const struct program *program, struct reconcile_outbox ret[STORY_BROKER],
                             struct bus_error *err) BUS_MUST_CHECK;

#endif
