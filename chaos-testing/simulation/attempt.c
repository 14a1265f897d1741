/* One attempt to carry inputs through one transaction: the two trips, with the service's own functions between them. */
#include "worker.h"

#include "check.h"

#include <assert.h>

#define LOCK_PATIENCE (3 * BUS_SECOND) /* the roles' lock_timeout */
#define IDLE_PATIENCE (5 * BUS_SECOND) /* and idle_in_transaction_session_timeout */
#define OUTBOX_GRACE (5 * BUS_SECOND)

static const struct service *service_of(const struct worker *worker) {
  return &services[worker->service];
}

/* ---- trip 1 ---- */

static void collect(struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  struct segment segment = worker->segments[worker->segment_count - 1];
  for (size_t i = segment.first; i < segment.first + segment.count; i++) {
    struct item *item = worker->batch[i];
    item->duplicate = false;
    if (item->refused)
      continue;
    item->verdict = BUS_DONE;
    transaction->asked[transaction->asked_count] = item;
    transaction->inputs[transaction->asked_count++] = item->input;
  }
}

/* Inserting an id waits for another transaction that inserts it. */
static bool is_inserted_elsewhere(const struct world *world, const struct worker *worker, const struct bus_uuid *id) {
  for (size_t i = 0; i < world->worker_count; i++) {
    const struct worker *other = &world->workers[i];
    if (other == worker || other->database != worker->database || !other->transaction.open)
      continue;
    for (size_t j = 0; j < other->transaction.asked_count; j++)
      if (other->transaction.asked[j]->message && bus_uuid_equal(&other->transaction.asked[j]->envelope.message_id, id))
        return true;
  }
  return false;
}

static bool waits_for_inbox(const struct world *world, const struct worker *worker) {
  const struct transaction *transaction = &worker->transaction;
  for (size_t i = 0; i < transaction->asked_count; i++)
    if (transaction->asked[i]->message &&
        is_inserted_elsewhere(world, worker, &transaction->asked[i]->envelope.message_id))
      return true;
  return false;
}

static void mark_duplicates(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  for (size_t i = 0; i < transaction->asked_count && !has_bug(world, BUG_NO_INBOX); i++) {
    struct item *item = transaction->asked[i];
    if (!item->message)
      continue;
    item->duplicate = inbox_find(worker->database, &item->envelope.message_id) != NULL;
    for (size_t j = 0; j < i && !item->duplicate; j++)
      item->duplicate = transaction->asked[j]->message &&
                        bus_uuid_equal(&transaction->asked[j]->envelope.message_id, &item->envelope.message_id);
  }
}

/* False: another session holds a row. */
static bool read_rows(struct world *world, struct worker *worker, struct bus_rows *rows) {
  struct transaction *transaction = &worker->transaction;
  struct reading reading = {world, worker->database, worker, worker->work, false};
  for (size_t i = 0; i < transaction->reads.count; i++) {
    rows[i] = (struct bus_rows){.count = 0};
    worker->database->store->read(&reading, &transaction->reads.items[i], &rows[i]);
  }
  return !reading.blocked;
}

/* ---- deciding ---- */

static void emit(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  for (const struct bus_effect *effect = transaction->effects.first; effect; effect = effect->next) {
    if (effect->kind != BUS_EFFECT_EMIT)
      continue;
    assert(transaction->emitted_count < EMITTED_MAX);
    transaction->emitted[transaction->emitted_count++] = publish_message(world, worker, effect);
  }
}

/* False: the process is gone. */
static bool decide(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  for (size_t i = 0; i < transaction->asked_count; i++) {
    struct item *item = transaction->asked[i];
    if (item->duplicate)
      continue;
    if (item->message && item->message->letter->crashes) {
      worker_crash(world, worker, random_between(&world->random, BUS_SECOND / 10, 2 * BUS_SECOND));
      return false;
    }
    bus_effects_begin(&transaction->effects, &transaction->inputs[i]);
    service_of(worker)->decide(world, transaction->model, &transaction->inputs[i], &transaction->effects);
    item->verdict = bus_effects_end(&transaction->effects);
    assert(!transaction->effects.failed);
    if (item->verdict == BUS_PARK)
      (void)bus_fail(&item->cause, BUS_E_INVALID, "%s", transaction->effects.reason);
  }
  return true;
}

/* ---- trip 2, at the database ---- */

static enum commit write_rows(struct world *world, struct worker *worker) {
  const struct bus_sql *writes = &worker->transaction.writes;
  for (size_t i = 0; i < writes->count; i++) {
    enum commit outcome = worker->database->store->write(world, worker->database, &writes->items[i]);
    if (outcome != COMMIT_DONE)
      return outcome;
  }
  return COMMIT_DONE;
}

static void write_inbox(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  struct segment segment = worker->segments[worker->segment_count - 1];
  for (size_t i = 0; i < transaction->asked_count; i++) {
    struct item *item = transaction->asked[i];
    if (!item->message || item->duplicate)
      continue;
    if (item->verdict == BUS_DONE || has_bug(world, BUG_HELD_INBOX))
      inbox_add(world, worker->database, &item->envelope.message_id);
    if (item->verdict == BUS_DONE)
      check_processed(world, item->message);
  }
  for (size_t i = segment.first; i < segment.first + segment.count; i++) {
    const struct item *item = worker->batch[i];
    if (has_bug(world, BUG_HELD_INBOX) && item->refused && item->message && item->verdict == BUS_RETRY)
      inbox_add(world, worker->database, &item->envelope.message_id);
    worker->database->parked += item->message && !item->duplicate && item->verdict == BUS_PARK;
    if (item->suspect)
      suspect_forget(worker->database, &item->envelope.message_id);
  }
}

static void write_outbox(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  for (size_t i = 0; i < transaction->emitted_count; i++)
    (void)outbox_add(world, worker->database, transaction->emitted[i], transaction->now + OUTBOX_GRACE);
  for (size_t i = 0; i < transaction->confirmed_count; i++)
    outbox_delete(world, worker->database, worker->confirmed[i], worker);
  for (size_t i = 0; i < transaction->unroutable_count; i++) {
    struct outgoing *outgoing = outbox_find(worker->database, worker->unroutable[i]);
    int64_t power = outgoing && outgoing->attempts < 6 ? INT64_C(1) << outgoing->attempts : 60;
    if (!outgoing)
      continue;
    outgoing->unroutable = true;
    outgoing->next_attempt_at = transaction->now + (power < 60 ? power : 60) * 5 * BUS_SECOND;
  }
  for (size_t i = 0; i < transaction->claimed_count; i++) {
    transaction->claimed[i]->attempts++;
    transaction->claimed[i]->next_attempt_at = transaction->now + 30 * BUS_SECOND;
  }
}

enum commit attempt_apply(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  if (worker->database->refuses_since != 0 && !transaction->bare)
    return COMMIT_FAULT;
  enum commit outcome = write_rows(NULL, worker);
  if (outcome != COMMIT_DONE)
    return outcome;
  (void)write_rows(world, worker); /* it was tried */
  write_outbox(world, worker);
  write_inbox(world, worker);
  TRACE(world, "%s commits %zu inputs, %zu messages%s%s", worker->peer.name, transaction->asked_count,
        transaction->emitted_count, transaction->claimed_count ? ", swept" : "", transaction->bare ? ", alone" : "");
  check_committed(world, worker);
  return COMMIT_DONE;
}

static void answer_comes(struct world *world, void *subject, uint64_t serial) {
  struct worker *worker = subject;
  struct transaction *transaction = &worker->transaction;
  if (transaction->serial != serial || !worker->busy || peer_waits(world, &worker->peer, answer_comes, subject, serial))
    return;
  if (worker_perhaps_crashes(world, worker))
    return;
  transaction->serial++;
  batch_outcome(world, worker, transaction->outcome);
}

static void reach_database(struct world *world, void *subject, uint64_t serial) {
  struct worker *worker = subject;
  struct transaction *transaction = &worker->transaction;
  struct plan *plan = &world->plan;
  if (transaction->serial != serial || !transaction->open)
    return;
  if (!world->quiet && random_chance(&world->random, plan->unknown_ppm)) {
    worker_session_dies(world, worker);
    return;
  }
  transaction->outcome = COMMIT_CONFLICT;
  if (world->quiet || !random_chance(&world->random, plan->conflict_ppm))
    transaction->outcome = attempt_apply(world, worker);
  transaction->open = transaction->sent = false;
  database_unlock(worker->database, worker);
  world_after(world, random_wait(&world->random, plan->latency / 8 + 1), answer_comes, worker, serial);
}

static void send_commit(struct world *world, void *subject, uint64_t serial) {
  struct worker *worker = subject;
  struct transaction *transaction = &worker->transaction;
  if (transaction->serial != serial || !transaction->open ||
      peer_waits(world, &worker->peer, send_commit, subject, serial))
    return;
  if (worker_perhaps_crashes(world, worker))
    return;
  if (world->now - transaction->began > IDLE_PATIENCE) {
    worker_session_dies(world, worker);
    return;
  }
  transaction->sent = true;
  world_after(world, random_wait(&world->random, world->plan.latency / 8 + 1), reach_database, worker, serial);
}

/* ---- the attempt ---- */

static void begin_again(struct world *world, void *subject, uint64_t serial) {
  struct worker *worker = subject;
  if (worker->transaction.serial != serial || !worker->busy || !worker->session ||
      peer_waits(world, &worker->peer, begin_again, subject, serial))
    return;
  attempt_begin(world, worker);
}

/* Behind another transaction; given up after a while. */
static void wait_for_lock(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  transaction->open = false;
  database_unlock(worker->database, worker);
  if (transaction->waits_since == 0)
    transaction->waits_since = world->now;
  if (world->now - transaction->waits_since < LOCK_PATIENCE) {
    world_after(world, random_between(&world->random, 2, 20) * BUS_MILLISECOND, begin_again, worker,
                transaction->serial);
    return;
  }
  transaction->waits_since = 0;
  batch_outcome(world, worker, COMMIT_CONFLICT);
}

static void reset(struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  uint64_t serial = transaction->serial + 1;
  bus_time waits_since = transaction->waits_since;
  transaction->asked_count = transaction->emitted_count = transaction->claimed_count = 0;
  transaction->model = NULL;
  transaction->serial = serial;
  transaction->waits_since = waits_since;
  transaction->sent = transaction->ticked = transaction->swept = false;
  transaction->open = true;
}

void attempt_begin(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  const struct service *service = service_of(worker);
  struct bus_rows rows[STATEMENTS_MAX];
  const struct bus_rows *pointers[STATEMENTS_MAX];
  if (!worker->session)
    return; /* the next connection begins it again */
  bus_arena_reset(worker->work);
  reset(worker);
  transaction->began = world->now;
  collect(worker);
  transaction->bare = transaction->asked_count == 0;
  memory_sql_init(&transaction->reads, worker->database->store->statements, worker->work);
  memory_sql_init(&transaction->writes, worker->database->store->statements, worker->work);
  if (!transaction->bare && !service->lock(world, transaction->inputs, transaction->asked_count, worker->work,
                                           &transaction->reads, &transaction->model))
    world_violate(world, "out of memory");
  if (waits_for_inbox(world, worker) || !read_rows(world, worker, rows)) {
    wait_for_lock(world, worker);
    return;
  }
  transaction->waits_since = 0;
  transaction->now = database_now(world, worker->database);
  bus_effects_init(&transaction->effects, worker->work, &worker->ids, transaction->now, worker->peer.user);
  tick_add(world, worker);
  mark_duplicates(world, worker);
  for (size_t i = 0; i < transaction->reads.count; i++)
    pointers[i] = &rows[i];
  struct bus_error err;
  if (!transaction->bare && !service->load(transaction->model, pointers, transaction->reads.count, &err))
    world_violate(world, "%s cannot load: %s", worker->peer.name, err.text);
  if (!decide(world, worker))
    return;
  emit(world, worker);
  if (!transaction->bare && !service->store(world, transaction->model, &transaction->writes))
    world_violate(world, "out of memory");
  transaction->confirmed_count = worker->confirmed_count;
  transaction->unroutable_count = worker->unroutable_count;
  if (has_bug(world, BUG_PUBLISH_EARLY))
    for (size_t i = 0; i < transaction->emitted_count; i++)
      publish_outbox(world, worker, transaction->emitted[i]);
  world_after(world, random_wait(&world->random, world->plan.latency / 8 + 1), send_commit, worker,
              transaction->serial);
}
