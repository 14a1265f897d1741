/* pg/columns.c and pg/aggregate_rows.c: rows to arguments and from results. */
#include "args.h"
#include "column_sample.h"
#include "rows.h"

#include <bus/aggregate.h>

#include <test.h>

#include <endian.h>
#include <stdlib.h>

static struct bus_arena *arena;

static struct part parts[] = {{BUS_STR("x"), 2, BUS_NO_INT64}, {BUS_STR("yz"), 3, BUS_NO_INT64}};

static struct sample a_sample(uint8_t number) {
  return (struct sample){
      .id = {{number}},
      .state = SAMPLE_OLD,
      .level = 2,
      .number = 5,
      .maybe = BUS_NO_INT64,
      .text = BUS_STR("text"),
      .data = BUS_STR("{}"),
      .word = "word",
      .at = POSTGRES_EPOCH + 1,
      .parts = parts,
      .part_count = 2,
      .cause = {.trace = {.trace_id = {1}, .span_id = {2}, .state = BUS_STR("a=1")}, .message_id = {{9}}}};
}

static struct bus_args *args_of(const char *params) {
  static struct bus_statement statement;
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 20);
  statement = (struct bus_statement){"SELECT 1", params};
  return pg_args_new(arena, &statement);
}

static int64_t number_at(const struct bus_args *args, size_t param, size_t row) {
  uint64_t wire;
  memcpy(&wire, args->params[param].data + 20 + row * 12 + 4, sizeof wire);
  return (int64_t)be64toh(wire);
}

TEST(rows_say_which_slice_of_the_lists_is_theirs)
{
  struct bus_args *args = args_of("UTIIITTTZLTUTIIVWW");
  struct sample one = a_sample(1), none = a_sample(2), two = a_sample(3);
  none.part_count = 0;
  bus_row_add(args, &sample_table, BUS_ROW, &one);
  bus_row_add(args, &sample_table, BUS_ROW, &none);
  bus_row_add(args, &sample_table, BUS_ROW, &two);
  assert_true(pg_args_finish(args));
  static const int64_t first[] = {1, 3, 3}, last[] = {2, 2, 4};
  for (size_t row = 0; row < 3; row++) {
    assert_true(number_at(args, 13, row) == first[row]);
    assert_true(number_at(args, 14, row) == last[row]);
  }
  assert_int_equal(args->params[15].rows, 4);
  assert_int_equal(args->params[16].rows, 4);
  assert_true(args->params[17].has_null);
  assert_true(args->params[4].has_null);
  bus_arena_free(arena);
  arena = NULL;
}

TEST(an_update_has_the_columns_that_change)
{
  struct bus_args *args = args_of("UTIITTZLIIW");
  struct sample one = a_sample(1);
  bus_row_add(args, &sample_table, BUS_KEY | BUS_CHANGING, &one);
  assert_true(pg_args_finish(args));
  bus_arena_free(arena);
  arena = NULL;
}

TEST(a_list_is_not_given_to_an_array_nor_cut_short)
{
  struct bus_args *args = args_of("I");
  bus_args_list(args, 1);
  assert_false(pg_args_finish(args));
  args = args_of("W");
  bus_args_int64(args, 1);
  assert_false(pg_args_finish(args));
  args = args_of("W");
  bus_args_list(args, 2);
  bus_args_int64(args, 1);
  assert_false(pg_args_finish(args));
  assert_true(args->misused);
  bus_arena_free(arena);
  arena = NULL;
}

/* ---- reading ---- */

static const Oid types[] = {2950, 25, 20, 20, 20, 25, 25, 25, 1184, 16, 25, 2950, 25, 1009, 1016, 1016};
enum { COLUMNS = BUS_COUNT(types) };

static PGresult *result(void) {
  PGresAttDesc columns[COLUMNS];
  static char name[] = "column";
  PGresult *made = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  assert_non_null(made);
  for (int i = 0; i < COLUMNS; i++)
    columns[i] = (PGresAttDesc){.name = name, .format = 1, .typid = types[i], .typlen = -1};
  assert_int_equal(PQsetResultAttrs(made, COLUMNS, columns), 1);
  return made;
}

static void put(PGresult *made, int row, int column, const char *bytes, int len) {
  char copy[128];
  if (bytes)
    memcpy(copy, bytes, (size_t)len);
  assert_int_equal(PQsetvalue(made, row, column, bytes ? copy : NULL, bytes ? len : -1), 1);
}

#define ARRAY(type, count) "\0\0\0\1\0\0\0\0\0\0\0" type "\0\0\0" count "\0\0\0\1"
#define PUT(column, literal) put(made, row, column, literal, sizeof(literal) - 1)
#define SEVEN "\0\0\0\0\0\0\0"

static void put_row(PGresult *made, int row, char id) {
  char key[16] = {id};
  put(made, row, 0, key, sizeof key);
  PUT(1, "old");
  PUT(2, SEVEN "\2");
  PUT(3, SEVEN "\5");
  put(made, row, 4, NULL, 0);
  PUT(5, "text");
  PUT(6, "{}");
  PUT(7, "word");
  PUT(8, SEVEN "\1");
  PUT(9, "\0");
  PUT(10, "00-01000000000000000000000000000000-0200000000000000-00");
  put(made, row, 11, NULL, 0);
  PUT(12, "a=1");
  PUT(13, ARRAY("\x19", "\2") "\0\0\0\1x\0\0\0\2yz");
  PUT(14, ARRAY("\x14", "\2") "\0\0\0\x8" SEVEN "\2\0\0\0\x8" SEVEN "\3");
  put(made, row, 15, NULL, 0);
}

static bool read_row(PGresult *made, struct sample *ret, struct bus_error *err) {
  const struct bus_rows rows = {made};
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 20);
  bus_row_init(&sample_table, ret);
  return bus_row_read(&sample_table, BUS_ROW, &rows, 0, 0, arena, ret, err);
}

TEST(a_row_is_read_into_its_members)
{
  struct sample row;
  PGresult *made = result();
  put_row(made, 0, 1);
  assert_true(read_row(made, &row, NULL));
  assert_int_equal(row.id.bytes[0], 1);
  assert_int_equal(row.state, SAMPLE_OLD);
  assert_int_equal(row.level, 2);
  assert_true(row.number == 5 && row.maybe == BUS_NO_INT64 && row.at == POSTGRES_EPOCH + 1 && !row.flag);
  assert_true(bus_str_is(row.text, "text") && bus_str_is(row.data, "{}"));
  assert_string_equal(row.word, "word");
  assert_int_equal(row.cause.trace.trace_id[0], 1);
  assert_string_equal(row.cause.trace.state.data, "a=1");
  assert_int_equal(row.part_count, 2);
  assert_true(bus_str_is(row.parts[1].name, "yz") && row.parts[1].count == 3 && row.parts[1].price == BUS_NO_INT64);
  PQclear(made);
  bus_arena_free(arena);
  arena = NULL;
}

static void refuse(int column, const char *bytes, int len, const char *text) {
  struct sample row;
  struct bus_error err = {.code = BUS_OK};
  PGresult *made = result();
  put_row(made, 0, 1);
  put(made, 0, column, bytes, len);
  assert_false(read_row(made, &row, &err));
  assert_int_equal(err.code, BUS_E_DB_OTHER);
  assert_string_equal(err.text, text);
  PQclear(made);
  bus_arena_free(arena);
  arena = NULL;
}

TEST(values_that_this_version_does_not_write_are_refused)
{
  refuse(1, "blue", 4, "column state of toy.samples has a value that this version does not write");
  refuse(1, NULL, 0, "column state of toy.samples has a value that this version does not write");
  refuse(2, SEVEN "\4", 8, "column level of toy.samples has a value that this version does not write");
  refuse(7, "too long", 8, "column word of toy.samples has a value that this version does not write");
  refuse(14, ARRAY("\x14", "\1") "\0\0\0\x8" SEVEN "\2", 32,
         "column count of toy.samples has a value that this version does not write");
}

TEST(a_malformed_trace_is_none)
{
  struct sample row;
  PGresult *made = result();
  put_row(made, 0, 1);
  put(made, 0, 10, "00-xyz", 6);
  assert_true(read_row(made, &row, NULL));
  assert_false(bus_trace_is_set(&row.cause.trace));
  assert_null(row.cause.trace.state.data);
  PQclear(made);
  bus_arena_free(arena);
  arena = NULL;
}

TEST(a_row_that_does_not_fit_into_memory_says_so)
{
  struct sample row;
  struct bus_error err = {.code = BUS_OK};
  PGresult *made = result();
  const struct bus_rows rows = {made};
  struct bus_arena *tiny = bus_arena_new(16);
  put_row(made, 0, 1);
  bus_row_init(&sample_table, &row);
  assert_false(bus_row_read(&sample_table, BUS_ROW, &rows, 0, 0, tiny, &row, &err));
  assert_int_equal(err.code, BUS_E_NOMEM);
  PQclear(made);
  bus_arena_free(tiny);
}

/* ---- sets ---- */

static struct bus_set set_of(const uint8_t *numbers, size_t count) {
  struct bus_set set;
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 20);
  bus_set_init(&set, &sample_table, 0, arena);
  for (size_t i = 0; i < count; i++) {
    const struct bus_uuid key = {{numbers[i]}};
    bus_set_add(&set, &key);
  }
  assert_true(bus_set_open(&set));
  return set;
}

TEST(loaded_rows_are_stored_and_the_others_are_not)
{
  struct bus_set set = set_of((const uint8_t[]){3, 1, 2}, 3);
  PGresult *made = result();
  const struct bus_rows rows = {made};
  put_row(made, 0, 1);
  put_row(made, 1, 3);
  assert_true(bus_set_load(&set, &rows, NULL));
  static const bool stored[] = {true, false, true};
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(bus_set_is_stored(&set, bus_set_at(&set, i)), stored[i]);
  assert_true(((const struct sample *)bus_set_at(&set, 2))->number == 5);
  PQclear(made);
  bus_arena_free(arena);
  arena = NULL;
}

TEST(a_loaded_row_that_nobody_named_becomes_one_of_the_set)
{
  struct bus_set set = set_of((const uint8_t[]){3}, 1);
  PGresult *made = result();
  const struct bus_rows rows = {made};
  put_row(made, 0, 1);
  put_row(made, 1, 3);
  assert_true(bus_set_load(&set, &rows, NULL));
  assert_int_equal(set.count, 2);
  assert_true(bus_set_is_stored(&set, bus_set_at(&set, 0)) && bus_set_is_stored(&set, bus_set_at(&set, 1)));
  PQclear(made);
  bus_arena_free(arena);
  arena = NULL;
}

TEST(a_row_that_breaks_its_tables_rule_is_refused)
{
  struct bus_set set = set_of((const uint8_t[]){1}, 1);
  struct bus_error err = {.code = BUS_OK};
  PGresult *made = result();
  const struct bus_rows rows = {made};
  put_row(made, 0, 1);
  put(made, 0, 3, SEVEN "\7", 8);
  assert_false(bus_set_load(&set, &rows, &err));
  assert_int_equal(err.code, BUS_E_DB_OTHER);
  PQclear(made);
  bus_arena_free(arena);
  arena = NULL;
}
