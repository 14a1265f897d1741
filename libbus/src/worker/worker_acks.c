/* Which deliveries of this connection are settled, so that one multiple ack covers all up to the first gap. Pure. */
#include "worker_internal.h"

#include "../core/heap.h"

enum { LIST_FIRST = 256 };

bool acks_init(struct acks *acks, size_t room) {
  size_t size = 64;
  while (size < room * 2)
    size *= 2;
  *acks = (struct acks){.ring = calloc(size, 1), .room = size};
  return acks->ring != NULL;
}

void acks_free(struct acks *acks) {
  free(acks->ring);
  acks->ring = NULL;
}

void acks_reset(struct acks *acks) {
  memset(acks->ring, 0, acks->room);
  acks->acked = acks->settled = acks->highest = 0;
}

bool acks_received(struct acks *acks, uint64_t tag) {
  if (tag > acks->highest)
    acks->highest = tag;
  return tag <= acks->settled || tag - acks->settled < acks->room;
}

size_t acks_open(const struct acks *acks) {
  return (size_t)(acks->highest - acks->settled);
}

void acks_settle(struct acks *acks, uint64_t tag) {
  if (tag <= acks->settled || tag > acks->highest || tag - acks->settled >= acks->room)
    return; /* settled already, or of a connection that is gone */
  acks->ring[tag % acks->room] = 1;
  while (acks->settled < acks->highest && acks->ring[(acks->settled + 1) % acks->room]) {
    acks->settled++;
    acks->ring[acks->settled % acks->room] = 0;
  }
}

size_t acks_pending(const struct acks *acks) {
  return (size_t)(acks->settled - acks->acked);
}

uint64_t acks_ackable(struct acks *acks) {
  if (acks->settled == acks->acked)
    return 0;
  acks->acked = acks->settled;
  return acks->acked;
}

bool uuid_list_add(struct uuid_list *list, const struct bus_uuid *uuid) {
  if (list->count == CONFIRMED_MAX)
    return false;
  struct bus_uuid *ids = heap_grow(list->ids, (list->count + 1) * sizeof *ids, LIST_FIRST * sizeof *ids, &list->room);
  if (!ids)
    return false;
  ids[list->count++] = *uuid;
  list->ids = ids;
  return true;
}

void uuid_list_drop_first(struct uuid_list *list, size_t count) {
  if (count > 0)
    memmove(list->ids, list->ids + count, (list->count - count) * sizeof *list->ids);
  list->count -= count;
}
