/* The two trips: one attempt to carry a batch of inputs through one transaction. */
#include "worker_internal.h"

#include "../core/utf8.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdlib.h>

#define TRIP_PATIENCE (15 * BUS_SECOND) /* the roles' statement_timeout is 10 s */

/* One attempt at one transaction. */
struct attempt {
  struct entry **entries;
  size_t count;
  struct bus_input *inputs; /* of those that are not refused beforehand, in order */
  struct entry **asked;     /* their entries */
  size_t asked_count;
  void *model;
  struct bus_effects effects;
  size_t first_service_row, service_rows;
  long now_row, inbox_row;
  bool second;  /* the second trip was begun */
  bool commits; /* its COMMIT was sent, perhaps */
  bool wrote;   /* more than inbox rows: such a commit proves that the database takes what the inputs need */
};

/* ---- trips ---- */

/* Time without a response after which a live connection is given up; a trip is given up much earlier while the worker
 * stops. */
static void await_trip(struct bus_worker *worker) {
  int64_t patience = bus_monotonic() + TRIP_PATIENCE;
  while (pg_state(worker->pg) == PG_BUSY) {
    int64_t until = worker_bound(worker, patience, worker->stop_grace);
    if (bus_monotonic() < until)
      worker_pump_busy(worker, until);
    else
      pg_give_up(worker->pg, until < patience ? "no answer before the worker had to end" : "no answer for 15 s");
  }
}

void transaction_roll_back(struct bus_worker *worker) {
  struct bus_error ignored;
  bool open = pg_in_transaction(worker->pg);
  pg_end_trip(worker->pg);
  if (!open)
    return;
  (void)pg_add_own(pg_begin_trip(worker->pg, worker->work), SQL_ROLLBACK);
  if (!pg_send_trip(worker->pg, &ignored))
    return; /* dead: the server rolls back by itself */
  await_trip(worker);
  pg_end_trip(worker->pg);
  if (pg_in_transaction(worker->pg))
    pg_give_up(worker->pg, "a transaction cannot be rolled back");
}

/* commits: what inputs did. */
static bool carry_trip(struct bus_worker *worker, bool commits, struct bus_error *err) {
  struct bus_error failure = {.code = BUS_OK};
  if (pg_send_trip(worker->pg, &failure)) {
    if (commits && BUS_FAIL_POINT("worker.commit-sent", pg_fd(worker->pg)))
      pg_give_up(worker->pg, "failpoint");
    await_trip(worker);
  }
  if (pg_state(worker->pg) == PG_DEAD)
    pg_error(worker->pg, &failure);
  else if (failure.code == BUS_OK)
    (void)pg_failed(worker->pg, &failure);
  if (failure.code == BUS_OK)
    return true;
  if (err)
    *err = failure;
  return false;
}

bool batch_trip(struct bus_worker *worker, struct bus_error *err) {
  return carry_trip(worker, false, err);
}

static bool nomem(struct bus_error *err) {
  return bus_fail(err, BUS_E_NOMEM, "out of memory for a batch");
}

/* ---- trip 1 ---- */

static bool collect(struct bus_worker *worker, struct attempt *attempt) {
  attempt->inputs = bus_arena_array(worker->work, attempt->count + 1, sizeof *attempt->inputs);
  attempt->asked = bus_arena_array(worker->work, attempt->count + 1, sizeof(struct entry *));
  if (!attempt->inputs || !attempt->asked)
    return false;
  for (size_t i = 0; i < attempt->count; i++) {
    struct entry *entry = attempt->entries[i];
    entry->duplicate = false;
    entry->late = intake_is_late(worker, entry);
    if (entry->refused || entry->late)
      continue;
    entry->verdict = BUS_DONE;
    entry->cause.code = BUS_OK;
    attempt->asked[attempt->asked_count] = entry;
    attempt->inputs[attempt->asked_count++] = entry->input;
  }
  return true;
}

/* Adds a statement over the message ids of some entries. Returns its place in the trip; -1: of none. */
static long add_ids(struct bus_sql *sql, size_t statement, struct entry *const *entries, size_t count,
                    bool (*is_meant)(const struct entry *entry)) {
  struct bus_args *args = NULL;
  long place = (long)pg_trip_count(sql);
  for (size_t i = 0; i < count; i++) {
    if (!is_meant(entries[i]))
      continue;
    if (!args)
      args = pg_add_own(sql, statement);
    bus_args_uuid(args, &entries[i]->envelope.message_id);
  }
  return args ? place : -1;
}

/* Deliveries that were not processed must not count as processed when they come back. */
static bool is_undone(const struct entry *entry) {
  return entry_is_delivery(entry) && !entry->duplicate && entry->verdict != BUS_DONE;
}

static bool is_suspect(const struct entry *entry) {
  return entry->suspect;
}

/* Fresh inbox rows return now(). If no inbox row can be fresh, add SELECT now(). */
static void add_now(const struct bus_worker *worker, struct bus_sql *sql, struct attempt *attempt) {
  attempt->now_row = -1;
  for (size_t i = 0; i < attempt->asked_count && attempt->now_row < 0; i++)
    if (worker->requests || !entry_is_delivery(attempt->asked[i])) {
      attempt->now_row = (long)pg_trip_count(sql);
      (void)pg_add_own(sql, SQL_NOW);
    }
}

/* No inputs, no decision: now may be absent. */
static bus_time now_of(const struct bus_worker *worker, const struct attempt *attempt) {
  if (attempt->now_row >= 0)
    return bus_rows_time(pg_rows(worker->pg, (size_t)attempt->now_row), 0, 0);
  const struct bus_rows *fresh = attempt->inbox_row < 0 ? NULL : pg_rows(worker->pg, (size_t)attempt->inbox_row);
  return fresh && bus_rows_count(fresh) > 0 ? bus_rows_time(fresh, 0, 1) : BUS_NO_TIME;
}

static bool ask(struct bus_worker *worker, struct attempt *attempt, struct bus_sql *sql) {
  const struct bus_service *service = worker->service;
  attempt->first_service_row = pg_trip_count(sql);
  if (attempt->asked_count == 0)
    return true;
  bool good = service->lock(worker->context, attempt->inputs, attempt->asked_count, worker->work, sql, &attempt->model);
  attempt->service_rows = pg_trip_count(sql) - attempt->first_service_row;
  return good;
}

static int by_uuid(const void *a, const void *b) {
  return bus_uuid_compare(a, b);
}

/* A delivery that the inbox did not insert is a duplicate; of two with one id in this batch the first is new. */
static bool mark_duplicates(struct bus_worker *worker, struct attempt *attempt) {
  if (attempt->inbox_row < 0)
    return true;
  const struct bus_rows *rows = pg_rows(worker->pg, (size_t)attempt->inbox_row);
  size_t count = bus_rows_count(rows);
  struct bus_uuid *fresh = bus_arena_array(worker->work, count + 1, sizeof *fresh);
  bool *used = bus_arena_array(worker->work, count + 1, sizeof *used);
  if (!fresh || !used)
    return false;
  for (size_t i = 0; i < count; i++)
    fresh[i] = bus_rows_uuid(rows, i, 0);
  qsort(fresh, count, sizeof *fresh, by_uuid);
  for (size_t i = 0; i < attempt->asked_count; i++) {
    struct entry *entry = attempt->asked[i];
    if (!entry_is_delivery(entry))
      continue;
    const struct bus_uuid *found = bsearch(&entry->envelope.message_id, fresh, count, sizeof *fresh, by_uuid);
    entry->duplicate = !found || used[found - fresh];
    if (found)
      used[found - fresh] = true;
  }
  return true;
}

static bool load(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  if (attempt->asked_count == 0)
    return true;
  const struct bus_rows **rows = bus_arena_array(worker->work, attempt->service_rows + 1, sizeof *rows);
  if (!rows)
    return nomem(err);
  for (size_t i = 0; i < attempt->service_rows; i++)
    rows[i] = pg_rows(worker->pg, attempt->first_service_row + i);
  return worker->service->load(attempt->model, rows, attempt->service_rows, err);
}

/* False: the effects of one of them cannot be carried out. */
static bool decide(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  struct bus_effects *effects = &attempt->effects;
  for (size_t i = 0; i < attempt->asked_count; i++) {
    struct entry *entry = attempt->asked[i];
    entry->late = intake_is_late(worker, entry); /* the locks may have taken a while */
    if (entry->duplicate || entry->late) {
      trace_decided(worker, entry, 0);
      continue;
    }
    size_t before = effects->count;
    bus_effects_begin(effects, &attempt->inputs[i]);
    worker->service->decide(attempt->model, &attempt->inputs[i], effects);
    entry->verdict = bus_effects_end(effects);
    if (entry->input.kind == BUS_INPUT_DEADLINE)
      BUS_CRASH_POINT("worker.deadline-decided");
    if (entry->input.kind == BUS_INPUT_COMPLETION)
      BUS_CRASH_POINT("worker.completion-decided");
    trace_decided(worker, entry, effects->count - before);
    if (effects->failed)
      return bus_fail(err, BUS_E_NOMEM, "effects of %s: out of memory, or a message that cannot be encoded",
                      entry->input.type ? entry->input.type->type : "a local input");
    if (entry->verdict == BUS_DONE)
      continue;
    (void)bus_fail(&entry->cause, entry->verdict == BUS_PARK ? BUS_E_INVALID : BUS_E_LATER, "%s", effects->reason);
    if (entry->verdict == BUS_RETRY)
      intake_put_off(worker, entry);
  }
  return true;
}

static bool conclude(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  if (!worker->service->conclude || attempt->asked_count == 0)
    return true;
  bus_effects_begin(&attempt->effects, NULL);
  worker->service->conclude(attempt->model, &attempt->effects);
  return !attempt->effects.failed || bus_fail(err, BUS_E_NOMEM, "out of memory for a notice, or it cannot be encoded");
}

static bool first_trip(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  struct bus_sql *sql = pg_begin_trip(worker->pg, worker->work);
  (void)pg_add_own(sql, SQL_BEGIN);
  if (pg_is_pooled(worker->pg))
    (void)pg_add_own(sql, SQL_SETTINGS);
  add_now(worker, sql, attempt);
  attempt->inbox_row = -1;
  if (!worker->requests)
    attempt->inbox_row = add_ids(sql, SQL_INBOX_INSERT, attempt->asked, attempt->asked_count, entry_is_delivery);
  if (!ask(worker, attempt, sql))
    return nomem(err);
  periodic_add(worker, sql);
  if (attempt->count > 0 && BUS_FAIL_POINT("worker.before-trip-1", pg_fd(worker->pg)))
    return bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
  if (!batch_trip(worker, err))
    return false;
  if (attempt->count > 0 && BUS_FAIL_POINT("worker.after-trip-1", pg_fd(worker->pg)))
    return bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
  bus_effects_init(&attempt->effects, worker->work, &worker->ids, now_of(worker, attempt), worker->service->name);
  periodic_read(worker);
  return (mark_duplicates(worker, attempt) || nomem(err)) && load(worker, attempt, err);
}

/* ---- trip 2 ---- */

static void add_outbox_row(struct bus_args *args, const struct bus_effect *effect) {
  char traceparent[BUS_TRACEPARENT_TEXT];
  bus_args_uuid(args, &effect->envelope.message_id);
  bus_args_text(args, effect->envelope.type);
  bus_args_uuid_or_null(args, &effect->envelope.correlation_id);
  bus_args_uuid_or_null(args, &effect->envelope.causation_id);
  if (bus_trace_is_set(&effect->envelope.trace)) {
    bus_trace_format(&effect->envelope.trace, traceparent);
    bus_args_text(args, bus_str(traceparent));
  } else {
    bus_args_null(args);
  }
  bus_args_text_or_null(args, effect->envelope.trace.state[0] ? bus_str(effect->envelope.trace.state) : BUS_NO_STR);
  bus_args_text(args, effect->body);
}

static void add_outbox(struct bus_worker *worker, struct bus_sql *sql, const struct bus_effects *effects) {
  struct bus_args *args = NULL;
  for (const struct bus_effect *effect = effects->first; effect; effect = effect->next) {
    if (effect->kind != BUS_EFFECT_EMIT)
      continue;
    if (!args) {
      args = pg_add_own(sql, SQL_OUTBOX_INSERT);
      bus_args_int64(args, worker->settings.outbox_grace_ms);
    }
    add_outbox_row(args, effect);
  }
}

/* Text from outside, or cut text, made valid for Postgres. */
static struct bus_str clean(struct bus_worker *worker, struct bus_str text) {
  char *copy = bus_arena_alloc(worker->work, text.len + 1);
  if (!copy)
    return BUS_STR("");
  if (text.len > 0)
    memcpy(copy, text.data, text.len);
  bus_utf8_clean(copy, text.len, false);
  return (struct bus_str){copy, text.len};
}

/* Made by bus_history_add, so it is clean. */
static struct bus_str history_of(struct bus_worker *worker, struct entry *entry) {
  char text[BUS_HISTORY_MAX];
  size_t len = publish_history(worker, entry, text);
  struct bus_str copy = bus_arena_copy(worker->work, (struct bus_str){text, len});
  return copy.data ? copy : BUS_STR("");
}

static void add_parked_row(struct bus_worker *worker, struct bus_args *args, struct entry *entry) {
  bus_args_uuid(args, &entry->envelope.message_id);
  bus_args_text(args, bus_str(worker->service->queues[entry->consumer]));
  bus_args_text(args, clean(worker, entry->envelope.type));
  bus_args_uuid_or_null(args, &entry->envelope.correlation_id);
  bus_args_int64(args, entry->envelope.attempt);
  bus_args_text(args, bus_str(bus_error_name(entry->cause.code)));
  bus_args_text(args, clean(worker, bus_str(entry->cause.text)));
  bus_args_text(args, bus_str(service_version(worker->service)));
  bus_args_text(args, history_of(worker, entry));
}

static void add_parked(struct bus_worker *worker, struct bus_sql *sql, const struct attempt *attempt) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < attempt->count; i++) {
    struct entry *entry = attempt->entries[i];
    if (!entry_is_delivery(entry) || entry->duplicate || entry->verdict != BUS_PARK || worker->requests)
      continue;
    if (!args)
      args = pg_add_own(sql, SQL_PARKED_INSERT);
    add_parked_row(worker, args, entry);
  }
}

/* COMMIT of a failed transaction succeeds with the tag ROLLBACK. */
static bool is_committed(struct bus_worker *worker, size_t commit_row, struct bus_error *err) {
  const char *tag = pg_tag(worker->pg, commit_row);
  if (strcmp(tag, "COMMIT") == 0)
    return true;
  return bus_fail(err, BUS_E_DB_OTHER, "COMMIT answered %s", tag);
}

static bool second_trip(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  struct bus_sql *sql = pg_begin_trip(worker->pg, worker->work);
  attempt->second = true;
  if (attempt->asked_count > 0 && !worker->service->store(attempt->model, sql))
    return nomem(err);
  add_outbox(worker, sql, &attempt->effects);
  attempt->wrote = pg_trip_count(sql) > 0;
  confirmed_add(worker, sql, attempt->count > 0);
  add_parked(worker, sql, attempt);
  if (!worker->requests)
    (void)add_ids(sql, SQL_INBOX_DELETE, attempt->asked, attempt->asked_count, is_undone);
  (void)add_ids(sql, SQL_SUSPECT_DELETE, attempt->entries, attempt->count, is_suspect);
  size_t commit_row = pg_trip_count(sql);
  (void)pg_add_own(sql, SQL_COMMIT);
  if (attempt->count > 0 && BUS_FAIL_POINT("worker.before-trip-2", pg_fd(worker->pg)))
    return bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
  attempt->commits = true;
  return carry_trip(worker, attempt->count > 0, err) && is_committed(worker, commit_row, err);
}

/* ---- after COMMIT ---- */

static void publish_all(struct bus_worker *worker, const struct bus_effects *effects) {
  for (const struct bus_effect *effect = effects->first; effect; effect = effect->next) {
    if (effect != effects->first)
      WORKER_CUT_POINT(worker, "between-publishes", worker_fd(worker->publishing));
    if (effect->kind == BUS_EFFECT_ACTION)
      worker->service->act(worker->context, effect->action);
    else
      publish_effect(worker, effect);
  }
  if (effects->first)
    WORKER_CUT_POINT(worker, "after-publish", worker_fd(worker->publishing));
}

static void settle_entries(struct bus_worker *worker, struct entry **entries, size_t count) {
  for (size_t i = 0; i < count; i++) {
    metrics_message(worker, entries[i]);
    if (!entry_is_delivery(entries[i]) || worker->amqp_lost || entries[i]->epoch != worker->epoch)
      continue; /* of a connection that is gone: it comes again and shows as a duplicate */
    if (entries[i]->verdict == BUS_DONE || entries[i]->duplicate || !worker_retries(worker))
      acks_settle(&worker->acks, entries[i]->tag);
    else
      publish_hold(worker, entries[i]);
  }
  publish_held(worker, bus_monotonic());
}

/* ---- one attempt ---- */

static bool run_transaction(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  bus_arena_reset(worker->work);
  worker->swept = NULL;
  if (!collect(worker, attempt))
    return nomem(err);
  if (!first_trip(worker, attempt, err))
    return false;
  if (!decide(worker, attempt, err) || !conclude(worker, attempt, err))
    return false;
  if (attempt->count > 0 && BUS_FAIL_POINT("worker.after-decide", pg_fd(worker->pg)))
    return nomem(err);
  return second_trip(worker, attempt, err);
}

/* Queries only read: no transaction, no inbox. A failed query is not answered, and its asker times out. */
static bool run_queries(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  bus_arena_reset(worker->work);
  if (!collect(worker, attempt))
    return nomem(err);
  struct bus_sql *sql = pg_begin_trip(worker->pg, worker->work);
  if (pg_is_pooled(worker->pg))
    (void)pg_add_own(sql, SQL_SETTINGS);
  if (!ask(worker, attempt, sql))
    return nomem(err);
  periodic_add(worker, sql);
  if (pg_trip_count(sql) > 0) {
    if (BUS_FAIL_POINT("query.before-trip", pg_fd(worker->pg)))
      return bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
    if (!batch_trip(worker, err))
      return false;
    if (BUS_FAIL_POINT("query.after-trip", pg_fd(worker->pg)))
      return bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
    periodic_read(worker);
  }
  bus_effects_init(&attempt->effects, worker->work, &worker->ids, bus_wall_clock(), worker->service->name);
  return load(worker, attempt, err) && decide(worker, attempt, err);
}

/* A statement that no input asked for has failed: then no input is to blame. */
static bool is_rider_guilty(struct bus_worker *worker, const struct attempt *attempt) {
  long failed = pg_failed_at(worker->pg);
  if (failed < 0)
    return false;
  return attempt->second ? confirmed_is_guilty(worker, failed) : periodic_is_guilty(worker, failed);
}

static enum batch_outcome outcome_of(const struct bus_error *err) {
  switch (bus_error_class(err->code)) {
  case BUS_CLASS_CONNECTION:
    return BATCH_LOST;
  case BUS_CLASS_CONFLICT:
    return BATCH_CONFLICT;
  case BUS_CLASS_DATA:
    return BATCH_DATA;
  case BUS_CLASS_FAULT:
    return BATCH_FAULT;
  default:
    return BATCH_OTHER;
  }
}

enum batch_outcome transaction_attempt(struct bus_worker *worker, struct entry **entries, size_t count,
                                       struct bus_error *err) {
  struct attempt attempt = {.entries = entries, .count = count};
  int64_t began = bus_monotonic();
  bool queries = worker->service->store == NULL;
  *err = (struct bus_error){.code = BUS_OK};
  bool good = queries ? run_queries(worker, &attempt, err) : run_transaction(worker, &attempt, err);
  worker->rider_failed = !good && is_rider_guilty(worker, &attempt);
  worker->commit_unknown = !good && attempt.commits && pg_state(worker->pg) == PG_DEAD;
  enum batch_outcome outcome = good ? BATCH_COMMITTED : outcome_of(err);
  metrics_batch(worker, outcome, count, bus_monotonic() - began);
  if (!good) {
    if (pg_state(worker->pg) == PG_DEAD)
      outcome = BATCH_LOST;
    else
      transaction_roll_back(worker);
    return outcome;
  }
  pg_end_trip(worker->pg);
  if (!queries)
    confirmed_committed(worker);
  if (count > 0)
    WORKER_CUT_POINT(worker, "after-commit", worker_fd(worker->publishing));
  bus_backoff_reset(&worker->pg_backoff);
  if (attempt.wrote)
    stall_committed(worker, entries, count);
  publish_all(worker, &attempt.effects);
  periodic_committed(worker);
  settle_entries(worker, entries, count);
  if (publish_is_open(worker))
    bus_amqp_flush(worker->publishing);
  worker->last_work_at = bus_monotonic();
  return BATCH_COMMITTED;
}
