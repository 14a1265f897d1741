/* Which deliveries of this connection are settled, so that one multiple ack covers all up to the first gap. Pure. */
#include "worker_internal.h"

#include "../core/heap.h"

enum { LIST_FIRST = 256 };

bool ledger_init(struct ledger *ledger, size_t room) {
  size_t size = 64;
  while (size < room * 2)
    size *= 2;
  *ledger = (struct ledger){.ring = calloc(size, 1), .room = size};
  return ledger->ring != NULL;
}

void ledger_free(struct ledger *ledger) {
  free(ledger->ring);
  ledger->ring = NULL;
}

void ledger_reset(struct ledger *ledger) {
  memset(ledger->ring, 0, ledger->room);
  ledger->acked = ledger->settled = ledger->highest = 0;
}

bool ledger_received(struct ledger *ledger, uint64_t tag) {
  if (tag > ledger->highest)
    ledger->highest = tag;
  return tag <= ledger->settled || tag - ledger->settled < ledger->room;
}

size_t ledger_open(const struct ledger *ledger) {
  return (size_t)(ledger->highest - ledger->settled);
}

void ledger_settle(struct ledger *ledger, uint64_t tag) {
  if (tag <= ledger->settled || tag > ledger->highest || tag - ledger->settled >= ledger->room)
    return; /* settled already, or of a connection that is gone */
  ledger->ring[tag % ledger->room] = 1;
  while (ledger->settled < ledger->highest && ledger->ring[(ledger->settled + 1) % ledger->room]) {
    ledger->settled++;
    ledger->ring[ledger->settled % ledger->room] = 0;
  }
}

size_t ledger_pending(const struct ledger *ledger) {
  return (size_t)(ledger->settled - ledger->acked);
}

uint64_t ledger_ackable(struct ledger *ledger) {
  if (ledger->settled == ledger->acked)
    return 0;
  ledger->acked = ledger->settled;
  return ledger->acked;
}

bool uuid_list_add(struct uuid_list *list, const struct bus_uuid *uuid) {
  if (list->count == CONFIRMED_MAX)
    return false;
  struct bus_uuid *items =
      heap_grow(list->items, (list->count + 1) * sizeof *items, LIST_FIRST * sizeof *items, &list->room);
  if (!items)
    return false;
  items[list->count++] = *uuid;
  list->items = items;
  return true;
}

void uuid_list_drop_first(struct uuid_list *list, size_t count) {
  if (count > 0)
    memmove(list->items, list->items + count, (list->count - count) * sizeof *list->items);
  list->count -= count;
}
