/* A batch until it is settled: again after a conflict or a lost connection, in halves when one of it is guilty. */
#include "worker.h"

#include <bus/backoff.h>
#include <orderbus_topology.h>

enum { CONFLICT_TRIES = 5, SUSPECT_TRIES = 5 };

/* ---- intake ---- */

static const struct bus_message_type *type_of(const struct item *item) {
  const struct bus_queue *queue = bus_topology_queue(&orderbus_topology, queue_names[item->queue]);
  for (size_t i = 0; i < queue->type_count; i++)
    if (bus_str_is(item->envelope.type, queue->types[i]->type))
      return queue->types[i];
  return NULL;
}

static void put_off(struct world *world, const struct worker *worker, struct item *item) {
  bool first = item->envelope.first_failed_at == BUS_NO_TIME;
  int64_t age = first ? 0 : world->now + worker->peer.wall_offset - item->envelope.first_failed_at;
  int last = (int)orderbus_topology.tier_count - 1;
  if (item->cause.code == BUS_E_UNKNOWN_TYPE)
    item->tier = age > world->plan.give_up ? -1 : last;
  else
    item->tier = bus_retry_tier(item->envelope.attempt, orderbus_topology.tier_count, age, world->plan.give_up);
  item->verdict = item->tier < 0 ? BUS_PARK : BUS_RETRY;
}

static void refuse(struct item *item, enum bus_errc code, const char *text) {
  item->refused = true;
  item->verdict = BUS_PARK;
  (void)bus_fail(&item->cause, code, "%s", text);
}

static void decode(struct world *world, struct worker *worker, struct item *item) {
  struct bus_problems problems;
  if (item->decoded || !item->message)
    return;
  item->decoded = true;
  const struct bus_message_type *type = item->input.type = type_of(item);
  item->input.envelope = &item->envelope;
  if (!type) {
    refuse(item, BUS_E_UNKNOWN_TYPE, "type is unknown to this version");
    put_off(world, worker, item);
  } else if (!bus_topology_may_send(&orderbus_topology, service_names[worker->service], &item->envelope, type)) {
    refuse(item, BUS_E_SENDER, "the sender may not send this type");
  } else {
    void *body = world_alloc(world, type->schema->size);
    problems.count = 0;
    if (bus_decode(type->schema, item->message->body, BUS_IGNORE_UNKNOWN, world->arena, body, &problems))
      item->input.body = body;
    else
      refuse(item, BUS_E_DECODE, "body");
  }
}

/* One by one as long as what comes next was delivered before. */
static size_t take(struct world *world, struct worker *worker) {
  size_t count = 0, most = (size_t)world->plan.batch_max;
  bool alone = false;
  while (!alone && count < most && count < worker->item_count) {
    struct item *item = worker->items[count];
    if (worker->suspect && item->message) {
      worker->suspect = item->redelivered;
      alone = worker->suspect;
    }
    if (alone && count > 0)
      break;
    worker->batch[count++] = item;
    worker->pushed -= !item->message;
  }
  for (size_t i = count; i < worker->item_count; i++)
    worker->items[i - count] = worker->items[i];
  worker->item_count -= count;
  return alone ? count | (size_t)1 << 32 : count;
}

/* Counted before it is tried, in a transaction of its own: a crash leaves the count behind. */
static void count_suspect(struct world *world, struct worker *worker, struct item *item) {
  item->suspect = true;
  if (bus_uuid_equal(&item->envelope.message_id, &worker->suspect_counted))
    return;
  worker->suspect_counted = item->envelope.message_id;
  if (suspect_count(world, worker->database, &item->envelope.message_id) > SUSPECT_TRIES && !item->refused &&
      !has_bug(world, BUG_NO_SUSPECTS))
    refuse(item, BUS_E_CRASHED, "tried alone and never finished");
}

void batch_begin(struct world *world, struct worker *worker) {
  size_t taken = take(world, worker), count = taken & 0xFFFF;
  if (count == 0 && !tick_is_due(world, worker)) {
    tick_plan(world, worker);
    return;
  }
  worker->busy = true;
  worker->conflicts = 0;
  worker->segments[0] = (struct segment){0, count};
  worker->segment_count = 1;
  if (taken >> 32)
    count_suspect(world, worker, worker->batch[0]);
  for (size_t i = 0; i < count; i++)
    decode(world, worker, worker->batch[i]);
  if (has_bug(world, BUG_ACK_EARLY) && worker->peer.linked)
    for (size_t i = 0; i < count; i++)
      if (worker->batch[i]->message && worker->batch[i]->epoch == worker->peer.epoch)
        broker_ack(world, &worker->peer, worker->batch[i]->tag);
  attempt_begin(world, worker);
}

/* ---- outcomes ---- */

static void again(struct world *world, void *subject, uint64_t serial) {
  struct worker *worker = subject;
  if (worker->transaction.serial != serial || !worker->busy || peer_waits(world, &worker->peer, again, subject, serial))
    return;
  attempt_begin(world, worker);
}

static void finish(struct world *world, struct worker *worker) {
  worker->busy = false;
  worker_wake(world, worker);
  tick_plan_all(world, worker->database);
}

static void next_segment(struct world *world, struct worker *worker) {
  worker->conflicts = 0;
  if (--worker->segment_count > 0)
    attempt_begin(world, worker);
  else
    finish(world, worker);
}

static void condemn(struct world *world, struct worker *worker, struct item *item, enum commit outcome) {
  refuse(item, outcome == COMMIT_DATA ? BUS_E_DB_DATA : BUS_E_DB_CONFLICT, "the database");
  if (outcome != COMMIT_DATA)
    put_off(world, worker, item);
}

/* A half each, or the guilty one alone: recorded as refused, or, a local input, dropped. */
static void divide(struct world *world, struct worker *worker, enum commit outcome) {
  struct segment *last = &worker->segments[worker->segment_count - 1];
  struct segment whole = *last;
  worker->conflicts = 0;
  if (whole.count > 1) {
    *last = (struct segment){whole.first + whole.count / 2, whole.count - whole.count / 2};
    worker->segments[worker->segment_count++] = (struct segment){whole.first, whole.count / 2};
    attempt_begin(world, worker);
    return;
  }
  struct item *item = whole.count ? worker->batch[whole.first] : NULL;
  if (!item || !item->message) {
    next_segment(world, worker);
    return;
  }
  condemn(world, worker, item, outcome);
  attempt_begin(world, worker);
}

void batch_outcome(struct world *world, struct worker *worker, enum commit outcome) {
  struct segment segment = worker->segments[worker->segment_count - 1];
  if (has_bug(world, BUG_COMMIT_UNCHECKED))
    outcome = COMMIT_DONE;
  if (outcome == COMMIT_DONE) {
    if (!publish_committed(world, worker))
      return;
    publish_settle(world, worker, worker->batch + segment.first, segment.count);
    worker->last_work_at = world->now;
    if (!worker_perhaps_crashes(world, worker))
      next_segment(world, worker);
    return;
  }
  TRACE(world, "%s rolls back: %s", worker->peer.name, outcome == COMMIT_DATA ? "a value" : "a conflict");
  if (outcome == COMMIT_CONFLICT && ++worker->conflicts < CONFLICT_TRIES)
    world_after(world, random_between(&world->random, 5, 45) * BUS_MILLISECOND, again, worker,
                worker->transaction.serial);
  else
    divide(world, worker, outcome);
}
