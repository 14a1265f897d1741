/* upkeep.c: rows that the sweeper claims, times that a clock set back has left, and statements without memory. */
#include "part_rig.h"

#include "args.h"
#include "own.h"
#include "rows.h"
#include "trip.h"
#include "upkeep.h"

#include <test.h>

#include <endian.h>

enum { UUID_TYPE = 2950, TEXT_TYPE = 25, TIME_TYPE = 1184, INT_TYPE = 20, COLUMNS = 9 };

/* An outbox row as the sweeper's statement returns it; NULL: the column is NULL. */
struct outbox_row {
  const char *type, *traceparent, *tracestate;
};

static PGresult *empty_sweep(void) {
  static const Oid types[COLUMNS] = {UUID_TYPE, TEXT_TYPE, UUID_TYPE, UUID_TYPE, TEXT_TYPE,
                                     TEXT_TYPE, TIME_TYPE, TEXT_TYPE, INT_TYPE};
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  char name[] = "column";
  PGresAttDesc columns[COLUMNS];
  for (size_t i = 0; i < COLUMNS; i++)
    columns[i] = (PGresAttDesc){.name = name, .format = 1, .typid = types[i], .typlen = -1, .atttypmod = -1};
  assert_true(result && PQsetResultAttrs(result, COLUMNS, columns));
  return result;
}

static void set(PGresult *result, int row, int column, const void *value, size_t size) {
  char copy[64];
  assert_in_range(size, 0, sizeof copy);
  if (value)
    memcpy(copy, value, size);
  assert_true(PQsetvalue(result, row, column, value ? copy : NULL, value ? (int)size : -1));
}

static void set_text(PGresult *result, int row, int column, const char *text) {
  set(result, row, column, text, text ? strlen(text) : 0);
}

static PGresult *swept_rows(const struct outbox_row *rows, size_t count) {
  PGresult *result = empty_sweep();
  uint64_t time = htobe64(1000), one = htobe64(1);
  for (int i = 0; i < (int)count; i++) {
    const struct bus_uuid id = {{1, (uint8_t)(i + 1)}}, correlation = {{2, id.bytes[1]}}, cause = {{3, id.bytes[1]}};
    set(result, i, 0, id.bytes, sizeof id.bytes);
    set_text(result, i, 1, rows[i].type);
    set(result, i, 2, correlation.bytes, sizeof correlation.bytes);
    set(result, i, 3, cause.bytes, sizeof cause.bytes);
    set_text(result, i, 4, rows[i].traceparent);
    set_text(result, i, 5, "{\"n\":1}");
    set(result, i, 6, &time, sizeof time);
    set_text(result, i, 7, rows[i].tracestate);
    set(result, i, 8, &one, sizeof one);
  }
  return result;
}

/* The parts, the sweeper's answer to them, and what it is copied to. */
struct sweep {
  struct parts *parts;
  struct upkeep upkeep;
  struct bus_arena *arena;
};

static struct sweep sweep_of(const struct outbox_row *rows, size_t count, size_t room) {
  struct sweep sweep = {.parts = parts_new(), .arena = bus_arena_new(room)};
  assert_non_null(sweep.arena);
  upkeep_init(&sweep.upkeep, &sweep.parts->setup, 0);
  sweep.upkeep.states[0].trip_index = 0; /* the sweeper is the first of the periodics */
  const struct bus_rows swept = {swept_rows(rows, count)};
  const struct bus_rows *const all[] = {&swept};
  const struct bus_trip_result trip = {.rows = all, .count = 1};
  upkeep_read(&sweep.upkeep, &sweep.parts->turn, NULL, &trip, sweep.arena);
  PQclear(swept.result);
  return sweep;
}

static void sweep_done(struct sweep *sweep) {
  bus_arena_free(sweep->arena);
  parts_free(sweep->parts);
}

#define ROOM ((size_t)1 << 20)
#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

TEST(a_row_of_an_unknown_type_stays_and_the_others_are_swept)
{
  static const struct outbox_row rows[] = {
      {"thing.do.v1", NULL, NULL}, {"thing.do.v9", NULL, NULL}, {"thing.do.v1", NULL, NULL}};
  struct sweep sweep = sweep_of(rows, BUS_COUNT(rows), ROOM);
  const struct swept *swept = sweep.upkeep.swept;
  assert_non_null(swept);
  assert_int_equal(swept->envelope.message_id.bytes[1], 1);
  assert_ptr_equal(swept->type, &part_rig_type);
  assert_non_null(swept->next);
  assert_int_equal(swept->next->envelope.message_id.bytes[1], 3);
  assert_null(swept->next->next);
  sweep_done(&sweep);
}

TEST(a_swept_row_keeps_its_order_and_its_cause)
{
  static const struct outbox_row row = {"thing.do.v1", NULL, NULL};
  struct sweep sweep = sweep_of(&row, 1, ROOM);
  assert_non_null(sweep.upkeep.swept);
  const struct bus_envelope *swept = &sweep.upkeep.swept->envelope;
  assert_true(bus_uuid_equal(&swept->correlation_id, &(struct bus_uuid){{2, 1}}));
  assert_true(bus_uuid_equal(&swept->causation_id, &(struct bus_uuid){{3, 1}}));
  sweep_done(&sweep);
}

TEST(a_swept_row_keeps_its_trace_unless_it_is_none)
{
  static const struct outbox_row rows[] = {
      {"thing.do.v1", PARENT, "vendor=1"}, {"thing.do.v1", "no trace", NULL}, {"thing.do.v1", NULL, NULL}};
  struct sweep sweep = sweep_of(rows, BUS_COUNT(rows), ROOM);
  const struct swept *swept = sweep.upkeep.swept;
  char text[BUS_TRACEPARENT_TEXT];
  assert_non_null(swept);
  bus_trace_format(&swept->envelope.trace, text);
  assert_string_equal(text, PARENT);
  assert_true(bus_str_is(swept->envelope.trace.state, "vendor=1"));
  for (int i = 0; i < 2; i++) {
    swept = swept->next;
    assert_non_null(swept);
    assert_false(bus_trace_is_set(&swept->envelope.trace));
    assert_true(bus_str_is(swept->body, "{\"n\":1}"));
  }
  sweep_done(&sweep);
}

/* The row's lease ends, and another sweep finds it. */
TEST(a_row_that_finds_no_memory_is_left_to_another_sweep)
{
  static const struct outbox_row rows[] = {{"thing.do.v1", NULL, NULL}, {"thing.do.v1", NULL, NULL}};
  size_t swept[3] = {0};
  for (size_t room = 0; swept[2] == 0; room += 16) {
    struct sweep sweep = sweep_of(rows, BUS_COUNT(rows), room);
    size_t count = 0;
    for (const struct swept *one = sweep.upkeep.swept; one; one = one->next, count++)
      assert_true(bus_str_is(one->body, "{\"n\":1}"));
    assert_in_range(count, 0, 2);
    swept[count]++;
    sweep_done(&sweep);
  }
  assert_true(swept[0] > 1 && swept[1] > 0);
}

/* More rows wait than one turn takes: the next sweep comes at once. */
TEST(a_full_sweep_is_followed_by_another)
{
  enum { ROWS = 200 };
  static struct outbox_row rows[ROWS];
  for (size_t i = 0; i < ROWS; i++)
    rows[i].type = "thing.do.v1";
  for (size_t count = ROWS - 1; count <= ROWS; count++) {
    struct sweep sweep = sweep_of(rows, count, ROOM);
    upkeep_committed(&sweep.upkeep, &sweep.parts->turn);
    assert_int_equal(sweep.upkeep.states[0].next_at - sweep.parts->turn.now, count < ROWS ? BUS_SECOND : 0);
    sweep_done(&sweep);
  }
}

/* A parameter of a statement in the trip. */
static const void *param_of(const struct bus_sql *sql, size_t own, size_t param, size_t size) {
  for (const struct bus_args *args = sql->first; args; args = args->after)
    if (args->registry == BUS_REGISTRY_OWN && args->index == own) {
      assert_int_equal(args->params[param].len, size);
      return args->params[param].data;
    }
  fail_msg("the trip has no such statement");
  return NULL;
}

static int64_t int_of(const struct bus_sql *sql, size_t own, size_t param) {
  uint64_t value;
  memcpy(&value, param_of(sql, own, param, sizeof value), sizeof value);
  return (int64_t)be64toh(value);
}

/* The parts, and a trip with all that is due. */
struct due {
  struct parts *parts;
  struct bus_pipeline_action points[4];
  struct bus_arena *arena;
  struct bus_sql *sql;
};

static void due_init(struct due *due, int64_t grace_ms, int64_t lease_ms) {
  const struct bus_registry registries[BUS_REGISTRIES] = {
      [BUS_REGISTRY_OWN] = {bus_own_statements, BUS_OWN_STATEMENTS}};
  const struct upkeep_facts facts = {.settled = true, .publishes = true};
  struct upkeep upkeep;
  *due = (struct due){.parts = parts_new(), .arena = bus_arena_new(ROOM)};
  due->sql = bus_sql_new(due->arena, registries);
  struct parts *parts = due->parts;
  parts->actions = (struct bus_pipeline_actions){.items = due->points, .room = BUS_COUNT(due->points)};
  parts->settings.outbox_grace_ms = grace_ms;
  parts->settings.outbox_lease_ms = lease_ms;
  parts->turn.wall = 1700000000 * BUS_SECOND;
  upkeep_init(&upkeep, &parts->setup, 0);
  upkeep_add(&upkeep, &parts->turn, facts, false, NULL, due->sql);
}

static void due_done(struct due *due) {
  bus_arena_free(due->arena);
  parts_free(due->parts);
}

static int64_t recalled_after(int64_t grace_ms, int64_t lease_ms) {
  struct due due;
  due_init(&due, grace_ms, lease_ms);
  int64_t recalled = int_of(due.sql, OWN_OUTBOX_RECALL, 0);
  due_done(&due);
  return recalled;
}

/* A row is due at the latest after the longer of both times: a later one was written by another clock. */
TEST(rows_are_recalled_beyond_the_longer_of_grace_and_lease)
{
  assert_int_equal(recalled_after(5000, 30000), 35000);
  assert_int_equal(recalled_after(40000, 30000), 45000);
}

/* A backlog of millions must not hold up the batch that the statement rides on. */
TEST(each_statement_takes_a_bounded_number_of_rows)
{
  struct due due;
  due_init(&due, 5000, 30000);
  assert_int_equal(int_of(due.sql, OWN_OUTBOX_SWEEP, 1), 200);
  assert_int_equal(int_of(due.sql, OWN_OUTBOX_RECALL, 1), 1000);
  assert_int_equal(int_of(due.sql, OWN_PURGE, 1), 5000);
  due_done(&due);
}

/* The primary key finds them: an id of that time or later has these six bytes or greater ones. */
TEST(a_purge_leaves_the_ids_of_the_time_that_is_kept)
{
  struct due due;
  struct bus_uuid_source source;
  struct bus_uuid oldest, before;
  due_init(&due, 5000, 30000);
  int64_t kept_from = due.parts->turn.wall - due.parts->settings.inbox_keep_h * BUS_HOUR;
  memcpy(&before, param_of(due.sql, OWN_PURGE, 0, sizeof before), sizeof before);
  bus_uuid_source_init(&source, (const uint64_t[4]){1, 2, 3, 4});
  bus_uuid_v7(&source, kept_from, &oldest);
  assert_memory_equal(before.bytes, oldest.bytes, 6);
  assert_true(bus_uuid_compare(&before, &oldest) < 0);
  assert_int_equal(int_of(due.sql, OWN_PURGE, 2), due.parts->settings.inbox_keep_h);
  due_done(&due);
}
