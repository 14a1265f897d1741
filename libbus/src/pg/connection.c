/* One Postgres connection in pipeline mode: connecting, preparing, and trips of statements. */
#include "pg.h"

#include "args.h"
#include "rows.h"
#include "session.h"
#include "start.h"
#include "trip.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_MAX_LEN = 24 };

struct pg {
  PGconn *conn;
  struct pg_settings settings;
  enum pg_state state;
  PostgresPollingStatusType polling;
  bool preparing;
  bool refused; /* a statement, while it was prepared */
  bool pooled;
  struct bus_sql sql;
  struct bus_rows results[TRIP_MAX + 1];
  size_t received;          /* results of this trip so far */
  long failed_at;           /* statement that failed first; -1: none, or not known */
  struct bus_error failure; /* the trip's first, or why it is dead */
  short wants_write;
};

static void name_of(size_t registry, size_t index, char name[NAME_MAX_LEN]) {
  (void)snprintf(name, NAME_MAX_LEN, "%c%zu", registry == PG_OWN ? 'b' : 's', index);
}

/* Drops notices, which are for interactive use; by default libpq prints them. */
static void ignore_notice(void *context, const PGresult *result) {
  (void)context;
  (void)result;
}

static void die(struct pg *pg, const char *what) {
  const char *text = pg->conn ? PQerrorMessage(pg->conn) : "";
  size_t len = strcspn(text, "\n");
  (void)bus_fail(&pg->failure, BUS_E_DB_CONNECTION, "%s: %.*s", what, (int)len, text);
  pg->state = PG_DEAD;
}

bool pg_new(const struct pg_settings *settings, struct pg **ret, struct bus_error *err) {
  struct pg *pg = calloc(1, sizeof *pg);
  if (!pg)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a database connection");
  pg->settings = *settings;
  pg->conn = pg_start(settings, &pg->failure);
  pg->polling = PGRES_POLLING_WRITING;
  if (pg->conn)
    (void)PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
  if (pg->failure.code != BUS_OK)
    pg->state = PG_DEAD;
  else if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD)
    die(pg, "cannot connect to the database");
  *ret = pg;
  return true;
}

void pg_free(struct pg *pg) {
  if (!pg)
    return;
  pg_end_trip(pg);
  PQfinish(pg->conn);
  free(pg);
}

enum pg_state pg_state(const struct pg *pg) {
  return pg->state;
}

bool pg_is_refused(const struct pg *pg) {
  return pg->refused;
}

int pg_fd(const struct pg *pg) {
  return pg->conn && pg->state != PG_DEAD ? PQsocket(pg->conn) : -1;
}

const char *pg_database(const struct pg *pg) {
  return PQdb(pg->conn);
}

bool pg_is_pooled(const struct pg *pg) {
  return pg->pooled;
}

short pg_events(const struct pg *pg) {
  if (pg->state == PG_CONNECTING && !pg->preparing)
    return pg->polling == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
  return (short)(POLLIN | pg->wants_write);
}

void pg_give_up(struct pg *pg, const char *why) {
  (void)bus_fail(&pg->failure, BUS_E_DB_CONNECTION, "%s", why);
  pg->state = PG_DEAD;
}

void pg_error(const struct pg *pg, struct bus_error *err) {
  if (err)
    *err = pg->failure;
}

/* ---- preparing ---- */

static bool send_prepare(struct pg *pg, size_t registry, size_t index) {
  const struct bus_statement *statement = &pg->settings.registries[registry].statements[index];
  Oid types[PG_PARAMS_MAX];
  char name[NAME_MAX_LEN];
  int count = pg_letter_types(statement->params, types);
  name_of(registry, index, name);
  return PQsendPrepare(pg->conn, name, statement->sql, count, types) == 1;
}

static bool send_text(struct pg *pg, const char *sql) {
  return PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
}

static void flush(struct pg *pg) {
  int left = PQflush(pg->conn);
  if (left < 0)
    die(pg, "cannot send to the database");
  else
    pg->wants_write = left ? POLLOUT : 0;
}

static bool send_preparations(struct pg *pg) {
  bool sent = PQsetnonblocking(pg->conn, 1) == 0 && PQenterPipelineMode(pg->conn) == 1 &&
              send_text(pg, pg_session_set) && send_text(pg, pg_session_check);
  for (size_t r = 0; r < PG_REGISTRIES; r++)
    for (size_t i = 0; i < pg->settings.registries[r].count; i++)
      sent = sent && send_prepare(pg, r, i);
  return sent && PQpipelineSync(pg->conn) == 1;
}

static void begin_preparing(struct pg *pg) {
  if (!send_preparations(pg)) {
    die(pg, "cannot prepare the database session");
    return;
  }
  pg->received = 0;
  pg->preparing = true;
  flush(pg);
}

static void advance_connecting(struct pg *pg) {
  pg->polling = PQconnectPoll(pg->conn);
  if (pg->polling == PGRES_POLLING_FAILED)
    die(pg, "cannot connect to the database");
  else if (pg->polling == PGRES_POLLING_OK)
    begin_preparing(pg);
}

/* ---- receiving ---- */

/* The statement whose preparation was answered; NULL: a setting of the session. */
static const struct bus_statement *prepared_statement(const struct pg *pg, size_t *ret_registry, size_t *ret_index) {
  if (!pg->preparing || pg->received < PG_SESSION_STATEMENTS)
    return NULL;
  *ret_index = pg->received - PG_SESSION_STATEMENTS;
  for (*ret_registry = 0; *ret_registry < PG_REGISTRIES; ++*ret_registry) {
    const struct bus_registry *registry = &pg->settings.registries[*ret_registry];
    if (*ret_index < registry->count)
      return &registry->statements[*ret_index];
    *ret_index -= registry->count;
  }
  return NULL;
}

/* Class 42 of Postgres's Appendix A is for a statement that does not fit the schema. A grant that is missing (42501)
 * may come while the service waits. */
static bool is_wrong_statement(const char *sqlstate) {
  return sqlstate && strncmp(sqlstate, "42", 2) == 0 && strcmp(sqlstate, "42501") != 0;
}

/* Which statement it was, and what to do: without it nobody knows whether the service or the database is wrong. */
static void blame_statement(struct pg *pg, const char *sqlstate) {
  size_t registry, index;
  const struct bus_statement *statement = prepared_statement(pg, &registry, &index);
  if (statement && bus_error_class(pg->failure.code) == BUS_CLASS_FAULT && is_wrong_statement(sqlstate)) {
    pg->refused = true;
    (void)bus_error_wrap(&pg->failure,
                         "the database refuses statement %zu of the %s, \"%.60s\": correct it, or deploy the "
                         "migration that it needs",
                         index, registry == PG_OWN ? "library" : "service", statement->sql);
  }
}

static void note_failure(struct pg *pg, const PGresult *result) {
  if (pg->failure.code != BUS_OK)
    return;
  const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
  pg->failed_at = pg->preparing ? -1 : (long)pg->received;
  if (pg->pooled && pg_session_pooler_error(sqlstate, pg->preparing, &pg->failure))
    return;
  (void)bus_fail(&pg->failure, pg_errc_of(sqlstate), "SQLSTATE %s: %s%s%s", sqlstate ? sqlstate : "none",
                 primary ? primary : PQresultErrorMessage(result), constraint ? ", constraint " : "",
                 constraint ? constraint : "");
  blame_statement(pg, sqlstate);
}

/* The answer to pg_session_check. */
static void take_session(struct pg *pg, const PGresult *result) {
  if (PQntuples(result) != 1 || PQnfields(result) != 3)
    return;
  const struct pg_session session = {
      .pid = PQgetvalue(result, 0, 0), .differ = PQgetvalue(result, 0, 1), .unsafe = PQgetvalue(result, 0, 2)};
  pg->pooled = strtol(session.pid, NULL, 10) != PQbackendPID(pg->conn);
  if (pg->failure.code == BUS_OK && !pg_session_is_good(&session, pg->settings.allow_unsafe, &pg->failure))
    pg->failed_at = -1; /* no statement of a trip */
}

static void take_result(struct pg *pg, PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_FATAL_ERROR)
    note_failure(pg, result);
  bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  if (pg->preparing && status == PGRES_TUPLES_OK && pg->received + 1 == PG_SESSION_STATEMENTS)
    take_session(pg, result);
  if (good && !pg->preparing && pg->received < TRIP_MAX)
    pg->results[pg->received].result = result;
  else
    PQclear(result);
  pg->received++;
}

static void finish_sync(struct pg *pg) {
  if (!pg->preparing) {
    pg->state = PG_DONE;
    return;
  }
  pg->preparing = false;
  pg->state = PG_IDLE;
  if (pg->failure.code != BUS_OK) {
    if (bus_error_class(pg->failure.code) != BUS_CLASS_FATAL && !pg->refused)
      (void)bus_error_wrap(&pg->failure, "the database session cannot be prepared");
    pg->state = PG_DEAD;
  }
}

/* Each statement gives its result and a NULL; the Sync gives a result of its own with no NULL behind it. */
static void receive(struct pg *pg) {
  int separators = 0;
  while (pg->state == PG_BUSY || pg->preparing) {
    if (PQisBusy(pg->conn))
      return;
    PGresult *result = PQgetResult(pg->conn);
    if (!result) {
      if (++separators > 2) { /* libpq has no further result, although a Sync is outstanding */
        die(pg, "connection to the database out of step");
        return;
      }
      continue;
    }
    separators = 0;
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
      PQclear(result);
      finish_sync(pg);
      return;
    }
    take_result(pg, result);
    if (PQstatus(pg->conn) == CONNECTION_BAD) {
      die(pg, "connection to the database lost");
      return;
    }
  }
}

void pg_advance(struct pg *pg) {
  if (pg->state == PG_DEAD)
    return;
  if (pg->state == PG_CONNECTING && !pg->preparing) {
    advance_connecting(pg);
    return;
  }
  if (!PQconsumeInput(pg->conn)) {
    die(pg, "connection to the database lost");
    return;
  }
  flush(pg);
  if (pg->state != PG_DEAD)
    receive(pg);
}

/* ---- trips ---- */

struct bus_sql *pg_begin_trip(struct pg *pg, struct bus_arena *arena) {
  pg_end_trip(pg);
  pg->failed_at = -1;
  bus_sql_init(&pg->sql, arena, pg->settings.registries);
  return &pg->sql;
}

static bool send_statement(struct pg *pg, const struct bus_args *args) {
  const char *values[PG_PARAMS_MAX];
  int lengths[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
  char name[NAME_MAX_LEN];
  for (size_t i = 0; i < args->param_count; i++) {
    const struct pg_param *param = &args->params[i];
    values[i] = param->null ? NULL : param->data;
    lengths[i] = (int)param->len;
    formats[i] = 1;
  }
  name_of(args->registry, args->index, name);
  return PQsendQueryPrepared(pg->conn, name, (int)args->param_count, values, lengths, formats, 1) == 1;
}

static bool finish_parameters(const struct bus_sql *sql, struct bus_error *err) {
  char name[NAME_MAX_LEN];
  if (sql->failed)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for statement %zu, over %d in one trip, or not in the registry",
                    sql->count, TRIP_MAX);
  for (struct bus_args *args = sql->first; args; args = args->after) {
    if (pg_args_finish(args))
      continue;
    name_of(args->registry, args->index, name);
    if (args->misused)
      return pg_args_misuse(args, err);
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the parameters of statement %s", name);
  }
  return true;
}

bool pg_send_trip(struct pg *pg, struct bus_error *err) {
  return pg_send(pg, &pg->sql, err);
}

bool pg_send(struct pg *pg, const struct bus_sql *sql, struct bus_error *err) {
  if (!finish_parameters(sql, err))
    return false;
  if (pg->state == PG_DEAD) {
    pg_error(pg, err);
    return false;
  }
  if (pg->state != PG_IDLE)
    return bus_fail(err, BUS_E_DB_CONNECTION, "not connected to the database");
  pg->failure = (struct bus_error){.code = BUS_OK};
  pg->received = 0;
  pg->failed_at = -1;
  for (const struct bus_args *args = sql->first; args; args = args->after)
    if (!send_statement(pg, args)) {
      die(pg, "cannot send to the database");
      break;
    }
  if (pg->state != PG_DEAD && PQpipelineSync(pg->conn) != 1)
    die(pg, "cannot send to the database");
  if (pg->state != PG_DEAD) {
    pg->state = PG_BUSY;
    flush(pg);
  }
  if (pg->state == PG_DEAD)
    pg_error(pg, err);
  return pg->state != PG_DEAD;
}

const struct bus_rows *pg_rows(const struct pg *pg, size_t index) {
  return index < TRIP_MAX && pg->results[index].result ? &pg->results[index] : NULL;
}

const char *pg_tag(const struct pg *pg, size_t index) {
  const struct bus_rows *rows = pg_rows(pg, index);
  return rows ? PQcmdStatus(rows->result) : "";
}

const char *pg_last_tag(const struct pg *pg) {
  size_t last = pg->received;
  while (last > 0 && !pg_rows(pg, last - 1))
    last--;
  return last > 0 ? pg_tag(pg, last - 1) : "";
}

bool pg_failed(const struct pg *pg, struct bus_error *err) {
  if (pg->failure.code == BUS_OK)
    return false;
  if (err)
    *err = pg->failure;
  return true;
}

long pg_failed_at(const struct pg *pg) {
  return pg->failed_at;
}

bool pg_in_transaction(const struct pg *pg) {
  PGTransactionStatusType status = PQtransactionStatus(pg->conn);
  return pg->state != PG_DEAD && (status == PQTRANS_INERROR || status == PQTRANS_INTRANS);
}

void pg_end_trip(struct pg *pg) {
  for (size_t i = 0; i < TRIP_MAX; i++) {
    PQclear(pg->results[i].result);
    pg->results[i].result = NULL;
  }
  pg->sql = (struct bus_sql){0};
  if (pg->state == PG_DONE)
    pg->state = PG_IDLE;
}
