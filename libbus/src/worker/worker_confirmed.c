/* Outbox rows that the broker has confirmed or returned: deleted, or put off, by statements that ride on a trip 2. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#define PENALTY BUS_SECOND
#define DELETE_EVERY (100 * BUS_MILLISECOND)
enum { FEW = 100 };

/* Returns the statement's index in the trip; -1: none. */
static long add_uuids(struct bus_sql *sql, size_t statement, const struct uuid_list *list, size_t count) {
  if (count == 0)
    return -1;
  long index = (long)pg_trip_count(sql);
  struct bus_args *args = pg_add_own(sql, statement);
  for (size_t i = 0; i < count; i++)
    bus_args_uuid(args, &list->ids[i]);
  return index;
}

/* True if the rows are too few for a statement of their own; their deletion is not urgent. */
static bool may_wait(const struct bus_worker *worker) {
  return worker->confirmed.count < FEW && bus_monotonic() < worker->deleted_at + DELETE_EVERY &&
         worker->unroutable.count == 0 && !worker_stopping(worker);
}

/* Adds the deletion of confirmed rows. Their ids stay in the list until the COMMIT of the trip has succeeded. */
void confirmed_add(struct bus_worker *worker, struct bus_sql *sql, bool inputs) {
  bool wait = worker->bare || bus_monotonic() < worker->confirmed_again_at || (inputs && may_wait(worker));
  worker->confirmed_in_trip = wait ? 0 : worker->confirmed.count;
  worker->unroutable_in_trip = wait ? 0 : worker->unroutable.count;
  worker->confirmed_index = add_uuids(sql, SQL_OUTBOX_DELETE, &worker->confirmed, worker->confirmed_in_trip);
  worker->unroutable_index = add_uuids(sql, SQL_OUTBOX_UNROUTABLE, &worker->unroutable, worker->unroutable_in_trip);
}

bool confirmed_is_guilty(struct bus_worker *worker, long failed) {
  if (failed != worker->confirmed_index && failed != worker->unroutable_index)
    return false;
  worker->confirmed_again_at = bus_monotonic() + PENALTY;
  bus_log(BUS_ERROR, "confirmed rows of the outbox cannot be deleted; messages go on, and are sent again until then",
          BUS_F_INT("rows", worker->confirmed_in_trip + worker->unroutable_in_trip));
  return true;
}

void confirmed_committed(struct bus_worker *worker) {
  if (worker->confirmed_in_trip > 0)
    worker->deleted_at = bus_monotonic();
  uuid_list_drop_first(&worker->confirmed, worker->confirmed_in_trip);
  uuid_list_drop_first(&worker->unroutable, worker->unroutable_in_trip);
}
