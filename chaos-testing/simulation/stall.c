/* While no transaction commits: what is kept unacked, when it is tried again, and what is remembered of commits. */
#include "worker.h"

struct type_record *stall_type(struct worker *worker, const struct bus_message_type *type) {
  size_t i = 0;
  while (i + 1 < TYPE_RECORDS && worker->types[i].used && worker->types[i].type != type)
    i++;
  worker->types[i].type = type;
  worker->types[i].used = true;
  return &worker->types[i];
}

void stall_defer(struct world *world, struct worker *worker, struct item *item) {
  (void)world;
  if (item->input.kind == BUS_INPUT_DEADLINE || (item->message && item->epoch != worker->peer.epoch) ||
      worker->deferred_count == ITEMS_MAX)
    return; /* found again, or delivered again */
  worker->deferred[worker->deferred_count++] = item;
  worker->deferring = true;
}

static void wake(struct world *world, void *subject, uint64_t life) {
  struct worker *worker = subject;
  if (worker->peer.up && worker->peer.life == life)
    worker_wake(world, worker);
}

static void drop_deadlines(struct worker *worker) {
  size_t kept = 0;
  for (size_t i = 0; i < worker->item_count; i++)
    if (worker->items[i]->input.kind != BUS_INPUT_DEADLINE)
      worker->items[kept++] = worker->items[i];
    else
      worker->pushed--;
  worker->item_count = kept;
}

static void begin(struct world *world, struct worker *worker) {
  TRACE(world, "%s commits nothing", worker->peer.name);
  worker->stalled_since = world->now;
  worker->stall_backoff = (struct bus_backoff){.first = 2 * BUS_SECOND, .max = 30 * BUS_SECOND};
  worker->settled = false;
  drop_deadlines(worker);
}

static void end(struct world *world, struct worker *worker) {
  TRACE(world, "%s commits again", worker->peer.name);
  worker->stalled_since = 0;
  worker->settled = false;
  worker->connected_at = world->now;
}

void stall_note(struct world *world, struct worker *worker) {
  if (worker->deferring && worker->commit_at == worker->began_commit_at) {
    if (worker->stalled_since == 0)
      begin(world, worker);
    if (!worker->fresh || worker->again_at == 0) {
      int64_t delay = bus_backoff_next(&worker->stall_backoff, random_next(&world->random));
      worker->again_at = world->now + delay;
      world_after(world, delay, wake, worker, worker->peer.life);
    }
    if (worker->fresh) {
      worker->fresh_at = world->now + BUS_SECOND;
      world_after(world, BUS_SECOND, wake, worker, worker->peer.life);
    }
  }
  worker->deferring = worker->searching = false;
  if (worker->stalled_since != 0 && worker->deferred_count == 0)
    end(world, worker);
}

void stall_committed(struct world *world, struct worker *worker, struct item *const *items, size_t count) {
  bool any = false;
  for (size_t i = 0; i < count; i++) {
    const struct item *item = items[i];
    if (item->refused || item->duplicate || item->verdict != BUS_DONE)
      continue;
    struct type_record *record = stall_type(worker, item->input.type);
    record->committed_at = world->now;
    record->blamed = 0;
    any = true;
  }
  if (!any)
    return;
  worker->commit_at = world->now;
  worker->again_at = 0;
  if (worker->stalled_since != 0)
    end(world, worker);
}

/* Suspects of a crash are taken one by one: the next one only once this one is settled. */
static bool fresh_may_go(const struct world *world, const struct worker *worker) {
  for (size_t i = 0; i < worker->deferred_count; i++)
    if (worker->deferred[i]->alone)
      return false;
  return worker->stalled_since == 0 || world->now >= worker->fresh_at;
}

bool stall_has_work(const struct world *world, const struct worker *worker) {
  return (worker->deferred_count > 0 && world->now >= worker->again_at) ||
         (worker->item_count > 0 && fresh_may_go(world, worker));
}

static size_t take(struct item **from, size_t *count, struct item **ret, size_t taken) {
  for (size_t i = 0; i < taken; i++)
    ret[i] = from[i];
  for (size_t i = taken; i < *count; i++)
    from[i - taken] = from[i];
  *count -= taken;
  return taken;
}

static size_t take_deferred(struct worker *worker, size_t max, bool *ret_alone) {
  size_t count = 0;
  while (count < max && count < worker->deferred_count && (count == 0 || !worker->deferred[count]->alone)) {
    *ret_alone = worker->deferred[count++]->alone;
    if (*ret_alone)
      break;
  }
  return take(worker->deferred, &worker->deferred_count, worker->batch, count);
}

/* One by one as long as what comes next was delivered before. */
static size_t take_fresh(struct worker *worker, size_t max, bool *ret_alone) {
  size_t count = 0;
  for (bool alone = false; !alone && count < max && count < worker->item_count;) {
    struct item *item = worker->items[count];
    if (worker->suspect && item->message) {
      worker->suspect = item->redelivered;
      alone = worker->suspect;
    }
    if (alone && count > 0)
      break;
    *ret_alone = alone;
    worker->pushed -= !item->message;
    count++;
  }
  return take(worker->items, &worker->item_count, worker->batch, count);
}

size_t stall_take(struct world *world, struct worker *worker, size_t max, bool *ret_alone) {
  *ret_alone = false;
  worker->fresh = worker->deferred_count == 0 || world->now < worker->again_at;
  if (!worker->fresh)
    return take_deferred(worker, max, ret_alone);
  return fresh_may_go(world, worker) ? take_fresh(worker, max, ret_alone) : 0;
}

void stall_forget(struct worker *worker) {
  size_t kept = 0;
  for (size_t i = 0; i < worker->deferred_count; i++)
    if (!worker->deferred[i]->message)
      worker->deferred[kept++] = worker->deferred[i];
  worker->deferred_count = kept;
}

void stall_reset(struct worker *worker) {
  worker->deferred_count = 0;
  worker->searching = worker->deferring = false;
  worker->stalled_since = worker->again_at = worker->fresh_at = worker->commit_at = 0;
  memset(worker->types, 0, sizeof worker->types);
}

bool stall_holds_deadlines(const struct worker *worker) {
  return worker->stalled_since != 0 || worker->deferred_count > 0;
}
