/* The two trips: a batch of inputs through one transaction, and what happens to it when something fails. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdlib.h>

enum { CONFLICT_TRIES = 5, CONFLICT_PAUSE_MS = 40 };

/* One attempt at one transaction. */
struct attempt {
  struct item **items;
  size_t count;
  struct bus_input *inputs; /* of those that are not refused beforehand, in order */
  struct item **asked;      /* their items */
  size_t asked_count;
  void *model;
  struct bus_effects effects;
  size_t first_service_row, service_rows;
  long now_row, inbox_row;
};

static bool is_delivery(const struct item *item) {
  return item->input.kind == BUS_INPUT_DELIVERY;
}

/* ---- trips ---- */

static void roll_back(struct bus_worker *worker) {
  struct bus_error ignored;
  if (!pg_in_transaction(worker->pg))
    return;
  (void)pg_add_own(pg_begin_trip(worker->pg, worker->work), SQL_ROLLBACK);
  if (!pg_send_trip(worker->pg, &ignored))
    return; /* dead: the server rolls back by itself */
  while (pg_state(worker->pg) == PG_BUSY)
    worker_pump(worker, INT64_MAX);
  pg_end_trip(worker->pg);
}

bool batch_trip(struct bus_worker *worker, struct bus_error *err) {
  struct bus_error failure = {.code = BUS_OK};
  if (pg_send_trip(worker->pg, &failure))
    while (pg_state(worker->pg) == PG_BUSY)
      worker_pump(worker, INT64_MAX);
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

/* ---- trip 1 ---- */

static bool collect(struct bus_worker *worker, struct attempt *attempt) {
  attempt->inputs = bus_arena_array(worker->work, attempt->count + 1, sizeof *attempt->inputs);
  attempt->asked = bus_arena_array(worker->work, attempt->count + 1, sizeof(struct item *));
  if (!attempt->inputs || !attempt->asked)
    return false;
  for (size_t i = 0; i < attempt->count; i++) {
    struct item *item = attempt->items[i];
    item->duplicate = false;
    if (item->refused)
      continue;
    item->verdict = BUS_DONE;
    item->cause.code = BUS_OK;
    attempt->asked[attempt->asked_count] = item;
    attempt->inputs[attempt->asked_count++] = item->input;
  }
  return true;
}

static void add_inbox(struct bus_sql *sql, struct attempt *attempt) {
  struct bus_args *args = NULL;
  attempt->inbox_row = -1;
  for (size_t i = 0; i < attempt->asked_count; i++) {
    if (!is_delivery(attempt->asked[i]))
      continue;
    if (!args) {
      attempt->inbox_row = (long)pg_trip_count(sql);
      args = pg_add_own(sql, SQL_INBOX_INSERT);
    }
    if (args)
      bus_args_uuid(args, &attempt->asked[i]->envelope.message_id);
  }
}

static bool nomem(struct bus_error *err) {
  return bus_fail(err, BUS_E_NOMEM, "out of memory for a batch");
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

/* What the inbox did not take is a duplicate; of two with one id in this batch the first is new. */
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
    struct item *item = attempt->asked[i];
    if (!is_delivery(item))
      continue;
    const struct bus_uuid *found = bsearch(&item->envelope.message_id, fresh, count, sizeof *fresh, by_uuid);
    item->duplicate = !found || used[found - fresh];
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

static void decide(struct bus_worker *worker, struct attempt *attempt) {
  struct bus_effects *effects = &attempt->effects;
  for (size_t i = 0; i < attempt->asked_count; i++) {
    struct item *item = attempt->asked[i];
    if (item->duplicate)
      continue;
    bus_effects_begin(effects, &attempt->inputs[i]);
    worker->service->decide(attempt->model, &attempt->inputs[i], effects);
    item->verdict = bus_effects_end(effects);
    if (item->verdict == BUS_DONE)
      continue;
    (void)bus_fail(&item->cause, item->verdict == BUS_PARK ? BUS_E_INVALID : BUS_E_LATER, "%s", effects->reason);
    if (item->verdict == BUS_RETRY)
      intake_put_off(worker, item);
  }
}

static bool first_trip(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  struct bus_sql *sql = pg_begin_trip(worker->pg, worker->work);
  (void)pg_add_own(sql, SQL_BEGIN);
  attempt->now_row = (long)pg_trip_count(sql);
  (void)pg_add_own(sql, SQL_NOW);
  add_inbox(sql, attempt);
  if (!ask(worker, attempt, sql))
    return nomem(err);
  periodic_add(worker, sql);
  if (!batch_trip(worker, err))
    return false;
  bus_time now = bus_rows_time(pg_rows(worker->pg, (size_t)attempt->now_row), 0, 0);
  bus_effects_init(&attempt->effects, worker->work, &worker->ids, now, worker->service->name);
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

static void add_uuids(struct bus_sql *sql, size_t statement, const struct uuid_list *list, size_t count) {
  if (count == 0)
    return;
  struct bus_args *args = pg_add_own(sql, statement);
  for (size_t i = 0; i < count; i++)
    bus_args_uuid(args, &list->items[i]);
}

/* What the broker has said since: remembered until the COMMIT that carries it has succeeded. */
static void add_confirmed(struct bus_worker *worker, struct bus_sql *sql) {
  worker->confirmed_in_trip = worker->confirmed.count;
  worker->unroutable_in_trip = worker->unroutable.count;
  add_uuids(sql, SQL_OUTBOX_DELETE, &worker->confirmed, worker->confirmed_in_trip);
  add_uuids(sql, SQL_OUTBOX_UNROUTABLE, &worker->unroutable, worker->unroutable_in_trip);
}

static void forget_confirmed(struct bus_worker *worker) {
  uuid_list_drop_first(&worker->confirmed, worker->confirmed_in_trip);
  uuid_list_drop_first(&worker->unroutable, worker->unroutable_in_trip);
}

static void add_parked_row(const struct bus_worker *worker, struct bus_args *args, const struct item *item) {
  bool has_type = item->envelope.type.data != NULL;
  bus_args_uuid(args, &item->envelope.message_id);
  bus_args_text(args, bus_str(worker->service->queues[item->consumer]));
  bus_args_text(args, has_type ? item->envelope.type : BUS_STR(""));
  bus_args_uuid_or_null(args, &item->envelope.correlation_id);
  bus_args_int64(args, item->envelope.attempt);
  bus_args_text(args, bus_str(bus_error_name(item->cause.code)));
  bus_args_text(args, bus_str(item->cause.text));
}

static void add_parked(struct bus_worker *worker, struct bus_sql *sql, const struct attempt *attempt) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < attempt->count; i++) {
    const struct item *item = attempt->items[i];
    if (!is_delivery(item) || item->duplicate || item->verdict != BUS_PARK)
      continue;
    if (!args)
      args = pg_add_own(sql, SQL_PARKED_INSERT);
    add_parked_row(worker, args, item);
  }
}

/* What was not processed after all must not count as processed when it comes back. */
static void add_inbox_delete(struct bus_sql *sql, const struct attempt *attempt) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < attempt->asked_count; i++) {
    const struct item *item = attempt->asked[i];
    if (!is_delivery(item) || item->duplicate || item->verdict == BUS_DONE)
      continue;
    if (!args)
      args = pg_add_own(sql, SQL_INBOX_DELETE);
    bus_args_uuid(args, &item->envelope.message_id);
  }
}

static void add_suspect_delete(struct bus_sql *sql, const struct attempt *attempt) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < attempt->count; i++) {
    if (!attempt->items[i]->suspect)
      continue;
    if (!args)
      args = pg_add_own(sql, SQL_SUSPECT_DELETE);
    bus_args_uuid(args, &attempt->items[i]->envelope.message_id);
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
  if (attempt->asked_count > 0 && !worker->service->store(attempt->model, sql))
    return nomem(err);
  add_outbox(worker, sql, &attempt->effects);
  add_confirmed(worker, sql);
  add_parked(worker, sql, attempt);
  add_inbox_delete(sql, attempt);
  add_suspect_delete(sql, attempt);
  size_t commit_row = pg_trip_count(sql);
  (void)pg_add_own(sql, SQL_COMMIT);
  return batch_trip(worker, err) && is_committed(worker, commit_row, err);
}

/* ---- after COMMIT ---- */

static void publish_all(struct bus_worker *worker, const struct bus_effects *effects) {
  for (const struct bus_effect *effect = effects->first; effect; effect = effect->next)
    if (effect->kind == BUS_EFFECT_ACTION)
      worker->service->act(worker->context, effect->action);
    else
      publish_effect(worker, effect);
}

static void settle(struct bus_worker *worker, struct item **items, size_t count) {
  for (size_t i = 0; i < count; i++) {
    metrics_message(worker, items[i]);
    if (!is_delivery(items[i]) || worker->amqp_lost || items[i]->epoch != worker->epoch)
      continue; /* of a connection that is gone: it comes again and shows as a duplicate */
    if (items[i]->verdict == BUS_DONE || items[i]->duplicate || !worker->service->store)
      ledger_settle(&worker->ledger, items[i]->tag);
    else
      publish_hold(worker, items[i]);
  }
  publish_held(worker, bus_monotonic());
}

static void ack_settled(struct bus_worker *worker) {
  struct bus_error err;
  uint64_t tag = worker->amqp_lost || !worker->consuming ? 0 : ledger_ackable(&worker->ledger);
  if (tag > 0 && !bus_amqp_ack(worker->consuming, tag, true, &err))
    worker_note_amqp_error(worker, &err);
}

/* ---- one attempt ---- */

static bool run_transaction(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  bus_arena_reset(worker->work);
  worker->swept = NULL;
  if (!collect(worker, attempt))
    return nomem(err);
  if (!first_trip(worker, attempt, err))
    return false;
  if (attempt->asked_count > 0)
    decide(worker, attempt);
  if (attempt->effects.failed)
    return nomem(err);
  return second_trip(worker, attempt, err);
}

/* Reads only: no transaction, no inbox; what fails is not answered, and the asker's time runs out. */
static bool run_queries(struct bus_worker *worker, struct attempt *attempt, struct bus_error *err) {
  bus_arena_reset(worker->work);
  if (!collect(worker, attempt))
    return nomem(err);
  struct bus_sql *sql = pg_begin_trip(worker->pg, worker->work);
  if (!ask(worker, attempt, sql))
    return nomem(err);
  periodic_add(worker, sql);
  if (pg_trip_count(sql) > 0) {
    if (!batch_trip(worker, err))
      return false;
    periodic_read(worker);
  }
  bus_effects_init(&attempt->effects, worker->work, &worker->ids, bus_wall_clock(), worker->service->name);
  if (!load(worker, attempt, err))
    return false;
  if (attempt->asked_count > 0)
    decide(worker, attempt);
  return !attempt->effects.failed || nomem(err);
}

static enum batch_outcome outcome_of(const struct bus_error *err) {
  switch (bus_error_class(err->code)) {
  case BUS_CLASS_CONNECTION:
    return BATCH_LOST;
  case BUS_CLASS_CONFLICT:
    return BATCH_CONFLICT;
  case BUS_CLASS_DATA:
    return BATCH_DATA;
  default:
    return BATCH_OTHER;
  }
}

static enum batch_outcome attempt_once(struct bus_worker *worker, struct item **items, size_t count,
                                       struct bus_error *err) {
  struct attempt attempt = {.items = items, .count = count};
  int64_t began = bus_monotonic();
  bool queries = worker->service->store == NULL;
  *err = (struct bus_error){.code = BUS_OK};
  bool good = queries ? run_queries(worker, &attempt, err) : run_transaction(worker, &attempt, err);
  enum batch_outcome outcome = good ? BATCH_COMMITTED : outcome_of(err);
  metrics_batch(worker, outcome, count, bus_monotonic() - began);
  if (!good) {
    if (pg_state(worker->pg) == PG_DEAD)
      outcome = BATCH_LOST;
    else
      roll_back(worker);
    return outcome;
  }
  pg_end_trip(worker->pg);
  if (!queries)
    forget_confirmed(worker);
  publish_all(worker, &attempt.effects);
  periodic_publish(worker);
  settle(worker, items, count);
  worker->last_work_at = bus_monotonic();
  return BATCH_COMMITTED;
}

/* ---- failures ---- */

/* A new connection, then the same batch again: what had been committed after all shows as duplicates. Gives up only
 * when the worker is to stop or the deliveries are void; then they come again. */
static bool recover(struct bus_worker *worker, const struct bus_error *err) {
  worker_drop_pg(worker, err);
  while (!worker_stopping(worker) && !worker->amqp_lost && worker->fatal.code == BUS_OK) {
    if (worker_connect(worker))
      return true;
    worker_pump(worker, worker_next_deadline(worker));
  }
  return false;
}

static void pause_a_moment(struct bus_worker *worker) {
  int64_t until =
      bus_monotonic() + BUS_MILLISECOND * (int64_t)(5 + bus_uuid_source_random(&worker->ids) % CONFLICT_PAUSE_MS);
  while (bus_monotonic() < until)
    worker_pump(worker, until);
}

/* Found by halves, or alone from the beginning: the guilty one. */
static void condemn(struct bus_worker *worker, struct item *item, enum batch_outcome outcome,
                    const struct bus_error *err) {
  if (!is_delivery(item) || !worker->service->store) {
    bus_log(BUS_ERROR, "input dropped", BUS_F_STR("error", bus_error_name(err->code)), BUS_F_STR("cause", err->text),
            BUS_F_STR("why", is_delivery(item) ? "a query that cannot be answered" : "it will be found again"));
    if (is_delivery(item) && item->epoch == worker->epoch)
      ledger_settle(&worker->ledger, item->tag);
    return;
  }
  bool recorded = item->refused; /* recording its refusal failed: hold it without */
  item->refused = true;
  item->cause = *err;
  item->verdict = BUS_PARK;
  if (outcome != BATCH_DATA)
    intake_put_off(worker, item);
  if (recorded && item->epoch == worker->epoch) {
    publish_hold(worker, item);
    publish_held(worker, bus_monotonic());
  }
}

static bool process(struct bus_worker *worker, struct item **items, size_t count);

static bool process_halves(struct bus_worker *worker, struct item **items, size_t count, enum batch_outcome outcome,
                           const struct bus_error *err) {
  if (count == 0)
    return true; /* housekeeping: its next turn comes */
  if (count > 1)
    return process(worker, items, count / 2) && process(worker, items + count / 2, count - count / 2);
  bool final = items[0]->refused || !is_delivery(items[0]) || !worker->service->store;
  condemn(worker, items[0], outcome, err);
  return final || process(worker, items, 1);
}

/* False: the links are gone or the worker stops; what is not settled comes again. */
static bool process(struct bus_worker *worker, struct item **items, size_t count) {
  struct bus_error err;
  for (int tries = 1;; tries++) {
    enum batch_outcome outcome = attempt_once(worker, items, count, &err);
    if (outcome == BATCH_COMMITTED)
      return true;
    if (outcome == BATCH_LOST) {
      if (!recover(worker, &err))
        return false;
      tries = 0;
      continue;
    }
    bus_log(BUS_WARN, "batch rolled back", BUS_F_STR("error", bus_error_name(err.code)), BUS_F_STR("cause", err.text),
            BUS_F_INT("size", count), BUS_F_INT("try", tries));
    if (outcome != BATCH_CONFLICT || tries >= CONFLICT_TRIES)
      return process_halves(worker, items, count, outcome, &err);
    pause_a_moment(worker);
  }
}

/* Counted before it is tried, in a transaction of its own: a crash leaves the count behind. */
static bool count_suspect(struct bus_worker *worker, struct item *item) {
  struct bus_error err;
  bus_arena_reset(worker->work);
  struct bus_args *args = pg_add_own(pg_begin_trip(worker->pg, worker->work), SQL_SUSPECT_COUNT);
  bus_args_uuid(args, &item->envelope.message_id);
  if (!batch_trip(worker, &err))
    return false;
  item->suspect = true;
  int64_t tries = bus_rows_int64(pg_rows(worker->pg, 0), 0, 0);
  pg_end_trip(worker->pg);
  if (tries > SUSPECT_TRIES && !item->refused) {
    item->refused = true;
    item->verdict = BUS_PARK;
    (void)bus_fail(&item->cause, BUS_E_CRASHED, "tried alone %d times and never finished", SUSPECT_TRIES);
  }
  return true;
}

void batch_process(struct bus_worker *worker, struct item **items, size_t count) {
  if (worker->settings.latency_ms > 0) {
    int64_t until = bus_monotonic() + worker->settings.latency_ms * BUS_MILLISECOND;
    while (bus_monotonic() < until && !worker_stopping(worker))
      worker_pump(worker, until);
  }
  bool one_by_one = worker->suspect && count == 1 && is_delivery(items[0]) && worker->service->store &&
                    !bus_uuid_is_nil(&items[0]->envelope.message_id);
  if (one_by_one && !count_suspect(worker, items[0]))
    bus_log(BUS_WARN, "a redelivered message could not be counted; it is tried all the same");
  for (size_t i = 0; i < count; i++)
    intake_decode(worker, items[i]);
  if (process(worker, items, count))
    ack_settled(worker);
}

/* ---- when nothing has arrived ---- */

static bool quiet_is_due(const struct bus_worker *worker, int64_t now) {
  return (worker->confirmed.count > 0 || worker->unroutable.count > 0) &&
         now - worker->last_work_at >= worker->settings.quiet_ms * BUS_MILLISECOND;
}

/* A batch without inputs: the same two trips, for periodics, the sweeper and confirmed rows. */
void batch_idle(struct bus_worker *worker) {
  int64_t now = bus_monotonic();
  publish_held(worker, now);
  ack_settled(worker);
  if (!periodic_is_due(worker) && !quiet_is_due(worker, now))
    return;
  (void)process(worker, NULL, 0);
}

int64_t batch_next_deadline(const struct bus_worker *worker) {
  int64_t next = periodic_next(worker);
  int64_t held = publish_held_next(worker);
  int64_t quiet = worker->last_work_at + worker->settings.quiet_ms * BUS_MILLISECOND;
  if (held < next)
    next = held;
  if ((worker->confirmed.count > 0 || worker->unroutable.count > 0) && quiet < next)
    next = quiet;
  return next;
}
