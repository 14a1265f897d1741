/* Carries a batch until it is settled: again after a conflict or a lost connection, in halves if one input is
 * guilty. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

enum { CONFLICT_TRIES = 5, CONFLICT_PAUSE_MS = 40, LOST_TRIES = 3, RIDER_TRIES = 3 };
#define ACK_WAIT (20 * BUS_MILLISECOND)
#define IDLE_PENALTY (1 * BUS_SECOND)
#define IDLE_AFTER (100 * BUS_MILLISECOND)
#define SEARCH_PATIENCE (10 * BUS_SECOND) /* for parts of a batch while none of them commits */

/* Each ack is an entry in the log of a quorum queue, as each message is: one for many costs as much. Until then the
 * broker holds them as unacked; after a crash they come again, and the inbox knows them. */
static bool acks_may_wait(struct bus_worker *worker) {
  size_t pending = acks_pending(&worker->acks);
  if (worker->ack_at == 0)
    worker->ack_at = bus_monotonic() + ACK_WAIT;
  return pending < (size_t)(worker->settings.batch_max + 1) / 2 && bus_monotonic() < worker->ack_at;
}

static void ack_settled(struct bus_worker *worker, bool now) {
  struct bus_error err;
  if (worker->amqp_lost || !worker->consuming || acks_pending(&worker->acks) == 0 || (!now && acks_may_wait(worker)))
    return;
  uint64_t tag = acks_ackable(&worker->acks);
  worker->ack_at = 0;
  bool sent = WORKER_FAIL_POINT(worker, "before-ack", worker_fd(worker->consuming))
                  ? bus_fail(&err, BUS_E_AMQP_CONNECTION, "failpoint")
                  : bus_amqp_ack(worker->consuming, tag, true, &err);
  if (!sent)
    worker_note_amqp_error(worker, &err);
  WORKER_CUT_POINT(worker, "after-ack", worker_fd(worker->consuming));
}

/* Reconnects and tries the same batch again: committed messages appear as duplicates. Gives up only if the worker is to
 * stop or the deliveries are void; the broker then redelivers them. */
static bool recover(struct bus_worker *worker, const struct bus_error *err) {
  worker_drop_pg(worker, err);
  while (!worker_stopping(worker) && !worker->amqp_lost && worker->fatal.code == BUS_OK) {
    if (worker_connect(worker))
      return true;
    worker_pump(worker, worker_next_deadline(worker));
    worker_answer_probe(worker);
  }
  return false;
}

static void pause_a_moment(struct bus_worker *worker) {
  int64_t until =
      bus_monotonic() + BUS_MILLISECOND * (int64_t)(5 + bus_uuid_source_random(&worker->ids) % CONFLICT_PAUSE_MS);
  while (bus_monotonic() < until)
    worker_pump(worker, until);
}

/* ---- who is to blame ---- */

/* One batch until all of it is settled or kept for later. */
struct search {
  int64_t commit_at;      /* of the worker, when the batch began */
  int64_t until;          /* 0: no part has been tried by itself yet; else when to stop while no part commits */
  bool deferred;          /* something of it is kept for later */
  struct bus_error cause; /* why */
};

/* A deadline is found again. A delivery of a lost connection comes again. */
static void defer(struct bus_worker *worker, struct search *search, struct entry *entry, const struct bus_error *err) {
  if (entry->input.kind == BUS_INPUT_DEADLINE || (entry_is_delivery(entry) && entry->epoch != worker->epoch))
    return;
  if (!deferred_add(worker, entry))
    worker_lose_amqp(worker, "out of memory for a message that is tried again");
  search->deferred = true;
  search->cause = *err;
}

static bool defer_all(struct bus_worker *worker, struct search *search, struct entry **entries, size_t count,
                      const struct bus_error *err) {
  for (size_t i = 0; i < count; i++)
    defer(worker, search, entries[i], err);
  return true;
}

static enum blame blame(struct bus_worker *worker, const struct entry *entry, enum batch_outcome outcome) {
  const struct type_record *record = stall_type(worker, entry->input.type);
  const struct blame_facts facts = {.outcome = outcome,
                                    .failing_since = entry->failing_since,
                                    .alone_since = entry->alone_since,
                                    .similar_at = record->committed_at,
                                    .commit_at = worker->commit_at,
                                    .blamed = record->blamed,
                                    .patience = worker->settings.blame_after_ms * BUS_MILLISECOND,
                                    .now = bus_monotonic()};
  enum blame found = blame_of(&facts);
  if (found != BLAME_ASK)
    return found;
  if (!worker_probe_transaction(worker))
    return BLAME_NOBODY;
  if (worker->topology->tier_count > 1)
    stall_hold_deadlines(worker, worker->topology->tiers[1].ttl_ms);
  return BLAME_SIMILAR;
}

static void drop(struct bus_worker *worker, const struct entry *entry, const struct bus_error *err) {
  bus_log(BUS_ERROR, "input dropped", BUS_F_STR("error", bus_error_name(err->code)), BUS_F_STR("cause", err->text),
          BUS_F_STR("why", entry_is_delivery(entry) ? "a query that is not answered" : "it will be found again"));
  if (entry_is_delivery(entry) && entry->epoch == worker->epoch)
    acks_settle(&worker->acks, entry->tag);
}

/* Handles the guilty input, found by halves or alone from the beginning. */
static void condemn(struct bus_worker *worker, struct entry *entry, enum batch_outcome outcome, enum blame blamed,
                    const struct bus_error *err) {
  bool recorded = entry->refused; /* recording its refusal failed: hold it without */
  entry->refused = true;
  entry->cause = *err;
  entry->verdict = BUS_PARK;
  entry->uncounted = blamed == BLAME_SIMILAR;
  if (outcome != BATCH_DATA || entry->uncounted)
    intake_put_off(worker, entry);
  if (blamed == BLAME_MESSAGE)
    stall_type(worker, entry->input.type)->blamed++;
  if (recorded && entry->epoch == worker->epoch) {
    publish_hold(worker, entry);
    publish_held(worker, bus_monotonic());
  }
}

static bool process(struct bus_worker *worker, struct search *search, struct entry **entries, size_t count);

static bool judge(struct bus_worker *worker, struct search *search, struct entry *entry, enum batch_outcome outcome,
                  const struct bus_error *err) {
  if (!worker_retries(worker)) {
    drop(worker, entry, err);
    return true;
  }
  if (entry->alone_since == 0)
    entry->alone_since = bus_monotonic();
  enum blame blamed = blame(worker, entry, outcome);
  if (blamed == BLAME_NOBODY)
    return defer_all(worker, search, &entry, 1, err);
  if (!entry_is_delivery(entry)) {
    drop(worker, entry, err);
    return true;
  }
  bool final = entry->refused;
  condemn(worker, entry, outcome, blamed, err);
  return final || process(worker, search, &entry, 1);
}

/* Whole batches meet a fault so often before parts of them are tried, unless others have committed since. */
static bool is_searched(const struct bus_worker *worker, struct entry **entries, size_t count) {
  int64_t now = bus_monotonic();
  bool searched = !worker_retries(worker);
  for (size_t i = 0; i < count; i++) {
    struct entry *entry = entries[i];
    if (entry->failing_since == 0)
      entry->failing_since = now;
    entry->tries++;
    searched = searched || entry->tries >= BLAME_WHOLE_TRIES || worker->commit_at > entry->failing_since;
  }
  return searched;
}

/* Halves the batch until each guilty input is alone. */
static bool divide(struct bus_worker *worker, struct search *search, struct entry **entries, size_t count,
                   enum batch_outcome outcome, const struct bus_error *err) {
  if (search->until == 0) {
    if (!is_searched(worker, entries, count) && outcome == BATCH_FAULT)
      return defer_all(worker, search, entries, count, err);
    search->until = bus_monotonic() + SEARCH_PATIENCE;
  }
  if (count == 1)
    return judge(worker, search, entries[0], outcome, err);
  return process(worker, search, entries, count / 2) && process(worker, search, entries + count / 2, count - count / 2);
}

/* How often one batch has failed so far. */
struct failures {
  int conflicts, losses, riders;
};

/* True if the whole batch is to be tried again; else one input is guilty. If several sessions died over the same inputs
 * while new ones could be opened, an input killed them; the refusal is recorded nevertheless. */
static bool is_tried_again(struct bus_worker *worker, struct entry **entries, size_t count, enum batch_outcome outcome,
                           bool died, struct failures *failures) {
  if (worker->rider_failed) {
    worker->bare = ++failures->riders >= RIDER_TRIES;
    return true;
  }
  if (outcome == BATCH_LOST)
    return !died || ++failures->losses < LOST_TRIES || (count == 1 && entries[0]->refused);
  if (outcome != BATCH_CONFLICT || ++failures->conflicts >= CONFLICT_TRIES)
    return false;
  pause_a_moment(worker);
  return true;
}

/* Parts that fail one after the other while none commits: the rest need not be tried now. */
static bool is_hopeless(const struct bus_worker *worker, const struct search *search) {
  return search->deferred && search->until != 0 && worker->commit_at == search->commit_at &&
         bus_monotonic() > search->until;
}

static void log_failure(const struct search *search, const struct bus_error *err, size_t count) {
  bus_log(search->until == 0 ? BUS_WARN : BUS_DEBUG, "batch rolled back", BUS_F_STR("error", bus_error_name(err->code)),
          BUS_F_STR("cause", err->text), BUS_F_INT("size", count));
}

/* Their transaction may have been committed, so an answer could be wrong. The askers time out and ask again. */
static void drop_unknown(struct bus_worker *worker, struct entry **entries, size_t count, const struct bus_error *err) {
  worker->commit_unknown = false;
  for (size_t i = 0; i < count; i++)
    drop(worker, entries[i], err);
}

/* False: a connection is lost or the worker stops; unsettled deliveries are redelivered. */
static bool process(struct bus_worker *worker, struct search *search, struct entry **entries, size_t count) {
  struct failures failures = {0};
  worker->bare = false;
  if (is_hopeless(worker, search))
    return defer_all(worker, search, entries, count, &search->cause);
  for (;;) {
    struct bus_error err;
    enum batch_outcome outcome = transaction_attempt(worker, entries, count, &err);
    if (outcome == BATCH_COMMITTED)
      return true;
    log_failure(search, &err, count);
    bool died = pg_state(worker->pg) == PG_DEAD, unknown = worker->requests && worker->commit_unknown;
    if (unknown)
      drop_unknown(worker, entries, count, &err);
    if (outcome == BATCH_LOST && !recover(worker, &err))
      return false;
    if (worker_stopping(worker))
      return false;
    if (unknown)
      return true;
    if (!is_tried_again(worker, entries, count, outcome, died, &failures))
      return divide(worker, search, entries, count, outcome, &err);
  }
}

/* A transaction without inputs. If one of several statements fails, it waits for its next turn, and the others run at
 * once; if the transaction fails as a whole, all wait for their next turn. */
static void housekeep(struct bus_worker *worker) {
  struct bus_error err;
  enum batch_outcome outcome;
  int tries = 0;
  worker->bare = false;
  do
    outcome = transaction_attempt(worker, NULL, 0, &err);
  while (worker->rider_failed && outcome != BATCH_LOST && ++tries < PERIODICS_MAX);
  if (outcome == BATCH_COMMITTED)
    return;
  worker->idle_again_at = bus_monotonic() + IDLE_PENALTY;
  bus_log(BUS_WARN, "housekeeping rolled back", BUS_F_STR("error", bus_error_name(err.code)),
          BUS_F_STR("cause", err.text));
  if (outcome == BATCH_LOST)
    worker_drop_pg(worker, &err);
}

/* Counted before it is tried, in a transaction of its own: a crash leaves the count behind. */
static bool count_suspect(struct bus_worker *worker, struct entry *entry) {
  struct bus_error err;
  if (entry->suspect || bus_uuid_equal(&entry->envelope.message_id, &worker->suspect_counted)) {
    entry->suspect = true;
    return true;
  }
  bus_arena_reset(worker->work);
  struct bus_args *args = pg_add_own(pg_begin_trip(worker->pg, worker->work), SQL_SUSPECT_COUNT);
  bus_args_uuid(args, &entry->envelope.message_id);
  if (!batch_trip(worker, &err))
    return false;
  BUS_CRASH_POINT("worker.suspect-counted");
  entry->suspect = true;
  worker->suspect_counted = entry->envelope.message_id;
  int64_t tries = bus_rows_int64(pg_rows(worker->pg, 0), 0, 0);
  pg_end_trip(worker->pg);
  if (tries > SUSPECT_TRIES && !entry->refused) {
    entry->refused = true;
    entry->verdict = BUS_PARK;
    (void)bus_fail(&entry->cause, BUS_E_CRASHED, "tried alone %d times and never finished", SUSPECT_TRIES);
  }
  return true;
}

/* An attempt that rolled back has ended: its message crashed nothing. While a database takes no transaction and
 * somebody starts the service again and again, the counts must not add up. */
static void uncount_suspect(struct bus_worker *worker, const struct bus_uuid *message_id) {
  struct bus_error err;
  bus_arena_reset(worker->work);
  struct bus_args *args = pg_add_own(pg_begin_trip(worker->pg, worker->work), SQL_SUSPECT_DELETE);
  bus_args_uuid(args, message_id);
  worker->suspect_counted = (struct bus_uuid){{0}};
  if (batch_trip(worker, &err))
    pg_end_trip(worker->pg);
  else
    bus_log(BUS_WARN, "a message that crashed nothing stays counted", BUS_F_UUID("message_id", message_id),
            BUS_F_STR("cause", err.text));
}

/* ---- gathering ---- */

/* At a low rate a batch begins at once, with the messages that are there. If many more messages will have arrived a
 * moment later, batches begin at least GATHER_MS apart: a transaction costs about the same for one message as for many,
 * and under load that cost limits the rate. */
void batch_gather(struct bus_worker *worker) {
  int64_t until = pace_next(&worker->pace, worker->settings.gather_ms * BUS_MILLISECOND);
  if (!worker->service->store || until == worker->pace.began_at || intake_count(worker) >= worker->batch_room)
    return;
  while (bus_monotonic() < until && !worker_stopping(worker))
    worker_pump_busy(worker, until);
  worker_pump(worker, 0); /* what came during the last transaction, too */
}

void batch_process(struct bus_worker *worker, struct entry **entries, size_t count) {
  if (worker->settings.latency_ms > 0) {
    int64_t until = bus_monotonic() + worker->settings.latency_ms * BUS_MILLISECOND;
    while (bus_monotonic() < until && !worker_stopping(worker)) {
      worker_pump(worker, until);
      worker_answer_probe(worker);
    }
  }
  pace_begin(&worker->pace, bus_monotonic(), count);
  bool one_by_one = entries[0]->alone && worker_retries(worker) && !bus_uuid_is_nil(&entries[0]->envelope.message_id);
  if (one_by_one && !count_suspect(worker, entries[0]))
    bus_log(BUS_WARN, "a redelivered message could not be counted; it is tried all the same");
  for (size_t i = 0; i < count; i++)
    intake_decode(worker, entries[i]);
  WORKER_CUT_POINT(worker, "delivered", worker_fd(worker->consuming));
  struct search search = {.commit_at = worker->commit_at};
  bool fresh = !entries[0]->deferred;
  struct bus_uuid first_id = entries[0]->envelope.message_id;
  (void)process(worker, &search, entries, count); /* in part settled where it failed */
  deferred_done(worker);
  if (one_by_one && search.deferred) {
    entries[0]->suspect = false;
    uncount_suspect(worker, &first_id);
  }
  if (search.deferred && worker->commit_at == search.commit_at)
    stall_note(worker, fresh, &search.cause);
  ack_settled(worker, false);
  worker->last_batch_at = bus_monotonic();
}

/* ---- when nothing has arrived ---- */

static int64_t quiet_ends_at(const struct bus_worker *worker) {
  if (worker->confirmed.count == 0 && worker->unroutable.count == 0)
    return INT64_MAX;
  int64_t quiet = worker->last_work_at + worker->settings.quiet_ms * BUS_MILLISECOND;
  return quiet > worker->confirmed_again_at ? quiet : worker->confirmed_again_at;
}

static bool quiet_is_due(const struct bus_worker *worker, int64_t now) {
  return now >= quiet_ends_at(worker);
}

static void settle_batch(struct bus_worker *worker, bool now) {
  publish_held(worker, bus_monotonic());
  ack_settled(worker, now);
}

static int64_t idle_from(const struct bus_worker *worker) {
  int64_t from = worker->last_batch_at + IDLE_AFTER;
  return from > worker->idle_again_at ? from : worker->idle_again_at;
}

/* A batch without inputs: the same two trips, for periodics, the sweeper and confirmed rows. */
void batch_idle(struct bus_worker *worker) {
  int64_t now = bus_monotonic();
  settle_batch(worker, false);
  if (now >= idle_from(worker) && (periodic_next(worker) <= now || quiet_is_due(worker, now)))
    housekeep(worker);
}

void batch_drain(struct bus_worker *worker) {
  settle_batch(worker, true);
  if (worker_pg_is_idle(worker) && (worker->confirmed.count > 0 || worker->unroutable.count > 0))
    housekeep(worker);
}

int64_t batch_next_deadline(const struct bus_worker *worker) {
  int64_t next = periodic_next(worker);
  int64_t held = publish_held_next(worker), quiet = quiet_ends_at(worker), from = idle_from(worker);
  if (quiet < next)
    next = quiet;
  if (next < from)
    next = from;
  if (acks_pending(&worker->acks) > 0 && worker->ack_at < next)
    next = worker->ack_at;
  if (alive_next(worker) < next)
    next = alive_next(worker);
  return held < next ? held : next;
}
