/* The store against a real Postgres, as the worker drives it. */
#include "store_link.h"

#include <poll.h>
#include <stdlib.h>
#include <test.h>

enum { OWN_BEGIN, OWN_COMMIT, OWN_ROLLBACK };
static const struct bus_statement own[] = {{"BEGIN", ""}, {"COMMIT", ""}, {"ROLLBACK", ""}};

int64_t link_number(const struct migrated *database, const char *sql) {
  PGresult *result = PQexec(database->admin, sql);
  if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
    fail_msg("%s: %s", sql, PQerrorMessage(database->admin));
  int64_t number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
  PQclear(result);
  return number;
}

void link_await_waiter(const struct migrated *database) {
  for (int i = 0; i < 500; i++) {
    if (link_number(database, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                              "AND wait_event_type = 'Lock'") > 0)
      return;
    (void)poll(NULL, 0, 10);
  }
  fail_msg("nobody waits for a lock");
}

/* ---- a connection ---- */

static void await(struct link *link, enum pg_state busy) {
  while (pg_state(link->pg) == busy) {
    struct pollfd entry = {.fd = pg_fd(link->pg), .events = pg_events(link->pg)};
    assert_true(poll(&entry, 1, 20000) > 0);
    pg_advance(link->pg);
  }
}

struct link *link_connect(const struct migrated *database, const struct bus_service *service) {
  static const uint64_t seed[4] = {5, 6, 7, 8};
  char url[512];
  struct link *link = calloc(1, sizeof *link);
  assert_non_null(link);
  migrated_url(database, url, sizeof url);
  const struct pg_settings settings = {
      .url = url,
      .application_name = service->name,
      .registries = {{own, BUS_COUNT(own)}, {service->statements, service->statement_count}}};
  link->service = service;
  link->now = BUS_SECOND;
  link->arena = bus_arena_new(256 << 20);
  assert_non_null(link->arena);
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

void link_disconnect(struct link *link) {
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

void link_add_due(struct link *link, const void *due) {
  assert_true(link->input_count < BUS_COUNT(link->inputs));
  link->inputs[link->input_count++] = (struct bus_input){.kind = BUS_INPUT_DEADLINE, .body = due};
}

/* ---- a batch ---- */

static void finish_trip(struct link *link) {
  await(link, PG_BUSY);
  assert_int_equal(pg_state(link->pg), PG_DONE);
}

static void roll_back(struct link *link) {
  struct bus_error err;
  pg_end_trip(link->pg);
  (void)pg_add_own(pg_begin_trip(link->pg, link->arena), OWN_ROLLBACK);
  assert_true(pg_send_trip(link->pg, &err));
  finish_trip(link);
  pg_end_trip(link->pg);
}

/* The trip of link_statement ends when its rows are not needed any more. */
static struct bus_sql *begin_batch(struct link *link) {
  if (pg_state(link->pg) == PG_DONE)
    pg_end_trip(link->pg);
  bus_arena_reset(link->arena);
  return pg_begin_trip(link->pg, link->arena);
}

void link_send_lock(struct link *link) {
  struct bus_sql *sql = begin_batch(link);
  (void)pg_add_own(sql, OWN_BEGIN);
  assert_true(link->service->lock(link->context, link->inputs, link->input_count, link->arena, sql, &link->model));
  assert_true(pg_send_trip(link->pg, &link->error));
}

/* Rows of the statements from that one on. */
static const struct bus_rows *const *collect_rows(struct link *link, size_t first, size_t *ret_count) {
  enum { ROWS_MAX = 16 };
  const struct bus_rows **rows = bus_arena_array(link->arena, ROWS_MAX, sizeof *rows);
  assert_non_null(rows);
  *ret_count = 0;
  while (*ret_count < ROWS_MAX && (rows[*ret_count] = pg_rows(link->pg, first + *ret_count)) != NULL)
    (*ret_count)++;
  return rows;
}

bool link_finish_lock(struct link *link) {
  finish_trip(link);
  size_t count;
  if (pg_failed(link->pg, &link->error)) {
    roll_back(link);
    return false;
  }
  const struct bus_rows *const *rows = collect_rows(link, 1, &count);
  bool good = link->service->load(link->model, rows, count, &link->error);
  if (good)
    pg_end_trip(link->pg);
  else
    roll_back(link);
  return good;
}

static void decide_all(struct link *link) {
  bus_effects_init(&link->effects, link->arena, &link->ids, link->now, link->service->name);
  for (size_t i = 0; i < link->input_count; i++) {
    bus_effects_begin(&link->effects, &link->inputs[i]);
    link->service->decide(link->model, &link->inputs[i], &link->effects);
    assert_int_equal(bus_effects_end(&link->effects), BUS_DONE);
  }
}

bool link_decide_and_store(struct link *link) {
  decide_all(link);
  assert_false(link->effects.failed);
  struct bus_sql *sql = pg_begin_trip(link->pg, link->arena);
  assert_true(link->service->store(link->model, sql));
  (void)pg_add_own(sql, OWN_COMMIT);
  assert_true(pg_send_trip(link->pg, &link->error));
  finish_trip(link);
  if (pg_failed(link->pg, &link->error)) {
    roll_back(link);
    return false;
  }
  pg_end_trip(link->pg);
  link->input_count = 0;
  return true;
}

bool link_run(struct link *link) {
  link_send_lock(link);
  return link_finish_lock(link) && link_decide_and_store(link);
}

const struct bus_effect *link_message(const struct link *link, size_t n) {
  for (const struct bus_effect *effect = link->effects.first; effect; effect = effect->next)
    if (effect->kind != BUS_EFFECT_ACTION && n-- == 0)
      return effect;
  return NULL;
}

const struct bus_rows *link_statement(struct link *link, size_t statement, const int64_t *numbers, size_t count) {
  if (pg_state(link->pg) == PG_DONE)
    pg_end_trip(link->pg);
  struct bus_args *args = bus_sql_add(pg_begin_trip(link->pg, link->arena), statement);
  for (size_t i = 0; i < count; i++)
    bus_args_int64(args, numbers[i]);
  assert_true(pg_send_trip(link->pg, &link->error));
  finish_trip(link);
  if (pg_failed(link->pg, &link->error))
    fail_msg("%s", link->error.text);
  return pg_rows(link->pg, 0);
}

void link_query(struct link *link) {
  size_t count;
  struct bus_sql *sql = begin_batch(link);
  assert_true(link->service->lock(link->context, link->inputs, link->input_count, link->arena, sql, &link->model));
  assert_true(pg_send_trip(link->pg, &link->error));
  finish_trip(link);
  if (pg_failed(link->pg, &link->error))
    fail_msg("%s", link->error.text);
  const struct bus_rows *const *rows = collect_rows(link, 0, &count);
  assert_true(link->service->load(link->model, rows, count, &link->error));
  pg_end_trip(link->pg);
  decide_all(link);
  link->input_count = 0;
}

void link_assert_said(const struct link *link, size_t n, const struct bus_message_type *type, const char *json) {
  const struct bus_effect *effect = link_message(link, n);
  assert_non_null(effect);
  assert_string_equal(effect->type->type, type->type);
  assert_int_equal(effect->body.len, strlen(json));
  assert_memory_equal(effect->body.data, json, effect->body.len);
}
