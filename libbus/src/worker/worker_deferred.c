/* Deferred inputs: while no transaction commits, failed inputs stay unacked in an arena of their own until they are
 * tried again. The prefetch window bounds them: no delivery behind an unacked one is acked. */
#include "worker_internal.h"

static bool copy_delivery(struct bus_arena *arena, struct item *item) {
  bool has_body = item->raw.data != NULL;
  if (has_body)
    item->raw = bus_arena_copy(arena, item->raw);
  item->decoded = false; /* what was decoded lies in the other arena */
  item->input.body = NULL;
  return bus_envelope_move(&item->envelope, arena) && (!has_body || item->raw.data);
}

static bool copy_local(struct bus_arena *arena, struct item *item) {
  void *copy = bus_arena_alloc(arena, item->body_size);
  if (copy && item->body_size > 0)
    memcpy(copy, item->input.body, item->body_size);
  item->input.body = copy;
  return copy != NULL;
}

bool deferred_add(struct bus_worker *worker, struct item *item) {
  struct generation *deferred = &worker->deferred;
  if (item->deferred) {
    item->kept = true;
    return true;
  }
  struct item copy = *item;
  copy.deferred = copy.kept = true;
  if (!(item_is_delivery(item) ? copy_delivery(deferred->arena, &copy) : copy_local(deferred->arena, &copy)))
    return false;
  struct item *slot = generation_append(deferred);
  if (!slot)
    return false;
  *slot = copy;
  return true;
}

size_t deferred_take(struct bus_worker *worker, struct item **items, size_t max) {
  struct generation *deferred = &worker->deferred;
  size_t count = 0;
  for (bool alone = false; !alone && count < max && deferred->next < deferred->count; deferred->next++) {
    struct item *item = &deferred->items[deferred->next];
    alone = item->alone;
    if (alone && count > 0)
      break;
    item->kept = false;
    if (item_is_delivery(item))
      item->input.envelope = &item->envelope; /* it was decoded where it lay before, perhaps */
    items[count++] = item;
  }
  return count;
}

/* Puts inputs that are kept behind the others, so that each gets its turn. */
void deferred_done(struct bus_worker *worker) {
  struct generation *deferred = &worker->deferred;
  size_t taken = deferred->next, rest = deferred->count - taken, kept = 0;
  struct item *again = taken ? bus_arena_array(worker->work, taken, sizeof *again) : NULL;
  for (size_t i = 0; i < taken && again; i++)
    if (deferred->items[i].kept &&
        (!item_is_delivery(&deferred->items[i]) || deferred->items[i].epoch == worker->epoch))
      again[kept++] = deferred->items[i];
  if (taken > 0)
    memmove(deferred->items, deferred->items + taken, rest * sizeof *again);
  if (kept > 0)
    memcpy(deferred->items + rest, again, kept * sizeof *again);
  deferred->count = rest + kept;
  deferred->next = 0;
  if (taken > 0 && !again)
    worker_lose_amqp(worker, "out of memory for messages that are tried again");
  if (deferred->count == 0)
    bus_arena_reset(deferred->arena);
}
