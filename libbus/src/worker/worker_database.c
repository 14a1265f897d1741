/* The link to Postgres: connecting, the check of the schema, trips and their answers. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdio.h>

#define CONNECT_PATIENCE (5 * BUS_SECOND)
enum { ROWS_MAX = 64 };

static const struct bus_statement schema_statement = {
    "SELECT EXISTS (SELECT FROM sqitch.changes WHERE project = $1 AND change = $2)", "tt"};

/* ---- connecting ---- */

void database_open(struct bus_worker *worker) {
  struct database *database = &worker->database;
  bool check = !database->checked && worker->settings.schema_project;
  struct pg_settings settings = {.url = worker->settings.database_url,
                                 .url_file = worker->settings.database_url_file,
                                 .dns_server = worker->settings.dns_server,
                                 .application_name = worker->service->name,
                                 .first_host = database->first_host,
                                 .allow_unsafe = worker->settings.allow_unsafe_database};
  settings.registries[PG_OWN] =
      check ? (struct bus_registry){&schema_statement, 1} : (struct bus_registry){database->own, BUS_OWN_STATEMENTS};
  if (!check)
    settings.registries[PG_SERVICE] =
        (struct bus_registry){worker->service->statements, worker->service->statement_count};
  database->refused = (database->was_up && WORKER_ERROR_POINT(worker, "reconnect-database"))
                          ? !bus_fail(&database->error, BUS_E_DB_CONNECTION, "failpoint")
                          : !pg_new(&settings, &database->pg, &database->error);
  database->stage = database->refused ? DATABASE_CLOSED : check ? DATABASE_CHECKING : DATABASE_OPENING;
  database->deadline = bus_monotonic() + CONNECT_PATIENCE;
}

void database_close(struct bus_worker *worker) {
  pg_free(worker->database.pg);
  worker->database.pg = NULL;
  worker->database.stage = DATABASE_CLOSED;
  worker->trip.under_way = worker->trip.refused = false;
  atomic_store(&worker->seen.database, BUS_LINK_DOWN);
}

static void schema_is_missing(struct bus_worker *worker, const char *what) {
  (void)bus_fail(&worker->fatal, BUS_E_SCHEMA,
                 "database of %s: migration %s of project %s is missing (%s): deploy it "
                 "with sqitch before this version starts",
                 worker->service->name, worker->settings.schema_change, worker->settings.schema_project, what);
}

static void tell_down(struct bus_worker *worker, const struct bus_error *why) {
  const struct bus_error error = *why;
  database_close(worker);
  loop_step(worker, &(struct bus_pipeline_event){.kind = BUS_ON_DATABASE_DOWN, .error = &error});
}

/* True: its answer is awaited. */
static bool ask_schema(struct bus_worker *worker, struct bus_arena *arena, struct bus_error *err) {
  struct bus_args *args = pg_add_own(pg_begin_trip(worker->database.pg, arena), 0);
  bus_args_text(args, bus_str(worker->settings.schema_project));
  bus_args_text(args, bus_str(worker->settings.schema_change));
  return pg_send_trip(worker->database.pg, err);
}

static void send_schema_question(struct bus_worker *worker) {
  struct bus_error err;
  struct bus_arena *arena = bus_arena_new(1 << 16);
  bool sent = arena ? ask_schema(worker, arena, &err) : bus_fail(&err, BUS_E_NOMEM, "out of memory");
  bus_arena_free(arena); /* libpq has copied the parameters */
  if (!sent)
    tell_down(worker, &err);
}

/* On a connection of its own; the next one prepares all statements. */
static void read_schema_answer(struct bus_worker *worker) {
  struct database *database = &worker->database;
  struct bus_error err;
  if (pg_failed(database->pg, &err)) {
    tell_down(worker, &err);
    return;
  }
  if (!bus_rows_bool(pg_rows(database->pg, 0), 0, 0))
    schema_is_missing(worker, "the database is older");
  database->checked = true;
  database_close(worker);
  if (worker->fatal.code == BUS_OK)
    database_open(worker);
}

static void tell_dead(struct bus_worker *worker) {
  struct database *database = &worker->database;
  struct bus_error err;
  pg_error(database->pg, &err);
  if (database->stage == DATABASE_CHECKING && err.code == BUS_E_DB_SCHEMA)
    schema_is_missing(worker, err.text);
  else if (!database->was_up && (bus_error_class(err.code) == BUS_CLASS_FATAL || pg_is_refused(database->pg)))
    worker->fatal = err;
  tell_down(worker, &err);
}

static bool tell_connecting(struct bus_worker *worker) {
  struct database *database = &worker->database;
  struct bus_error err;
  if (bus_monotonic() <= database->deadline)
    return false;
  (void)bus_fail(&err, BUS_E_DB_CONNECTION, "no connection within 5 s");
  database->first_host++; /* libpq would wait for the same one again */
  tell_down(worker, &err);
  return true;
}

static void tell_up(struct bus_worker *worker) {
  struct database *database = &worker->database;
  database->stage = DATABASE_UP;
  database->was_up = true;
  (void)snprintf(database->name, sizeof database->name, "%s", pg_database(database->pg));
  atomic_store(&worker->seen.database, BUS_LINK_UP);
  struct bus_pipeline_event event = {.kind = BUS_ON_DATABASE_UP};
  event.database.pooled = pg_is_pooled(database->pg);
  loop_step(worker, &event);
}

/* ---- trips ---- */

/* Faults of test builds before a trip. True: it fails. */
static bool fails_before(struct bus_worker *worker, const struct bus_pipeline_action *action, struct bus_error *err) {
  int fd = pg_fd(worker->database.pg);
  (void)fd;
  if (action->trip.purpose == BUS_TRIP_QUERY && BUS_FAIL_POINT("query.before-trip", fd))
    return !bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
  if (!action->trip.inputs)
    return false;
  if (action->trip.purpose == BUS_TRIP_1 && BUS_FAIL_POINT("worker.before-trip-1", fd))
    return !bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
  if (action->trip.purpose != BUS_TRIP_2)
    return false;
  if (action->trip.deadlines)
    BUS_CRASH_POINT("worker.deadline-decided");
  if (action->trip.completions)
    BUS_CRASH_POINT("worker.completion-decided");
  if (BUS_FAIL_POINT("worker.after-decide", fd))
    return !bus_fail(err, BUS_E_NOMEM, "failpoint");
  return BUS_FAIL_POINT("worker.before-trip-2", fd) && !bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
}

void database_send(struct bus_worker *worker, const struct bus_pipeline_action *action) {
  struct database *database = &worker->database;
  struct trip *trip = &worker->trip;
  *trip = (struct trip){.under_way = true, .inputs = action->trip.inputs, .kind = action->trip.purpose};
  trip->refused = fails_before(worker, action, &trip->error) || !pg_send(database->pg, action->trip.sql, &trip->error);
  if (!trip->refused && trip->inputs && trip->kind == BUS_TRIP_2 &&
      BUS_FAIL_POINT("worker.commit-sent", pg_fd(database->pg)))
    pg_give_up(database->pg, "failpoint");
}

/* Faults of test builds after a trip. True: it has failed. */
static bool fails_after(struct bus_worker *worker, struct bus_error *err) {
  int fd = pg_fd(worker->database.pg);
  (void)fd;
  switch (worker->trip.kind) {
  case BUS_TRIP_QUERY:
    if (BUS_FAIL_POINT("query.after-trip", fd))
      return !bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
    BUS_CUT_POINT("query.after-commit", worker_fd(worker->broker.publishing));
    return false;
  case BUS_TRIP_1:
    return worker->trip.inputs && BUS_FAIL_POINT("worker.after-trip-1", fd) &&
           !bus_fail(err, BUS_E_DB_CONFLICT, "failpoint");
  case BUS_TRIP_2:
    if (worker->trip.inputs)
      BUS_CUT_POINT("worker.after-commit", worker_fd(worker->broker.publishing));
    return false;
  case BUS_TRIP_SUSPECT:
    BUS_CRASH_POINT("worker.suspect-counted");
    return false;
  default:
    return false;
  }
}

static void tell_trip(struct bus_worker *worker) {
  struct pg *pg = worker->database.pg;
  const struct bus_rows *rows[ROWS_MAX];
  struct bus_trip_result result = {.rows = rows, .tag = "", .failed_at = -1, .error = {.code = BUS_OK}};
  bool dead = pg_state(pg) == PG_DEAD;
  for (; result.count < ROWS_MAX; result.count++)
    rows[result.count] = pg_rows(pg, result.count);
  if (dead)
    pg_error(pg, &result.error);
  else if (worker->trip.refused)
    result.error = worker->trip.error;
  else if (pg_failed(pg, &result.error))
    result.failed_at = pg_failed_at(pg);
  else if (fails_after(worker, &result.error))
    result.failed_at = -1;
  else
    result.tag = pg_last_tag(pg);
  result.dead = dead || pg_state(pg) == PG_DEAD;
  result.in_transaction = !result.dead && pg_in_transaction(pg);
  bool failed = result.dead || result.error.code != BUS_OK;
  worker->trip.under_way = worker->trip.refused = false;
  loop_step(worker,
            &(struct bus_pipeline_event){.kind = failed ? BUS_ON_TRIP_FAILED : BUS_ON_TRIP_DONE, .trip = &result});
}

/* ---- what is new ---- */

bool database_tell(struct bus_worker *worker) {
  struct database *database = &worker->database;
  if (database->refused) {
    database->refused = false;
    tell_down(worker, &database->error);
    return true;
  }
  if (!database->pg)
    return false;
  enum pg_state state = pg_state(database->pg);
  if (worker->trip.under_way) {
    if (state == PG_BUSY && !worker->trip.refused)
      return false;
    tell_trip(worker);
    return true;
  }
  if (state == PG_DEAD) {
    tell_dead(worker);
    return true;
  }
  if (database->stage == DATABASE_UP || state == PG_BUSY)
    return false;
  if (state == PG_CONNECTING)
    return tell_connecting(worker);
  if (database->stage == DATABASE_CHECKING && state == PG_IDLE)
    send_schema_question(worker);
  else if (database->stage == DATABASE_CHECKING)
    read_schema_answer(worker);
  else
    tell_up(worker);
  return true;
}
