/* An attempt up to its COMMIT: trip 1, the decisions, and how it failed. */
#include "machine.h"

#include "decode.h"
#include "own.h"
#include "points.h"
#include "trace.h"

#include <stdlib.h>

static enum bus_batch_outcome outcome_of(const struct bus_error *err) {
  switch (bus_error_class(err->code)) {
  case BUS_CLASS_CONNECTION:
    return BUS_BATCH_LOST;
  case BUS_CLASS_CONFLICT:
    return BUS_BATCH_CONFLICT;
  case BUS_CLASS_DATA:
  case BUS_CLASS_PERMANENT: /* an input whose decision or arguments are wrong */
    return BUS_BATCH_DATA;
  case BUS_CLASS_FAULT:
    return BUS_BATCH_FAULT;
  default:
    return BUS_BATCH_OTHER;
  }
}

static void count_batch(const struct bus_pipeline *pipeline, enum bus_batch_outcome outcome) {
  const struct attempt *attempt = &pipeline->attempt;
  if (attempt->count == 0)
    return; /* housekeeping */
  struct bus_pipeline_action *action = turn_do(&pipeline->turn, BUS_DO_COUNT_BATCH);
  action->batch.outcome = outcome;
  action->batch.size = attempt->count;
  action->batch.duration = pipeline->turn.now - attempt->began;
  action->batch.entries = attempt->entries;
  action->batch.effects = outcome == BUS_BATCH_COMMITTED ? attempt->effects.first : NULL;
  action->batch.error = outcome == BUS_BATCH_COMMITTED ? NULL : &pipeline->batch.failed.error;
}

static enum next fail_with(struct bus_pipeline *pipeline, const struct bus_error *err, bool in_transaction, bool dead) {
  assert(err->code != BUS_OK && !(in_transaction && dead));
  struct failed *failed = &pipeline->batch.failed;
  failed->error = *err;
  failed->outcome = dead ? BUS_BATCH_LOST : outcome_of(err);
  failed->died = dead;
  failed->unknown = dead && pipeline->attempt.commits;
  count_batch(pipeline, failed->outcome);
  if (dead || !in_transaction)
    return NEXT_OUTCOME;
  return machine_roll_back(pipeline, NEXT_OUTCOME);
}

enum next attempt_no_memory(struct bus_pipeline *pipeline, bool in_transaction) {
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_NOMEM, "out of memory for a batch");
  pipeline->batch.failed.rider = false;
  return fail_with(pipeline, &err, in_transaction, false);
}

/* A statement that no input asked for has failed: then no input is to blame. */
static bool is_rider_guilty(struct bus_pipeline *pipeline, long failed_at) {
  if (failed_at < 0 || BUS_BUG("riders-blamed-on-messages", "a periodic statement that fails is blamed on the batch"))
    return false;
  return pipeline->attempt.second ? ledger_is_guilty(&pipeline->ledger, &pipeline->turn, failed_at)
                                  : upkeep_is_guilty(&pipeline->upkeep, &pipeline->turn, failed_at);
}

enum next attempt_failed(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  assert(trip->error.code != BUS_OK);
  pipeline->batch.failed.rider = is_rider_guilty(pipeline, trip->failed_at);
  machine_note_dead(pipeline, trip);
  if (trip->dead && pipeline->attempt.commits &&
      BUS_BUG("unknown-commit-published", "a COMMIT without an answer counts as one"))
    return NEXT_PUBLISH;
  return fail_with(pipeline, &trip->error, trip->in_transaction, trip->dead);
}

/* ---- trip 1 ---- */

static bool collect(struct bus_pipeline *pipeline) {
  struct attempt *attempt = &pipeline->attempt;
  attempt->inputs = bus_arena_array(pipeline->work, attempt->count + 1, sizeof *attempt->inputs);
  attempt->asked = bus_arena_array(pipeline->work, attempt->count + 1, sizeof(struct entry *));
  if (!attempt->inputs || !attempt->asked)
    return false;
  for (size_t i = 0; i < attempt->count; i++) {
    struct entry *entry = attempt->entries[i];
    entry->duplicate = false;
    entry->late = decode_is_late(&pipeline->turn, entry);
    if (entry->ruling.refused || entry->late)
      continue;
    entry->ruling.verdict = BUS_DONE;
    entry->ruling.cause.code = BUS_OK;
    attempt->asked[attempt->asked_count] = entry;
    attempt->inputs[attempt->asked_count++] = entry->input;
  }
  return true;
}

static void add_inbox(struct attempt *attempt, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  struct entry *const *entries = attempt->asked;
  size_t count = attempt->asked_count;
  if (BUS_BUG("inbox-kept-on-retry", "a retried message leaves its inbox row behind")) {
    entries = attempt->entries;
    count = attempt->count;
  }
  attempt->inbox_row = -1;
  for (size_t i = 0; i < count; i++) {
    if (!entry_is_delivery(entries[i]))
      continue;
    if (!args) {
      attempt->inbox_row = (long)bus_sql_count(sql);
      args = bus_sql_add_own(sql, OWN_INBOX_INSERT);
    }
    bus_args_uuid(args, &entries[i]->envelope.message_id);
  }
}

/* Fresh inbox rows return now(). If no inbox row can be fresh, add SELECT now(). */
static void add_now(const struct bus_pipeline *pipeline, struct attempt *attempt, struct bus_sql *sql) {
  attempt->now_row = -1;
  for (size_t i = 0; i < attempt->asked_count && attempt->now_row < 0; i++)
    if (pipeline->turn.takes_requests || !entry_is_delivery(attempt->asked[i])) {
      attempt->now_row = (long)bus_sql_count(sql);
      (void)bus_sql_add_own(sql, OWN_NOW);
    }
}

static bool ask(struct bus_pipeline *pipeline, struct bus_sql *sql) {
  struct attempt *attempt = &pipeline->attempt;
  attempt->first_service_row = bus_sql_count(sql);
  attempt->service_rows = 0;
  if (attempt->asked_count == 0)
    return true;
  bool good = pipeline->setup.service->lock(pipeline->context, attempt->inputs, attempt->asked_count, pipeline->work,
                                            sql, &attempt->model);
  attempt->service_rows = bus_sql_count(sql) - attempt->first_service_row;
  return good;
}

/* Periodics that are due ride on it, unless the batch goes bare or the worker ends. */
static void add_riders(struct bus_pipeline *pipeline, struct bus_sql *sql) {
  upkeep_add(&pipeline->upkeep, &pipeline->turn, machine_upkeep_facts(pipeline),
             pipeline->batch.bare || machine_is_stopping(pipeline), pipeline->context, sql);
}

static enum next start_query(struct bus_pipeline *pipeline, struct bus_sql *sql) {
  if (pipeline->links.pooled)
    (void)bus_sql_add_own(sql, OWN_SETTINGS);
  pipeline->attempt.inbox_row = pipeline->attempt.now_row = -1;
  if (!ask(pipeline, sql))
    return attempt_no_memory(pipeline, false);
  add_riders(pipeline, sql);
  if (bus_sql_count(sql) == 0)
    return NEXT_DECIDE;
  (void)machine_send(pipeline, sql, BUS_TRIP_QUERY, PHASE_QUERY);
  return NEXT_WAIT;
}

static enum next start_transaction(struct bus_pipeline *pipeline, struct bus_sql *sql) {
  struct attempt *attempt = &pipeline->attempt;
  (void)bus_sql_add_own(sql, OWN_BEGIN);
  if (pipeline->links.pooled)
    (void)bus_sql_add_own(sql, OWN_SETTINGS);
  add_now(pipeline, attempt, sql);
  attempt->inbox_row = -1;
  if (!pipeline->turn.takes_requests)
    add_inbox(attempt, sql);
  if (!ask(pipeline, sql))
    return attempt_no_memory(pipeline, false);
  add_riders(pipeline, sql);
  (void)machine_send(pipeline, sql, BUS_TRIP_1, PHASE_TRIP_1);
  return NEXT_WAIT;
}

enum next attempt_start(struct bus_pipeline *pipeline) {
  struct batch *batch = &pipeline->batch;
  struct segment segment = bisect_top(&batch->bisect);
  assert(segment.first + segment.count <= batch->count);
  pipeline->attempt =
      (struct attempt){.entries = batch->entries + segment.first, .count = segment.count, .began = pipeline->turn.now};
  pipeline->upkeep.swept = NULL;
  machine_turn_arenas(pipeline);
  if (pipeline->links.database.state != LINK_UP) {
    struct bus_error err;
    (void)bus_fail(&err, BUS_E_DB_CONNECTION, "not connected to the database");
    batch->failed.rider = false;
    return fail_with(pipeline, &err, false, true);
  }
  struct bus_sql *sql = machine_begin_trip(pipeline);
  if (!sql || !collect(pipeline))
    return attempt_no_memory(pipeline, false);
  return pipeline->setup.service->store ? start_transaction(pipeline, sql) : start_query(pipeline, sql);
}

/* ---- its answer ---- */

static int by_uuid(const void *a, const void *b) {
  return bus_uuid_compare(a, b);
}

/* A delivery that the inbox did not insert is a duplicate; of two with one id in this batch the first is new. */
static bool mark_duplicates(struct bus_pipeline *pipeline, const struct bus_rows *rows) {
  assert(rows);
  struct attempt *attempt = &pipeline->attempt;
  size_t count = bus_rows_count(rows);
  struct bus_uuid *fresh = bus_arena_array(pipeline->work, count + 1, sizeof *fresh);
  bool *used = bus_arena_array(pipeline->work, count + 1, sizeof *used);
  if (!fresh || !used)
    return false;
  for (size_t i = 0; i < count; i++)
    fresh[i] = bus_rows_uuid(rows, i, 0);
  qsort(fresh, count, sizeof *fresh, by_uuid);
  for (size_t i = 0; i < attempt->asked_count; i++) {
    struct entry *entry = attempt->asked[i];
    if (!entry_is_delivery(entry) || BUS_BUG("no-inbox-check", "a message that was processed is processed again"))
      continue;
    const struct bus_uuid *found = bsearch(&entry->envelope.message_id, fresh, count, sizeof *fresh, by_uuid);
    entry->duplicate = !found || used[found - fresh];
    if (found)
      used[found - fresh] = true;
  }
  return true;
}

/* No inputs, no decision: now may be absent. A query's is the process's. */
static bus_time now_of(const struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  const struct attempt *attempt = &pipeline->attempt;
  if (!pipeline->setup.service->store)
    return pipeline->turn.wall;
  if (attempt->now_row >= 0)
    return bus_rows_time(trip->rows[attempt->now_row], 0, 0);
  const struct bus_rows *fresh = attempt->inbox_row < 0 ? NULL : trip->rows[attempt->inbox_row];
  return fresh && bus_rows_count(fresh) > 0 ? bus_rows_time(fresh, 0, 1) : BUS_NO_TIME;
}

enum next attempt_answered(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  struct attempt *attempt = &pipeline->attempt;
  bool open = pipeline->setup.service->store != NULL;
  struct bus_error err = {.code = BUS_OK};
  assert(attempt->first_service_row + attempt->service_rows <= trip->count);
  bus_effects_init(&attempt->effects, pipeline->work, &pipeline->ids, now_of(pipeline, trip),
                   pipeline->setup.service->name);
  attempt->effects.topology = pipeline->setup.topology;
  upkeep_read(&pipeline->upkeep, &pipeline->turn, pipeline->context, trip, pipeline->work);
  if (attempt->inbox_row >= 0 && !mark_duplicates(pipeline, trip->rows[attempt->inbox_row]))
    return attempt_no_memory(pipeline, open);
  turn_point_if(&pipeline->turn, points_is_bundle_partly_known(attempt), BUS_POINT_BUNDLE_PARTLY_KNOWN);
  pipeline->batch.failed.rider = false;
  if (attempt->asked_count > 0 &&
      !pipeline->setup.service->load(attempt->model, trip->rows + attempt->first_service_row, attempt->service_rows,
                                     &err))
    return fail_with(pipeline, &err, open, false);
  return NEXT_DECIDE;
}

/* ---- deciding ---- */

/* False: the effects of one of them cannot be carried out. */
static bool decide_inputs(struct bus_pipeline *pipeline, struct bus_error *err) {
  struct attempt *attempt = &pipeline->attempt;
  struct bus_effects *effects = &attempt->effects;
  for (size_t i = 0; i < attempt->asked_count; i++) {
    struct entry *entry = attempt->asked[i];
    entry->late = decode_is_late(&pipeline->turn, entry); /* the locks may have taken a while */
    if (entry->duplicate || entry->late) {
      trace_decided(&pipeline->turn, entry, 0);
      continue;
    }
    size_t before = effects->count;
    bus_effects_begin(effects, &attempt->inputs[i]);
    pipeline->setup.service->decide(attempt->model, &attempt->inputs[i], effects);
    entry->ruling.verdict = bus_effects_end(effects);
    trace_decided(&pipeline->turn, entry, effects->count - before);
    if (effects->refused)
      return bus_fail(err, BUS_E_INVALID, "%s", effects->reason);
    if (effects->failed)
      return bus_fail(err, BUS_E_NOMEM, "effects of %s: out of memory, or a message that cannot be encoded",
                      entry->input.type ? entry->input.type->type : "a local input");
    if (entry->ruling.verdict == BUS_DONE)
      continue;
    (void)bus_fail(&entry->ruling.cause, entry->ruling.verdict == BUS_PARK ? BUS_E_INVALID : BUS_E_LATER, "%s",
                   effects->reason);
    if (entry->ruling.verdict == BUS_RETRY)
      decode_put_off(&pipeline->turn, entry);
  }
  return true;
}

static bool conclude(struct bus_pipeline *pipeline, struct bus_error *err) {
  struct attempt *attempt = &pipeline->attempt;
  if (!pipeline->setup.service->conclude || attempt->asked_count == 0)
    return true;
  bus_effects_begin(&attempt->effects, NULL);
  pipeline->setup.service->conclude(attempt->model, &attempt->effects);
  if (!attempt->effects.failed)
    return true;
  return attempt->effects.refused ? bus_fail(err, BUS_E_INVALID, "%s", attempt->effects.reason)
                                  : bus_fail(err, BUS_E_NOMEM, "out of memory for a notice, or it cannot be encoded");
}

enum next attempt_decide(struct bus_pipeline *pipeline) {
  struct attempt *attempt = &pipeline->attempt;
  assert(attempt->asked_count <= attempt->count && !attempt->second);
  bool transaction = pipeline->setup.service->store != NULL;
  struct bus_error err = {.code = BUS_OK};
  if (!attempt->effects.arena) { /* a query that needs no trip */
    bus_effects_init(&attempt->effects, pipeline->work, &pipeline->ids, pipeline->turn.wall,
                     pipeline->setup.service->name);
    attempt->effects.topology = pipeline->setup.topology;
  }
  if (!decide_inputs(pipeline, &err) || (transaction && !conclude(pipeline, &err)))
    return fail_with(pipeline, &err, transaction, false);
  if (!outgoings_plan(&attempt->outgoings, &pipeline->turn, &attempt->effects,
                      (size_t)pipeline->setup.settings->bundle_max))
    return attempt_no_memory(pipeline, transaction);
  if (transaction)
    return second_trip(pipeline);
  count_batch(pipeline, BUS_BATCH_COMMITTED);
  bus_backoff_reset(&pipeline->links.database_backoff);
  return NEXT_PUBLISH;
}

enum next attempt_committed(struct bus_pipeline *pipeline, const struct bus_trip_result *trip) {
  struct attempt *attempt = &pipeline->attempt;
  assert(attempt->second && attempt->commits);
  if (strcmp(trip->tag, "COMMIT") != 0 && !BUS_BUG("commit-tag-unchecked", "a COMMIT that rolled back counts as one")) {
    struct bus_error err;
    (void)bus_fail(&err, BUS_E_DB_OTHER, "COMMIT answered %s", trip->tag);
    pipeline->batch.failed.rider = false;
    return fail_with(pipeline, &err, trip->in_transaction, false);
  }
  count_batch(pipeline, BUS_BATCH_COMMITTED);
  ledger_committed(&pipeline->ledger, pipeline->turn.now);
  if (pipeline->batch.count > 0)
    pace_end(&pipeline->pace, pipeline->turn.now);
  bus_backoff_reset(&pipeline->links.database_backoff);
  if (attempt->wrote && stall_committed(&pipeline->stall, &pipeline->turn, attempt->entries, attempt->count))
    links_unsettle(&pipeline->links, &pipeline->turn);
  return NEXT_PUBLISH;
}
