/* The statements of a program in a real Postgres: prepared, described, and planned with the rights of the login's role.
 */
#include <bus/pipeline.h>
#include <bus/testing.h>

#include "../src/pg/complete.h"
#include "../src/pg/letters.h"
#include "../src/pg/pg.h"
#include "../src/pg/session.h"

#include <stdio.h>
#include <string.h>

static const char name[] = "checked";

struct check {
  PGconn *connection;
  const char *service;
  const struct bus_statement *statement;
  size_t index;
  struct bus_error *err;
};

/* ---- one statement ---- */

static bool refuse(const struct check *check, const PGresult *result) {
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return bus_fail(check->err, pg_errc_of(state), "statement %zu of %s, \"%.40s\": SQLSTATE %s: %s", check->index,
                  check->service, check->statement->sql, state ? state : "?",
                  message ? message : PQerrorMessage(check->connection));
}

/* Takes the result. */
static bool is_good(const struct check *check, PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || refuse(check, result);
  PQclear(result);
  return good;
}

static bool columns_are_readable(const struct check *check, const PGresult *described) {
  for (int i = 0; i < PQnfields(described); i++)
    if (!pg_type_is_readable(PQftype(described, i)))
      return bus_fail(check->err, BUS_E_INVALID,
                      "statement %zu of %s, \"%.40s\": column %s is of a type that bus/sql.h does not read: cast it to "
                      "uuid, bigint, text, timestamptz, bytea or boolean, or to an array of one of them",
                      check->index, check->service, check->statement->sql, PQfname(described, i));
  return true;
}

static bool describe(const struct check *check) {
  PGresult *described = PQdescribePrepared(check->connection, name);
  bool good =
      PQresultStatus(described) == PGRES_COMMAND_OK ? columns_are_readable(check, described) : refuse(check, described);
  PQclear(described);
  return good;
}

static bool is_planned(const char *sql) {
  static const char *const begins[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "("};
  for (size_t i = 0; i < BUS_COUNT(begins); i++)
    if (strncmp(sql, begins[i], strlen(begins[i])) == 0)
      return true;
  return false;
}

/* A plan asks for the rights on all tables of the statement, and carries nothing out. */
static bool plan(const struct check *check, int params) {
  char text[sizeof "EXPLAIN EXECUTE checked ()" + PG_PARAMS_MAX * sizeof "NULL, "];
  int len = snprintf(text, sizeof text, "EXPLAIN EXECUTE %s", name);
  for (int i = 0; i < params; i++)
    len +=
        snprintf(text + len, sizeof text - (size_t)len, "%sNULL%s", i == 0 ? " (" : ", ", i + 1 == params ? ")" : "");
  return !is_planned(check->statement->sql) || is_good(check, PQexec(check->connection, text));
}

static bool check_statement(const struct check *check) {
  Oid types[PG_PARAMS_MAX];
  int params = pg_letter_types(check->statement->params, types);
  return is_good(check, PQprepare(check->connection, name, check->statement->sql, params, types)) && describe(check) &&
         plan(check, params) && is_good(check, PQexec(check->connection, "DEALLOCATE checked"));
}

/* ---- all ---- */

static bool check_registry(PGconn *connection, const char *service, const struct bus_statement *statements,
                           size_t count, struct bus_error *err) {
  const struct bus_registry registry = {statements, count};
  if (!pg_registry_check(&registry, err))
    return bus_error_wrap(err, "%s", service);
  for (size_t i = 0; i < count; i++)
    if (!check_statement(&(struct check){connection, service, &statements[i], i, err}))
      return false;
  return true;
}

static bool check_service(PGconn *connection, const struct bus_service *given, enum bus_queue_kind kind,
                          const char *what, struct bus_error *err) {
  struct completed completed = {.made = 0};
  const struct bus_service *service;
  bool good = service_complete(given, NULL, kind, NULL, &completed, &service, err) &&
              (!service || check_registry(connection, what, service->statements, service->statement_count, err));
  service_uncomplete(&completed);
  return good;
}

/* The statement at BUS_OWN_SETTINGS is its driver's. */
static bool check_own(PGconn *connection, struct bus_error *err) {
  struct bus_statement own[BUS_OWN_STATEMENTS];
  memcpy(own, bus_own_statements, sizeof own);
  own[BUS_OWN_SETTINGS].sql = pg_session_set_local;
  return check_registry(connection, "libbus itself", own, BUS_OWN_STATEMENTS, err);
}

static bool check_program(PGconn *connection, const struct bus_program *program, struct bus_error *err) {
  const struct check session = {connection, "libbus itself", &(struct bus_statement){pg_session_set, ""}, 0, err};
  return is_good(&session, PQexec(connection, pg_session_set)) && check_own(connection, err) &&
         check_service(connection, program->commands, BUS_QUEUE_WORK, "commands", err) &&
         check_service(connection, program->requests, BUS_QUEUE_REQUEST, "requests", err) &&
         check_service(connection, program->queries, BUS_QUEUE_QUERY, "queries", err);
}

bool bus_test_statements(const struct bus_program *program, const char *database_url, struct bus_error *err) {
  if (!pg_url_check(database_url, err))
    return false;
  PGconn *connection = PQconnectdb(database_url);
  bool good =
      PQstatus(connection) == CONNECTION_OK
          ? check_program(connection, program, err)
          : bus_fail(err, BUS_E_DB_CONNECTION, "cannot connect to the database: %s", PQerrorMessage(connection));
  PQfinish(connection);
  return good;
}
