/* Repairs of contradictions: rows that owners change, and messages that services answer or follow. */
#ifndef RECONCILE_REPAIR_H
#define RECONCILE_REPAIR_H

#include "audit.h"
#include "misfit.h"
#include "program.h"

#include <send_session.h>

struct reconcile_repair {
  const struct program *program;
  struct audit audit;
  struct bus_arena *arena;                 /* of one repair */
  struct bus_reader *bodies[STORY_BROKER]; /* of messages; of orders: as the log's role */
  struct bus_reader *orders, *payments;    /* as the owners */
  struct send_session session;
  struct bus_uuid_source ids;
  int64_t done, outdated; /* outdated: the place has changed since it was read, and no message follows of its row */
};

/* Opens all places, and the record. False: nothing was done. */
bool reconcile_repair_open(const struct program *program, struct reconcile_repair *ret,
                           struct bus_error *err) BUS_MUST_CHECK;
void reconcile_repair_close(struct reconcile_repair *repair);

/* Gives all open orders time. */
bool reconcile_put_off(struct reconcile_repair *repair, struct bus_error *err) BUS_MUST_CHECK;
/* One repair, with its line in the record before. */
bool reconcile_mend(struct reconcile_repair *repair, const struct bus_uuid *order_id, const struct misfit *misfit,
                    struct bus_error *err) BUS_MUST_CHECK;

#endif
