/* Attempts that failed: the batch again after a conflict or a lost connection, in halves if one input is guilty, later
 * if nobody is. */
#include "machine.h"

#include "decode.h"
#include "own.h"
#include "points.h"

enum { CONFLICT_TRIES = 5, CONFLICT_PAUSE_MS = 40, LOST_TRIES = 3, RIDER_TRIES = 3 };
#define IDLE_PENALTY (1 * BUS_SECOND)
#define SEARCH_PATIENCE (10 * BUS_SECOND) /* for parts of a batch while none of them commits */

/* ---- kept and dropped ---- */

/* A deadline is found again. A delivery of a lost connection comes again. */
static void defer(struct bus_pipeline *pipeline, struct entry *entry, const struct bus_error *why) {
  assert(why->code != BUS_OK);
  struct bisect *bisect = &pipeline->batch.bisect;
  if (entry->input.kind == BUS_INPUT_DEADLINE)
    stall_put_off_due(&pipeline->stall, &pipeline->turn);
  if (entry->input.kind == BUS_INPUT_DEADLINE || (entry_is_delivery(entry) && entry->epoch != pipeline->links.epoch))
    return;
  entry->suspect = false; /* the count is taken back */
  if (!intake_defer(&pipeline->intake, entry))
    machine_lose_broker(pipeline, "out of memory for a message that is tried again");
  bisect->deferred = true;
  bisect->cause = *why;
}

enum next failure_defer(struct bus_pipeline *pipeline, const struct bus_error *why) {
  struct segment segment = bisect_top(&pipeline->batch.bisect);
  const struct bus_error cause = *why;
  for (size_t i = 0; i < segment.count; i++)
    defer(pipeline, pipeline->batch.entries[segment.first + i], &cause);
  return batch_next_segment(pipeline);
}

static void drop(struct bus_pipeline *pipeline, const struct entry *entry, const struct bus_error *err) {
  turn_log(&pipeline->turn, BUS_ERROR, "input dropped", BUS_F_STR("error", bus_error_name(err->code)),
           BUS_F_STR("cause", err->text),
           BUS_F_STR("why", entry_is_delivery(entry) ? "a query that is not answered" : "it will be found again"));
  if (entry_is_delivery(entry) && entry->epoch == pipeline->links.epoch)
    acks_settle(&pipeline->acks, entry->tag);
}

/* ---- who is to blame ---- */

static struct entry *judged_entry(const struct bus_pipeline *pipeline) {
  struct segment segment = bisect_top(&pipeline->batch.bisect);
  assert(segment.count == 1);
  return pipeline->batch.entries[segment.first];
}

static enum blame blame(struct bus_pipeline *pipeline, const struct entry *entry) {
  const struct type_record *record = stall_type(&pipeline->stall, entry->input.type);
  const struct blame_facts facts = {.outcome = pipeline->batch.failed.outcome,
                                    .failing_since = entry->trial.failing_since,
                                    .alone_since = entry->trial.alone_since,
                                    .similar_at = record->committed_at,
                                    .commit_at = pipeline->stall.commit_at,
                                    .blamed = record->blamed,
                                    .patience = pipeline->setup.settings->blame_after_ms * BUS_MILLISECOND,
                                    .now = pipeline->turn.now};
  if (BUS_BUG("fault-blamed-on-messages", "what a database refuses of everybody is blamed on messages"))
    return BLAME_MESSAGE;
  return blame_of(&facts);
}

/* In a transaction that is rolled back. False: no memory to ask. */
static bool ask_database(struct bus_pipeline *pipeline) {
  struct bus_uuid id;
  bus_uuid_v7(&pipeline->ids, pipeline->turn.wall, &id);
  bus_arena_reset(pipeline->work);
  struct bus_sql *sql = pipeline->links.database.state == LINK_UP ? machine_begin_trip(pipeline) : NULL;
  if (!sql)
    return false;
  (void)bus_sql_add_own(sql, OWN_BEGIN);
  bus_args_uuid(bus_sql_add_own(sql, OWN_INBOX_INSERT), &id);
  (void)bus_sql_add_own(sql, OWN_ROLLBACK);
  (void)machine_send(pipeline, sql, BUS_TRIP_ASK, PHASE_ASKING);
  return true;
}

/* A planted bug's: the other messages of its bundle are ruled like it. */
static void condemn_bundle(struct bus_pipeline *pipeline, const struct entry *guilty) {
  const struct batch *batch = &pipeline->batch;
  for (size_t i = 0; i < batch->count; i++) {
    struct entry *entry = batch->entries[i];
    if (entry_is_delivery(entry) && entry->tag == guilty->tag && entry->epoch == guilty->epoch &&
        BUS_BUG("bundle-retried-whole", "the fault of one message of a bundle is held against all of them"))
      entry->ruling = guilty->ruling;
  }
}

/* The guilty input, found by halves or alone from the beginning. */
static enum next condemn(struct bus_pipeline *pipeline, struct entry *entry, enum blame blamed) {
  assert(entry_is_delivery(entry) && (blamed == BLAME_SIMILAR || blamed == BLAME_MESSAGE));
  bool recorded = entry->ruling.refused; /* recording its refusal failed: hold it without */
  entry->ruling.refused = true;
  entry->ruling.cause = pipeline->batch.failed.error;
  entry->ruling.verdict = BUS_PARK;
  entry->ruling.uncounted = blamed == BLAME_SIMILAR;
  if (pipeline->batch.failed.outcome != BUS_BATCH_DATA || entry->ruling.uncounted)
    decode_put_off(&pipeline->turn, entry);
  condemn_bundle(pipeline, entry);
  if (blamed == BLAME_MESSAGE)
    stall_type(&pipeline->stall, entry->input.type)->blamed++;
  if (!recorded)
    return NEXT_SEGMENT;
  if (entry->epoch == pipeline->links.epoch && pipeline->window.up) {
    if (!holds_add(&pipeline->holds, &pipeline->turn, entry))
      machine_lose_broker(pipeline, "out of memory for a message to retry");
    holds_send(&pipeline->holds, &pipeline->turn, &pipeline->window);
  }
  return batch_next_segment(pipeline);
}

static enum next decide_blame(struct bus_pipeline *pipeline, struct entry *entry, enum blame blamed) {
  if (blamed == BLAME_NOBODY)
    return failure_defer(pipeline, &pipeline->batch.failed.error);
  if (entry_is_delivery(entry))
    return condemn(pipeline, entry, blamed);
  drop(pipeline, entry, &pipeline->batch.failed.error);
  return batch_next_segment(pipeline);
}

/* A commit proves nothing about a fault that came after it, although the entry had failed otherwise before. */
static void note_failure(struct bus_pipeline *pipeline, struct trial *trial) {
  bool fault = pipeline->batch.failed.outcome == BUS_BATCH_FAULT;
  bool other = fault && !trial->fault && !BUS_BUG("earlier-commit-proves", "a fault is blamed by a commit before it");
  if (trial->failing_since == 0 || other) {
    trial->failing_since = pipeline->turn.now;
    trial->tries = 0;
  }
  trial->fault = fault;
}

enum next failure_judge(struct bus_pipeline *pipeline) {
  struct entry *entry = judged_entry(pipeline);
  assert(pipeline->batch.bisect.until != 0);
  if (!decode_retries(&pipeline->turn)) {
    drop(pipeline, entry, &pipeline->batch.failed.error);
    return batch_next_segment(pipeline);
  }
  note_failure(pipeline, &entry->trial);
  if (entry->trial.alone_since == 0)
    entry->trial.alone_since = pipeline->turn.now;
  enum blame blamed = blame(pipeline, entry);
  if (blamed != BLAME_ASK)
    return decide_blame(pipeline, entry, blamed);
  return ask_database(pipeline) ? NEXT_WAIT : decide_blame(pipeline, entry, BLAME_NOBODY);
}

enum next failure_answered(struct bus_pipeline *pipeline, bool good) {
  const struct bus_topology *topology = pipeline->setup.topology;
  if (good && topology->tier_count > 1) {
    pipeline->links.settling.settled = false;
    stall_hold_deadlines(&pipeline->stall, &pipeline->turn, topology->tiers[1].ttl_ms);
  }
  return decide_blame(pipeline, judged_entry(pipeline), good ? BLAME_SIMILAR : BLAME_NOBODY);
}

/* Whole batches meet a fault so often before parts of them are tried, unless others have committed since. */
static bool is_searched(struct bus_pipeline *pipeline, struct segment segment) {
  bool searched = !decode_retries(&pipeline->turn) ||
                  BUS_BUG("parts-tried-at-once", "a batch that meets a fault is searched before others have committed");
  for (size_t i = 0; i < segment.count; i++) {
    struct trial *trial = &pipeline->batch.entries[segment.first + i]->trial;
    note_failure(pipeline, trial);
    trial->tries++;
    searched = searched || trial->tries >= BLAME_WHOLE_TRIES || pipeline->stall.commit_at > trial->failing_since;
  }
  return searched;
}

enum next failure_divide(struct bus_pipeline *pipeline) {
  struct bisect *bisect = &pipeline->batch.bisect;
  struct segment segment = bisect_top(bisect);
  assert(segment.count > 0);
  if (bisect->until == 0) {
    if (!is_searched(pipeline, segment) && pipeline->batch.failed.outcome == BUS_BATCH_FAULT)
      return failure_defer(pipeline, &pipeline->batch.failed.error);
    bisect->until = pipeline->turn.now + SEARCH_PATIENCE;
  }
  if (segment.count == 1)
    return NEXT_JUDGE;
  bisect_split(bisect);
  turn_point_if(&pipeline->turn, points_is_bundle_halved(&pipeline->batch), BUS_POINT_BUNDLE_HALVED);
  return NEXT_SEGMENT;
}

/* ---- outcomes ---- */

/* Lost, although the session stands: a pooler behind it has nothing left of it. */
static void lose_session(struct bus_pipeline *pipeline) {
  const struct failed *failed = &pipeline->batch.failed;
  if (failed->outcome == BUS_BATCH_LOST && pipeline->links.database.state == LINK_UP)
    machine_lose_database(pipeline, failed->error.text);
}

/* If one of several statements fails, it waits for its next turn, and the others run at once; if the transaction fails
 * as a whole, all wait for their next turn. */
static enum next housekeeping_failed(struct bus_pipeline *pipeline) {
  struct batch *batch = &pipeline->batch;
  if (batch->failed.rider && batch->failed.outcome != BUS_BATCH_LOST && ++batch->tries < BUS_PERIODICS_MAX)
    return NEXT_ATTEMPT;
  pipeline->waiting.quiet.idle_again_at = pipeline->turn.now + IDLE_PENALTY;
  lose_session(pipeline);
  turn_log(&pipeline->turn, BUS_WARN, "housekeeping rolled back",
           BUS_F_STR("error", bus_error_name(batch->failed.error.code)), BUS_F_STR("cause", batch->failed.error.text));
  return NEXT_FINISH;
}

static void log_failure(const struct bus_pipeline *pipeline, size_t size) {
  const struct failed *failed = &pipeline->batch.failed;
  enum bus_level level = pipeline->batch.bisect.until == 0 ? BUS_WARN : BUS_DEBUG;
  if (level == BUS_WARN || pipeline->setup.log.debug)
    turn_log(&pipeline->turn, level, "batch rolled back", BUS_F_STR("error", bus_error_name(failed->error.code)),
             BUS_F_STR("cause", failed->error.text), BUS_F_INT("size", size));
}

static enum next pause_a_moment(struct bus_pipeline *pipeline) {
  uint64_t jitter = bus_uuid_source_random(&pipeline->ids) % CONFLICT_PAUSE_MS;
  pipeline->waiting.phase = PHASE_PAUSING;
  pipeline->waiting.until = pipeline->turn.now + BUS_MILLISECOND * (int64_t)(5 + jitter);
  return NEXT_WAIT;
}

/* The whole segment again, or one input is guilty. If several sessions died over the same inputs while new ones could
 * be opened, an input killed them; the refusal is recorded nevertheless. */
static enum next again_or_divide(struct bus_pipeline *pipeline, struct segment segment) {
  struct batch *batch = &pipeline->batch;
  struct failures *failures = &batch->bisect.failures;
  if (batch->failed.rider) {
    batch->bare = ++failures->riders >= RIDER_TRIES;
    return NEXT_ATTEMPT;
  }
  if (batch->failed.outcome == BUS_BATCH_LOST) {
    bool refused = segment.count == 1 && batch->entries[segment.first]->ruling.refused;
    bool again = !batch->failed.died || ++failures->losses < LOST_TRIES || refused ||
                 BUS_BUG("lost-sessions-not-counted", "inputs that kill their session are tried for ever");
    return again ? NEXT_ATTEMPT : NEXT_DIVIDE;
  }
  if (batch->failed.outcome == BUS_BATCH_CONFLICT && ++failures->conflicts < CONFLICT_TRIES)
    return pause_a_moment(pipeline);
  return NEXT_DIVIDE;
}

/* Their transaction may have been committed, so an answer could be wrong. The askers time out and ask again. */
static void drop_segment(struct bus_pipeline *pipeline, struct segment segment) {
  for (size_t i = 0; i < segment.count; i++)
    drop(pipeline, pipeline->batch.entries[segment.first + i], &pipeline->batch.failed.error);
}

/* The worker stops, or the deliveries are void: the broker redelivers them. */
static bool is_abandoned(const struct bus_pipeline *pipeline) {
  return machine_is_stopping(pipeline) ||
         (pipeline->batch.failed.outcome == BUS_BATCH_LOST && pipeline->batch.epoch != pipeline->links.epoch);
}

enum next failure_recovered(struct bus_pipeline *pipeline) {
  struct segment segment = bisect_top(&pipeline->batch.bisect);
  if (is_abandoned(pipeline))
    return NEXT_FINISH;
  if (pipeline->turn.takes_requests && pipeline->batch.failed.unknown) {
    pipeline->batch.failed.unknown = false;
    return batch_next_segment(pipeline);
  }
  return again_or_divide(pipeline, segment);
}

/* Reconnects and tries the same batch again: committed messages appear as duplicates. */
enum next failure_outcome(struct bus_pipeline *pipeline) {
  struct batch *batch = &pipeline->batch;
  assert(batch->failed.outcome != BUS_BATCH_COMMITTED && batch->failed.error.code != BUS_OK);
  struct segment segment = bisect_top(&batch->bisect);
  if (batch->count == 0)
    return housekeeping_failed(pipeline);
  log_failure(pipeline, segment.count);
  if (pipeline->turn.takes_requests && batch->failed.unknown)
    drop_segment(pipeline, segment);
  lose_session(pipeline);
  if (batch->failed.outcome != BUS_BATCH_LOST || is_abandoned(pipeline))
    return failure_recovered(pipeline);
  assert(!links_are_up(&pipeline->links));
  pipeline->waiting.phase = PHASE_RECOVERING;
  return NEXT_WAIT;
}
