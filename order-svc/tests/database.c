/* The store against a real Postgres, as the worker drives it. */
#include "database.h"

#include "order_queries.h"
#include "order_statements.h"
#include "order_store.h"
#include "saga.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <test.h>

enum { OWN_BEGIN, OWN_COMMIT, OWN_ROLLBACK };
enum { LOCK_STATEMENTS = 7 };
static const struct bus_statement own[] = {{"BEGIN", ""}, {"COMMIT", ""}, {"ROLLBACK", ""}};

const char *database_ask(const struct migrated *database, const char *sql, char *text, size_t size) {
  size_t len = 0;
  PGresult *result = PQexec(database->admin, sql);
  if (PQresultStatus(result) != PGRES_TUPLES_OK)
    fail_msg("%s: %s", sql, PQerrorMessage(database->admin));
  text[0] = '\0';
  for (int row = 0; row < PQntuples(result); row++) {
    int wrote = snprintf(text + len, size - len, "%s\n", PQgetvalue(result, row, 0));
    assert_true(wrote > 0 && (size_t)wrote < size - len);
    len += (size_t)wrote;
  }
  PQclear(result);
  return text;
}

/* ---- a connection ---- */

static void await(struct link *link, enum pg_state busy) {
  while (pg_state(link->pg) == busy) {
    struct pollfd entry = {.fd = pg_fd(link->pg), .events = pg_events(link->pg)};
    assert_true(poll(&entry, 1, 20000) > 0);
    pg_advance(link->pg);
  }
}

static struct link *open_with(const struct migrated *database, struct bus_registry registry) {
  static const uint64_t seed[4] = {5, 6, 7, 8};
  char url[512];
  struct link *link = calloc(1, sizeof *link);
  assert_non_null(link);
  migrated_url(database, url, sizeof url);
  const struct pg_settings settings = {
      .url = url, .application_name = "order-svc", .registries = {{own, BUS_COUNT(own)}, registry}};
  link->arena = bus_arena_new(256 << 20);
  assert_non_null(link->arena);
  link->context.policy = saga_policy;
  link->context.unpaid = (struct order_unpaid_limits){.all = 10000, .of_customer = 5};
  link->now = SAGA_START;
  bus_uuid_source_init(&link->ids, seed);
  if (!pg_new(&settings, &link->pg, &link->error))
    fail_msg("%s", link->error.text);
  await(link, PG_CONNECTING);
  if (pg_state(link->pg) != PG_IDLE) {
    pg_error(link->pg, &link->error);
    fail_msg("%s", link->error.text);
  }
  return link;
}

struct link *link_open(const struct migrated *database) {
  assert_true(order_statements_make());
  return open_with(database, (struct bus_registry){order_statements, ORDER_STATEMENTS});
}

struct link *link_open_queries(const struct migrated *database) {
  assert_true(order_statements_make());
  return open_with(database, (struct bus_registry){order_query_statements, ORDER_QUERY_STATEMENTS});
}

void link_close(struct link *link) {
  pg_free(link->pg);
  bus_arena_free(link->arena);
  free(link);
}

struct bus_envelope *link_add(struct link *link, const struct bus_message_type *type, const void *body) {
  assert_true(link->input_count < BUS_COUNT(link->inputs));
  struct bus_envelope *envelope = &link->envelopes[link->input_count];
  *envelope = (struct bus_envelope){.type = bus_str(type->type), .reply_to = BUS_STR("edge.reply.1")};
  bus_uuid_v7(&link->ids, BUS_SECOND, &envelope->message_id);
  link->inputs[link->input_count++] =
      (struct bus_input){.kind = BUS_INPUT_DELIVERY, .type = type, .envelope = envelope, .body = body};
  return envelope;
}

/* ---- a batch ---- */

static void finish_trip(struct link *link) {
  await(link, PG_BUSY);
  assert_int_equal(pg_state(link->pg), PG_DONE);
}

static bool roll_back(struct link *link) {
  struct bus_error err;
  pg_end_trip(link->pg);
  (void)pg_add_own(pg_begin_trip(link->pg, link->arena), OWN_ROLLBACK);
  assert_true(pg_send_trip(link->pg, &err));
  finish_trip(link);
  pg_end_trip(link->pg);
  return false;
}

void link_send_lock(struct link *link) {
  bus_arena_reset(link->arena);
  struct bus_sql *sql = pg_begin_trip(link->pg, link->arena);
  (void)pg_add_own(sql, OWN_BEGIN);
  assert_true(order_lock(&link->context, link->inputs, link->input_count, link->arena, sql, &link->model));
  link->lock_count = pg_trip_count(sql) - 1;
  assert_true(link->lock_count <= LOCK_STATEMENTS);
  assert_true(pg_send_trip(link->pg, &link->error));
}

bool link_finish_lock(struct link *link) {
  finish_trip(link);
  if (pg_failed(link->pg, &link->error))
    return roll_back(link);
  const struct bus_rows *rows[LOCK_STATEMENTS];
  size_t count = 0;
  for (; count < link->lock_count; count++)
    rows[count] = pg_rows(link->pg, 1 + count);
  if (!order_load(link->model, rows, count, &link->error))
    return roll_back(link);
  pg_end_trip(link->pg);
  return true;
}

static void decide_with(struct link *link, void (*decide)(void *, const struct bus_input *, struct bus_effects *)) {
  bus_effects_init(&link->effects, link->arena, &link->ids, link->now, "order-svc");
  for (size_t i = 0; i < link->input_count; i++) {
    bus_effects_begin(&link->effects, &link->inputs[i]);
    decide(link->model, &link->inputs[i], &link->effects);
    assert_int_equal(bus_effects_end(&link->effects), BUS_DONE);
  }
  assert_false(link->effects.failed);
  link->input_count = 0;
}

void link_decide(struct link *link) {
  decide_with(link, order_decide_input);
}

bool link_store(struct link *link) {
  struct bus_sql *sql = pg_begin_trip(link->pg, link->arena);
  assert_true(order_store(link->model, sql));
  (void)pg_add_own(sql, OWN_COMMIT);
  assert_true(pg_send_trip(link->pg, &link->error));
  finish_trip(link);
  if (pg_failed(link->pg, &link->error))
    return roll_back(link);
  pg_end_trip(link->pg);
  return true;
}

bool link_run(struct link *link) {
  link_send_lock(link);
  if (!link_finish_lock(link))
    return false;
  link_decide(link);
  return link_store(link);
}

static struct bus_args *begin_statement(struct link *link, size_t statement) {
  if (pg_state(link->pg) == PG_DONE)
    pg_end_trip(link->pg);
  return bus_sql_add(pg_begin_trip(link->pg, link->arena), statement);
}

static const struct bus_rows *rows_of_it(struct link *link) {
  assert_true(pg_send_trip(link->pg, &link->error));
  finish_trip(link);
  if (pg_failed(link->pg, &link->error))
    fail_msg("%s", link->error.text);
  return pg_rows(link->pg, 0);
}

const struct bus_rows *link_statement(struct link *link, size_t statement, int64_t number) {
  bus_args_int64(begin_statement(link, statement), number);
  return rows_of_it(link);
}

const struct bus_rows *link_statement_of(struct link *link, size_t statement, const int64_t *numbers, size_t count) {
  struct bus_args *args = begin_statement(link, statement);
  for (size_t i = 0; i < count; i++)
    bus_args_int64(args, numbers[i]);
  return rows_of_it(link);
}

void link_query(struct link *link) {
  const struct bus_rows *rows[ASK_KINDS];
  size_t count = 0;
  bus_arena_reset(link->arena);
  struct bus_sql *sql = pg_begin_trip(link->pg, link->arena);
  assert_true(order_query_lock(NULL, link->inputs, link->input_count, link->arena, sql, &link->model));
  size_t queued = pg_trip_count(sql);
  assert_true(pg_send_trip(link->pg, &link->error));
  finish_trip(link);
  if (pg_failed(link->pg, &link->error))
    fail_msg("%s", link->error.text);
  for (; count < queued; count++)
    rows[count] = pg_rows(link->pg, count);
  assert_true(order_query_load(link->model, rows, count, &link->error));
  pg_end_trip(link->pg);
  decide_with(link, order_query_decide);
}

struct bus_str link_said(const struct link *link, size_t n) {
  for (const struct bus_effect *effect = link->effects.first; effect; effect = effect->next)
    if (effect->kind != BUS_EFFECT_ACTION && n-- == 0)
      return effect->body;
  return BUS_NO_STR;
}

void database_assert_says(const struct migrated *database, const char *sql, const char *expected) {
  static char text[4096];
  assert_string_equal(database_ask(database, sql, text, sizeof text), expected);
}

void link_tell(struct link *link, const struct bus_message_type *type, const void *body) {
  (void)link_add(link, type, body);
  link->now += BUS_SECOND;
  if (!link_run(link))
    fail_msg("%s", link->error.text);
}
