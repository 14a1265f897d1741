/* Deferred inputs: while no transaction commits, failed inputs stay unacked in an arena of their own until they are
 * tried again. The prefetch window bounds them: no delivery behind an unacked one is acked. */
#include "worker_internal.h"

static bool copy_delivery(struct bus_arena *arena, struct entry *entry) {
  bool has_body = entry->raw.data != NULL;
  if (has_body)
    entry->raw = bus_arena_copy(arena, entry->raw);
  entry->decoded = false; /* what was decoded lies in the other arena */
  entry->input.body = NULL;
  return bus_envelope_move(&entry->envelope, arena) && (!has_body || entry->raw.data);
}

static bool copy_local(struct bus_arena *arena, struct entry *entry) {
  void *copy = bus_arena_alloc(arena, entry->body_size);
  if (copy && entry->body_size > 0)
    memcpy(copy, entry->input.body, entry->body_size);
  entry->input.body = copy;
  return copy != NULL;
}

bool deferred_add(struct bus_worker *worker, struct entry *entry) {
  struct generation *deferred = &worker->deferred;
  if (entry->deferred) {
    entry->kept = true;
    return true;
  }
  struct entry copy = *entry;
  copy.deferred = copy.kept = true;
  if (!(entry_is_delivery(entry) ? copy_delivery(deferred->arena, &copy) : copy_local(deferred->arena, &copy)))
    return false;
  struct entry *slot = generation_append(deferred);
  if (!slot)
    return false;
  *slot = copy;
  return true;
}

size_t deferred_take(struct bus_worker *worker, struct entry **entries, size_t max) {
  struct generation *deferred = &worker->deferred;
  size_t count = 0;
  for (bool alone = false; !alone && count < max && deferred->next < deferred->count; deferred->next++) {
    struct entry *entry = &deferred->entries[deferred->next];
    alone = entry->alone;
    if (alone && count > 0)
      break;
    entry->kept = false;
    if (entry_is_delivery(entry))
      entry->input.envelope = &entry->envelope; /* it was decoded where it lay before, perhaps */
    entries[count++] = entry;
  }
  return count;
}

/* Puts inputs that are kept behind the others, so that each gets its turn. */
void deferred_done(struct bus_worker *worker) {
  struct generation *deferred = &worker->deferred;
  size_t taken = deferred->next, rest = deferred->count - taken, kept = 0;
  struct entry *again = taken ? bus_arena_array(worker->work, taken, sizeof *again) : NULL;
  for (size_t i = 0; i < taken && again; i++)
    if (deferred->entries[i].kept &&
        (!entry_is_delivery(&deferred->entries[i]) || deferred->entries[i].epoch == worker->epoch))
      again[kept++] = deferred->entries[i];
  if (taken > 0)
    memmove(deferred->entries, deferred->entries + taken, rest * sizeof *again);
  if (kept > 0)
    memcpy(deferred->entries + rest, again, kept * sizeof *again);
  deferred->count = rest + kept;
  deferred->next = 0;
  if (taken > 0 && !again)
    worker_lose_amqp(worker, "out of memory for messages that are tried again");
  if (deferred->count == 0)
    bus_arena_reset(deferred->arena);
}
