/* A batch until it is settled: taken, tried segment by segment, finished. */
#include "machine.h"

#include "decode.h"
#include "own.h"

/* ---- taking ---- */

/* When messages that have just come may be tried. Suspects of a crash are taken one by one: the next one only once this
 * one is settled and acked. Else two messages that crash their consumer bring each other back, uncounted, forever. */
static int64_t fresh_from(const struct bus_pipeline *pipeline) {
  bool unsettled = (pipeline->holds.first || acks_pending(&pipeline->acks) > 0) &&
                   !BUS_BUG("next-suspect-too-soon", "a suspect is tried while the one before it is not acked");
  if (intake_defers_suspect(&pipeline->intake) || (unsettled && suspects_any(&pipeline->suspects)))
    return INT64_MAX;
  return pipeline->stall.since == 0 ? 0 : pipeline->stall.fresh_at;
}

static size_t take(struct bus_pipeline *pipeline) {
  struct batch *batch = &pipeline->batch;
  struct stall *stall = &pipeline->stall;
  if (stall->since != 0 && intake_deferred_count(&pipeline->intake) == 0) {
    stall_end(stall, &pipeline->turn, "no message is left that failed");
    links_unsettle(&pipeline->links, &pipeline->turn);
  }
  size_t count = 0;
  if (pipeline->turn.now >= stall->again_at)
    count = intake_take_deferred(&pipeline->intake, batch->entries, batch->room);
  batch->fresh = count == 0;
  if (count == 0 && pipeline->turn.now >= fresh_from(pipeline))
    count = intake_take(&pipeline->intake, &pipeline->suspects, batch->entries, batch->room);
  return count;
}

int64_t batch_next_inputs(const struct bus_pipeline *pipeline) {
  int64_t next = intake_deferred_count(&pipeline->intake) > 0 ? pipeline->stall.again_at : INT64_MAX;
  if (intake_is_empty(&pipeline->intake))
    return next;
  int64_t fresh = fresh_from(pipeline);
  return fresh < next ? fresh : next;
}

/* ---- suspects ---- */

static struct bus_sql *begin_suspect_trip(struct bus_pipeline *pipeline, enum own_statement statement) {
  bus_arena_reset(pipeline->work);
  struct bus_sql *sql = machine_begin_trip(pipeline);
  if (sql)
    bus_args_uuid(bus_sql_add_own(sql, (size_t)statement), &pipeline->batch.suspect_id);
  return sql;
}

static void log_uncounted(const struct bus_pipeline *pipeline) {
  turn_log(&pipeline->turn, BUS_WARN, "a redelivered message could not be counted; it is tried all the same");
}

/* Counted before it is tried, in a transaction of its own: a crash leaves the count behind. False: it is tried at once.
 */
static bool count_suspect(struct bus_pipeline *pipeline, struct entry *entry) {
  assert(!entry->suspect); /* cleared when it was put off */
  if (bus_uuid_equal(&entry->envelope.message_id, &pipeline->suspects.counted)) {
    entry->suspect = true;
    return false;
  }
  struct bus_sql *sql = begin_suspect_trip(pipeline, OWN_SUSPECT_COUNT);
  if (!sql) {
    log_uncounted(pipeline);
    return false;
  }
  (void)machine_send(pipeline, sql, BUS_TRIP_SUSPECT, PHASE_COUNTING);
  return true;
}

/* ---- beginning ---- */

static enum next decode_and_try(struct bus_pipeline *pipeline) {
  struct batch *batch = &pipeline->batch;
  for (size_t i = 0; i < batch->count; i++)
    decode_entry(&pipeline->turn, batch->entries[i], intake_arena_of(&pipeline->intake, batch->entries[i]));
  if (BUS_BUG("ack-before-commit", "a delivery is acked when its batch begins")) {
    for (size_t i = 0; i < batch->count; i++)
      acks_settle(&pipeline->acks, batch->entries[i]->tag);
    machine_ack(pipeline, true);
  }
  turn_point(&pipeline->turn, BUS_POINT_DELIVERED);
  return NEXT_SEGMENT;
}

/* The messages of a bundle lie side by side. */
static size_t arrivals_of(const struct batch *batch) {
  size_t arrivals = 0;
  for (size_t i = 0; i < batch->count; i++) {
    const struct entry *entry = batch->entries[i], *last = i > 0 ? batch->entries[i - 1] : NULL;
    arrivals += !last || !entry_is_delivery(entry) || !entry_is_delivery(last) || last->tag != entry->tag;
  }
  return arrivals;
}

enum next batch_begin(struct bus_pipeline *pipeline) {
  struct batch *batch = &pipeline->batch;
  assert(batch->count == 0 && links_are_up(&pipeline->links));
  size_t count = take(pipeline);
  if (count == 0)
    return NEXT_REST;
  assert(count <= batch->room);
  struct entry *first = batch->entries[0];
  batch->count = count;
  batch->epoch = pipeline->links.epoch;
  bisect_begin(&batch->bisect, count, pipeline->stall.commit_at);
  pace_begin(&pipeline->pace, pipeline->turn.now, count, arrivals_of(batch));
  batch->suspect = first->alone && decode_retries(&pipeline->turn) && !bus_uuid_is_nil(&first->envelope.message_id);
  batch->suspect_id = first->envelope.message_id;
  if (batch->suspect && count_suspect(pipeline, first))
    return NEXT_WAIT;
  return decode_and_try(pipeline);
}

enum next batch_counted(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  assert(pipeline->batch.count == 1 && pipeline->batch.suspect && trip->count > 0);
  suspects_count(&pipeline->suspects, pipeline->batch.entries[0], bus_rows_int64(trip->rows[0], 0, 0));
  return decode_and_try(pipeline);
}

enum next batch_not_counted(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  machine_note_dead(pipeline, trip);
  log_uncounted(pipeline);
  return decode_and_try(pipeline);
}

/* A transaction without inputs: the same two trips, for periodics, the sweeper and confirmed rows. */
enum next batch_housekeep(struct bus_pipeline *pipeline) {
  struct batch *batch = &pipeline->batch;
  assert(batch->count == 0);
  batch->count = 0;
  batch->epoch = pipeline->links.epoch;
  batch->suspect = batch->bare = false;
  batch->tries = 0;
  bisect_begin(&batch->bisect, 0, pipeline->stall.commit_at);
  return NEXT_ATTEMPT;
}

/* ---- segments ---- */

enum next batch_segment(struct bus_pipeline *pipeline) {
  struct bisect *bisect = &pipeline->batch.bisect;
  assert(bisect_top(bisect).count > 0);
  pipeline->batch.bare = false;
  bisect->failures = (struct failures){0};
  if (bisect_is_hopeless(bisect, pipeline->stall.commit_at, pipeline->turn.now))
    return failure_defer(pipeline, &bisect->cause);
  return NEXT_ATTEMPT;
}

enum next batch_next_segment(struct bus_pipeline *pipeline) {
  return bisect_next(&pipeline->batch.bisect) ? NEXT_SEGMENT : NEXT_FINISH;
}

/* ---- the end ---- */

/* An attempt that rolled back has ended: its message crashed nothing. While a database takes no transaction and
 * somebody starts the service again and again, the counts must not add up. */
static bool uncount_suspect(struct bus_pipeline *pipeline) {
  struct batch *batch = &pipeline->batch;
  if (!batch->suspect || !batch->bisect.deferred)
    return false;
  batch->suspect = false;
  pipeline->suspects.counted = (struct bus_uuid){{0}};
  struct bus_sql *sql =
      pipeline->links.database.state == LINK_UP ? begin_suspect_trip(pipeline, OWN_SUSPECT_DELETE) : NULL;
  if (sql)
    (void)machine_send(pipeline, sql, BUS_TRIP_UNSUSPECT, PHASE_UNCOUNTING);
  else
    turn_log(&pipeline->turn, BUS_WARN, "a message that crashed nothing stays counted",
             BUS_F_UUID("message_id", &batch->suspect_id));
  return sql != NULL;
}

static void note_stall(struct bus_pipeline *pipeline) {
  assert(pipeline->batch.count > 0);
  const struct bisect *bisect = &pipeline->batch.bisect;
  if (!bisect->deferred || pipeline->stall.commit_at != bisect->commit_at)
    return;
  if (!stall_note(&pipeline->stall, &pipeline->turn, pipeline->batch.fresh, intake_deferred_count(&pipeline->intake),
                  &bisect->cause, bus_uuid_source_random(&pipeline->ids)))
    return;
  pipeline->links.settling.settled = false;
  intake_drop_deadlines(&pipeline->intake);
}

enum next batch_finish(struct bus_pipeline *pipeline) {
  if (pipeline->batch.count > 0 && !intake_deferred_done(&pipeline->intake, pipeline->links.epoch, pipeline->work))
    machine_lose_broker(pipeline, "out of memory for messages that are tried again");
  return uncount_suspect(pipeline) ? NEXT_WAIT : NEXT_REST;
}

/* Part of the batch was settled where it failed, perhaps. */
enum next batch_rest(struct bus_pipeline *pipeline) {
  struct batch *batch = &pipeline->batch;
  pipeline->waiting.phase = PHASE_IDLE;
  if (batch->count > 0) {
    note_stall(pipeline);
    machine_ack(pipeline, suspects_any(&pipeline->suspects));
    pipeline->waiting.quiet.last_batch_at = pipeline->turn.now;
  }
  batch->count = 0;
  return NEXT_WAIT;
}
