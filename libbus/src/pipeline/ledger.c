/* Lists of row ids until their deletion is committed. */
#include "ledger.h"

#include "own.h"

#include "../core/heap.h"

#define PENALTY BUS_SECOND
#define DELETE_EVERY (100 * BUS_MILLISECOND)
enum {
  FEW = 100,
  LIST_FIRST = 256,
  LIST_MAX = 65536, /* beyond, the sweeper sends a message again */
};

static void list_add(struct uuid_list *list, const struct bus_uuid *id) {
  assert(list->count <= LIST_MAX && !bus_uuid_is_nil(id));
  if (list->count == LIST_MAX)
    return;
  struct bus_uuid *ids = heap_grow(list->ids, (list->count + 1) * sizeof *ids, LIST_FIRST * sizeof *ids, &list->room);
  if (!ids)
    return;
  ids[list->count++] = *id;
  list->ids = ids;
}

static void list_drop_first(struct uuid_list *list, size_t count) {
  assert(count <= list->count);
  if (count > 0)
    memmove(list->ids, list->ids + count, (list->count - count) * sizeof *list->ids);
  list->count -= count;
}

void ledger_free(struct ledger *ledger) {
  free(ledger->confirmed.ids);
  free(ledger->unroutable.ids);
}

void ledger_confirmed(struct ledger *ledger, const struct bus_uuid *id) {
  list_add(&ledger->confirmed, id);
}

void ledger_unroutable(struct ledger *ledger, const struct bus_uuid *id) {
  list_add(BUS_BUG("unroutable-dropped", "a returned message counts as confirmed") ? &ledger->confirmed
                                                                                   : &ledger->unroutable,
           id);
}

/* Returns the statement's index in the trip; -1: none. */
static long add_uuids(struct bus_sql *sql, size_t statement, const struct uuid_list *list, size_t count) {
  assert(count <= list->count);
  if (count == 0)
    return -1;
  long index = (long)bus_sql_count(sql);
  struct bus_args *args = bus_sql_add_own(sql, statement);
  for (size_t i = 0; i < count; i++)
    bus_args_uuid(args, &list->ids[i]);
  return index;
}

/* True if the rows are too few for a statement of their own; their deletion is not urgent. */
static bool may_wait(const struct ledger *ledger, int64_t now) {
  return ledger->confirmed.count < FEW && now < ledger->deleted_at + DELETE_EVERY && ledger->unroutable.count == 0;
}

void ledger_add(struct ledger *ledger, struct bus_sql *sql, int64_t now, bool urgent, bool none) {
  bool wait = none || now < ledger->again_at || (!urgent && may_wait(ledger, now));
  ledger->confirmed_in_trip = wait ? 0 : ledger->confirmed.count;
  ledger->unroutable_in_trip = wait ? 0 : ledger->unroutable.count;
  ledger->confirmed_index = add_uuids(sql, OWN_OUTBOX_DELETE, &ledger->confirmed, ledger->confirmed_in_trip);
  ledger->unroutable_index = add_uuids(sql, OWN_OUTBOX_UNROUTABLE, &ledger->unroutable, ledger->unroutable_in_trip);
}

bool ledger_is_guilty(struct ledger *ledger, const struct turn *turn, long failed) {
  assert(failed >= 0);
  if (failed != ledger->confirmed_index && failed != ledger->unroutable_index)
    return false;
  ledger->again_at = turn->now + PENALTY;
  turn_log(turn, BUS_ERROR,
           "confirmed rows of the outbox cannot be deleted; messages go on, and are sent again until then",
           BUS_F_INT("rows", ledger->confirmed_in_trip + ledger->unroutable_in_trip));
  return true;
}

void ledger_committed(struct ledger *ledger, int64_t now) {
  if (ledger->confirmed_in_trip > 0)
    ledger->deleted_at = now;
  list_drop_first(&ledger->confirmed, ledger->confirmed_in_trip);
  list_drop_first(&ledger->unroutable, ledger->unroutable_in_trip);
  ledger->confirmed_in_trip = ledger->unroutable_in_trip = 0;
}

bool ledger_is_valid(const struct ledger *ledger) {
  return ledger->confirmed_in_trip <= ledger->confirmed.count && ledger->confirmed.count <= LIST_MAX &&
         ledger->unroutable_in_trip <= ledger->unroutable.count && ledger->unroutable.count <= LIST_MAX;
}
