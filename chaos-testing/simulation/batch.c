/* A batch until it is settled: again after a conflict or a lost connection, in halves when one of it is guilty. */
#include "worker.h"

#include "check.h"

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
  else if (item->uncounted)
    item->tier = age > world->plan.give_up ? -1 : 1;
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
    struct bus_str sender = bus_topology_sender(&orderbus_topology, service_names[worker->service], &item->envelope);
    if (item->envelope.reply_to.data && !bus_topology_is_reply(&orderbus_topology, sender, item->envelope.reply_to))
      item->envelope.reply_to = BUS_NO_STR;
    void *body = world_alloc(world, type->schema->size);
    problems.count = 0;
    if (bus_decode(type->schema, item->message->body, BUS_IGNORE_UNKNOWN, world->arena, body, &problems))
      item->input.body = body;
    else
      refuse(item, BUS_E_DECODE, "body");
  }
}

/* Counted before it is tried, in a transaction of its own: a crash leaves the count behind. */
static void count_suspect(struct world *world, struct worker *worker, struct item *item) {
  bool counted = item->suspect;
  item->alone = item->suspect = true;
  if (counted || bus_uuid_equal(&item->envelope.message_id, &worker->suspect_counted))
    return;
  worker->suspect_counted = item->envelope.message_id;
  if (suspect_count(world, worker->database, &item->envelope.message_id) > SUSPECT_TRIES && !item->refused &&
      !has_bug(world, BUG_NO_SUSPECTS))
    refuse(item, BUS_E_CRASHED, "tried alone and never finished");
}

void batch_begin(struct world *world, struct worker *worker) {
  bool alone;
  size_t count = stall_take(world, worker, (size_t)world->plan.batch_max, &alone);
  if (count == 0 && !tick_is_due(world, worker)) {
    tick_plan(world, worker);
    return;
  }
  worker->busy = true;
  worker->conflicts = 0;
  worker->began_commit_at = worker->commit_at;
  worker->segments[0] = (struct segment){0, count};
  worker->segment_count = 1;
  if (alone)
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

/* An attempt that rolled back has ended: its message crashed nothing. */
static void uncount_suspect(struct worker *worker) {
  struct item *item = worker->batch[0];
  if (!worker->deferring || !item->suspect)
    return;
  item->suspect = false;
  worker->suspect_counted = (struct bus_uuid){{0}};
  suspect_forget(worker->database, &item->envelope.message_id);
}

static void finish(struct world *world, struct worker *worker) {
  worker->busy = false;
  uncount_suspect(worker);
  stall_note(world, worker);
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

static enum bus_batch_outcome outcome_of(enum commit outcome) {
  return outcome == COMMIT_DATA ? BUS_BATCH_DATA : outcome == COMMIT_FAULT ? BUS_BATCH_FAULT : BUS_BATCH_CONFLICT;
}

/* A probe transaction has no input, so this database always takes it. */
static enum blame blame(struct world *world, struct worker *worker, const struct item *item, enum commit outcome) {
  const struct type_record *record = stall_type(worker, item->input.type);
  const struct blame_facts facts = {.outcome = outcome_of(outcome),
                                    .failing_since = item->failing_since,
                                    .alone_since = item->alone_since,
                                    .similar_at = record->committed_at,
                                    .commit_at = worker->commit_at,
                                    .blamed = record->blamed,
                                    .patience = BLAME_PATIENCE_MS * BUS_MILLISECOND,
                                    .now = world->now};
  enum blame found = blame_of(&facts);
  return has_bug(world, BUG_BLAME_FAULT) ? BLAME_MESSAGE : found == BLAME_ASK ? BLAME_SIMILAR : found;
}

static void condemn(struct world *world, struct worker *worker, struct item *item, enum commit outcome,
                    enum blame blamed) {
  static const enum bus_errc codes[] = {
      [COMMIT_CONFLICT] = BUS_E_DB_CONFLICT, [COMMIT_DATA] = BUS_E_DB_DATA, [COMMIT_FAULT] = BUS_E_DB_FAULT};
  check_blamed(world, worker, item, blamed == BLAME_MESSAGE);
  refuse(item, codes[outcome], "the database");
  item->uncounted = blamed == BLAME_SIMILAR;
  if (outcome != COMMIT_DATA || item->uncounted)
    put_off(world, worker, item);
  if (blamed == BLAME_MESSAGE)
    stall_type(worker, item->input.type)->blamed++;
}

/* Whole batches meet a fault so often before parts of them are tried, unless others have committed since. */
static bool is_searched(struct world *world, const struct worker *worker, struct segment whole) {
  bool searched = has_bug(world, BUG_BLAME_FAULT);
  for (size_t i = whole.first; i < whole.first + whole.count; i++) {
    struct item *item = worker->batch[i];
    if (item->failing_since == 0)
      item->failing_since = world->now;
    item->tries++;
    searched = searched || item->tries >= BLAME_WHOLE_TRIES || worker->commit_at > item->failing_since;
  }
  return searched;
}

static void defer_all(struct world *world, struct worker *worker, struct segment whole) {
  for (size_t i = whole.first; i < whole.first + whole.count; i++)
    stall_defer(world, worker, worker->batch[i]);
  next_segment(world, worker);
}

/* Put off or dead-lettered, kept for later, or, a local input, dropped. */
static void judge(struct world *world, struct worker *worker, struct item *item, enum commit outcome) {
  if (item->alone_since == 0)
    item->alone_since = world->now;
  enum blame blamed = blame(world, worker, item, outcome);
  if (blamed == BLAME_NOBODY)
    stall_defer(world, worker, item);
  if (blamed == BLAME_NOBODY || !item->message) {
    next_segment(world, worker);
    return;
  }
  condemn(world, worker, item, outcome, blamed);
  attempt_begin(world, worker);
}

/* A half each, until the guilty one is alone. */
static void divide(struct world *world, struct worker *worker, enum commit outcome) {
  struct segment *last = &worker->segments[worker->segment_count - 1];
  struct segment whole = *last;
  worker->conflicts = 0;
  if (!worker->searching && !is_searched(world, worker, whole) && outcome == COMMIT_FAULT) {
    defer_all(world, worker, whole);
    return;
  }
  worker->searching = true;
  if (whole.count > 1) {
    *last = (struct segment){whole.first + whole.count / 2, whole.count - whole.count / 2};
    worker->segments[worker->segment_count++] = (struct segment){whole.first, whole.count / 2};
    attempt_begin(world, worker);
  } else if (whole.count == 1) {
    judge(world, worker, worker->batch[whole.first], outcome);
  } else {
    next_segment(world, worker);
  }
}

void batch_outcome(struct world *world, struct worker *worker, enum commit outcome) {
  struct segment segment = worker->segments[worker->segment_count - 1];
  if (has_bug(world, BUG_COMMIT_UNCHECKED))
    outcome = COMMIT_DONE;
  if (outcome == COMMIT_DONE) {
    if (!publish_committed(world, worker))
      return;
    publish_settle(world, worker, worker->batch + segment.first, segment.count);
    stall_committed(world, worker, worker->batch + segment.first, segment.count);
    worker->last_work_at = world->now;
    if (!worker_perhaps_crashes(world, worker))
      next_segment(world, worker);
    return;
  }
  TRACE(world, "%s rolls back: %s", worker->peer.name,
        outcome == COMMIT_DATA    ? "a value"
        : outcome == COMMIT_FAULT ? "a fault"
                                  : "a conflict");
  if (outcome == COMMIT_CONFLICT && ++worker->conflicts < CONFLICT_TRIES)
    world_after(world, random_between(&world->random, 5, 45) * BUS_MILLISECOND, again, worker,
                worker->transaction.serial);
  else
    divide(world, worker, outcome);
}
