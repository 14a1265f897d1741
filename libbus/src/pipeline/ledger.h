/* Outbox rows that the broker has confirmed or returned: deleted, or put off, by statements that ride on a trip 2. */
#pragma once

#include "turn.h"

#include <bus/sql.h>

struct uuid_list {
  struct bus_uuid *ids;
  size_t count, room; /* room: in bytes */
};

struct ledger {
  struct uuid_list confirmed, unroutable;
  size_t confirmed_in_trip, unroutable_in_trip;
  long confirmed_index, unroutable_index; /* of their statements in the trip under way; -1 */
  int64_t again_at;                       /* after they failed */
  int64_t deleted_at;                     /* the last ones */
};

void ledger_free(struct ledger *ledger);
/* Not remembered where there is no memory: the sweeper sends the message again. */
void ledger_confirmed(struct ledger *ledger, const struct bus_uuid *id);
void ledger_unroutable(struct ledger *ledger, const struct bus_uuid *id);
static inline bool ledger_is_empty(const struct ledger *ledger) {
  return ledger->confirmed.count == 0 && ledger->unroutable.count == 0;
}
/* Adds the deletions to trip 2. Ids stay in the list until ledger_committed. urgent: no later batch may carry them
 * instead. none: not in this trip. */
void ledger_add(struct ledger *ledger, struct bus_sql *sql, int64_t now, bool urgent, bool none);
void ledger_committed(struct ledger *ledger, int64_t now);
/* Did one of its statements fail? Then they wait. */
bool ledger_is_guilty(struct ledger *ledger, const struct turn *turn, long failed);
bool ledger_is_valid(const struct ledger *ledger) BUS_MUST_CHECK;
