/* pg/args.c: parameters in Postgres's binary form, byte for byte, and values that do not fit. */
#include "args.h"

#include <test.h>

#include <string.h>

static struct bus_arena *arena;
static struct bus_statement statement;

static struct bus_args *begin(const char *params) {
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 20);
  statement = (struct bus_statement){"SELECT 1", params};
  struct bus_args *args = pg_args_new(arena, &statement);
  assert_non_null(args);
  return args;
}

static void end(void) {
  bus_arena_free(arena);
  arena = NULL;
}

static void assert_bytes(const struct bus_args *args, size_t param, const char *bytes, size_t len) {
  assert_int_equal(args->params[param].len, len);
  assert_memory_equal(args->params[param].data, bytes, len);
}
#define ASSERT_BYTES(args, param, literal) assert_bytes((args), (param), (literal), sizeof(literal) - 1)

static const struct bus_uuid some_id = {
    {0x01, 0x93, 0x4c, 0x1a, 0x5b, 0x6c, 0x7d, 0x8e, 0x9f, 0xa0, 0xb1, 0xc2, 0xd3, 0xe4, 0xf5, 0x06}};
#define ID_BYTES "\x01\x93\x4c\x1a\x5b\x6c\x7d\x8e\x9f\xa0\xb1\xc2\xd3\xe4\xf5\x06"

TEST(single_values_of_every_type)
{
  struct bus_args *args = begin("uitzbl");
  bus_args_uuid(args, &some_id);
  bus_args_int64(args, -2);
  bus_args_text(args, BUS_STR("gr\xc3\xbc\xc3\x9f"));
  bus_args_time(args, INT64_C(946684800) * BUS_SECOND + 1);
  bus_args_bytes(args, BUS_STR("\x00\xff"));
  bus_args_bool(args, true);
  assert_true(pg_args_finish(args));
  ASSERT_BYTES(args, 0, ID_BYTES);
  ASSERT_BYTES(args, 1, "\xff\xff\xff\xff\xff\xff\xff\xfe");
  ASSERT_BYTES(args, 2, "gr\xc3\xbc\xc3\x9f");
  ASSERT_BYTES(args, 3, "\0\0\0\0\0\0\0\x01"); /* microseconds since 2000 */
  ASSERT_BYTES(args, 4, "\x00\xff");
  ASSERT_BYTES(args, 5, "\x01");
  end();
}

TEST(times_count_from_2000)
{
  struct bus_args *args = begin("zz");
  bus_args_time(args, 0);
  bus_args_time(args, INT64_C(1700000000123456));
  assert_true(pg_args_finish(args));
  ASSERT_BYTES(args, 0, "\xff\xfc\xa2\xfe\xc4\xc8\x20\x00"); /* -946684800000000 */
  ASSERT_BYTES(args, 1, "\x00\x02\xad\x22\xdc\xe8\x42\x40"); /* 753315200123456 */
  end();
}

TEST(empty_text_is_not_null)
{
  struct bus_args *args = begin("tt");
  bus_args_text(args, BUS_STR(""));
  bus_args_text_or_null(args, BUS_NO_STR);
  assert_true(pg_args_finish(args));
  assert_false(args->params[0].null);
  assert_non_null(args->params[0].data);
  assert_int_equal(args->params[0].len, 0);
  assert_true(args->params[1].null);
  end();
}

TEST(an_array_of_numbers)
{
  struct bus_args *args = begin("I");
  bus_args_int64(args, 1);
  bus_args_int64(args, -1);
  bus_args_int64(args, INT64_C(1000000000000));
  assert_true(pg_args_finish(args));
  ASSERT_BYTES(args, 0,
               "\0\0\0\x01\0\0\0\0\0\0\0\x14\0\0\0\x03\0\0\0\x01" /* one dimension, no NULL, int8, 3 from 1 */
               "\0\0\0\x08\0\0\0\0\0\0\0\x01"
               "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff"
               "\0\0\0\x08\0\0\0\xe8\xd4\xa5\x10\x00");
  end();
}

TEST(an_array_with_nulls)
{
  struct bus_args *args = begin("T");
  bus_args_null(args);
  bus_args_text(args, BUS_STR("a"));
  bus_args_text(args, BUS_STR(""));
  bus_args_text_or_null(args, BUS_NO_STR);
  assert_true(pg_args_finish(args));
  ASSERT_BYTES(args, 0,
               "\0\0\0\x01\0\0\0\x01\0\0\0\x19\0\0\0\x04\0\0\0\x01"
               "\xff\xff\xff\xff"
               "\0\0\0\x01"
               "a"
               "\0\0\0\x00"
               "\xff\xff\xff\xff");
  end();
}

TEST(an_empty_array_has_no_dimension)
{
  struct bus_args *args = begin("iUITZBL");
  bus_args_int64(args, 7);
  assert_true(pg_args_finish(args));
  ASSERT_BYTES(args, 1, "\0\0\0\0\0\0\0\0\0\0\x0b\x86"); /* uuid 2950 */
  ASSERT_BYTES(args, 2, "\0\0\0\0\0\0\0\0\0\0\0\x14");   /* int8 20 */
  ASSERT_BYTES(args, 3, "\0\0\0\0\0\0\0\0\0\0\0\x19");   /* text 25 */
  ASSERT_BYTES(args, 4, "\0\0\0\0\0\0\0\0\0\0\x04\xa0"); /* timestamptz 1184 */
  ASSERT_BYTES(args, 5, "\0\0\0\0\0\0\0\0\0\0\0\x11");   /* bytea 17 */
  ASSERT_BYTES(args, 6, "\0\0\0\0\0\0\0\0\0\0\0\x10");   /* boolean 16 */
  end();
}

/* Single values once, then row after row. */
TEST(single_values_and_arrays_mixed)
{
  struct bus_args *args = begin("itUL");
  bus_args_int64(args, 5);
  bus_args_text(args, BUS_STR("x"));
  for (int row = 0; row < 2; row++) {
    bus_args_uuid(args, &some_id);
    bus_args_bool(args, row == 1);
  }
  assert_true(pg_args_finish(args));
  ASSERT_BYTES(args, 0, "\0\0\0\0\0\0\0\x05");
  ASSERT_BYTES(args, 1, "x");
  ASSERT_BYTES(args, 2,
               "\0\0\0\x01\0\0\0\0\0\0\x0b\x86\0\0\0\x02\0\0\0\x01"
               "\0\0\0\x10" ID_BYTES "\0\0\0\x10" ID_BYTES);
  ASSERT_BYTES(args, 3,
               "\0\0\0\x01\0\0\0\0\0\0\0\x10\0\0\0\x02\0\0\0\x01"
               "\0\0\0\x01\x00\0\0\0\x01\x01");
  end();
}

TEST(what_stands_for_null)
{
  struct bus_args *args = begin("uitz");
  bus_args_uuid_or_null(args, &(const struct bus_uuid){{0}});
  bus_args_int64_or_null(args, BUS_NO_INT64);
  bus_args_text_or_null(args, BUS_NO_STR);
  bus_args_time_or_null(args, BUS_NO_TIME);
  assert_true(pg_args_finish(args));
  for (size_t i = 0; i < 4; i++)
    assert_true(args->params[i].null);
  args = begin("uitz");
  bus_args_uuid_or_null(args, &some_id);
  bus_args_int64_or_null(args, 0);
  bus_args_text_or_null(args, BUS_STR(""));
  bus_args_time_or_null(args, 0);
  assert_true(pg_args_finish(args));
  for (size_t i = 0; i < 4; i++)
    assert_false(args->params[i].null);
  end();
}

/* A nil UUID is a value where the plain form says so. */
TEST(nil_uuid_is_a_value)
{
  struct bus_args *args = begin("u");
  bus_args_uuid(args, &(const struct bus_uuid){{0}});
  assert_true(pg_args_finish(args));
  ASSERT_BYTES(args, 0, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
  end();
}

TEST(long_arrays_grow)
{
  enum { ROWS = 5000 };
  struct bus_args *args = begin("IT");
  for (int row = 0; row < ROWS; row++) {
    bus_args_int64(args, row);
    bus_args_text(args, BUS_STR("0123456789"));
  }
  assert_true(pg_args_finish(args));
  assert_int_equal(args->params[0].len, 20 + ROWS * 12);
  assert_int_equal(args->params[1].len, 20 + ROWS * 14);
  assert_memory_equal(args->params[0].data + 12, "\0\0\x13\x88\0\0\0\x01", 8);
  assert_memory_equal(args->params[0].data + 20 + 4999 * 12, "\0\0\0\x08\0\0\0\0\0\0\x13\x87", 12);
  assert_memory_equal(args->params[1].data + 20 + 4999 * 14,
                      "\0\0\0\x0a"
                      "0123456789",
                      14);
  end();
}

TEST(a_statement_without_parameters)
{
  struct bus_args *args = begin("");
  assert_true(pg_args_finish(args));
  assert_int_equal(args->param_count, 0);
  args = begin(NULL);
  assert_true(pg_args_finish(args));
  end();
}

/* ---- values that do not fit are a refused trip, not another statement's bytes ---- */

static void assert_misused(const struct bus_args *args, bool finished) {
  assert_false(finished);
  assert_true(args->failed && args->misused);
}

TEST(a_value_of_another_type_is_refused)
{
  struct bus_args *args = begin("iT");
  bus_args_text(args, BUS_STR("x"));
  assert_misused(args, pg_args_finish(args));
  args = begin("T");
  bus_args_text(args, BUS_STR("x"));
  bus_args_int64(args, 1);
  assert_misused(args, pg_args_finish(args));
  end();
}

TEST(an_incomplete_row_is_refused)
{
  struct bus_args *args = begin("iUT");
  bus_args_int64(args, 1);
  bus_args_uuid(args, &some_id);
  assert_misused(args, pg_args_finish(args));
  args = begin("it");
  bus_args_int64(args, 1);
  assert_misused(args, pg_args_finish(args));
  args = begin("u");
  assert_misused(args, pg_args_finish(args));
  end();
}

TEST(one_value_too_many_is_refused)
{
  struct bus_args *args = begin("i");
  bus_args_int64(args, 1);
  bus_args_int64(args, 2);
  assert_misused(args, pg_args_finish(args));
  args = begin("");
  bus_args_null(args);
  assert_misused(args, pg_args_finish(args));
  end();
}

static void assert_says(struct bus_args *args, const char *text) {
  struct bus_error err;
  assert_false(pg_args_finish(args));
  assert_false(pg_args_misuse(args, &err));
  assert_int_equal(err.code, BUS_E_INVALID);
  assert_string_equal(err.text, text);
}

TEST(a_misuse_names_the_letter_and_the_function_that_fits)
{
  struct bus_args *args = begin("iT");
  bus_args_text(args, BUS_STR("x"));
  assert_says(args, "statement \"SELECT 1\": letter 1 of \"iT\" takes a value of bus_args_int64, not of bus_args_text");
  args = begin("uZ");
  bus_args_uuid(args, &some_id);
  bus_args_time(args, 1);
  bus_args_bool(args, true);
  assert_says(args, "statement \"SELECT 1\": letter 2 of \"uZ\" takes a value of bus_args_time, not of bus_args_bool");
  args = begin("iUT");
  bus_args_int64(args, 1);
  bus_args_uuid(args, &some_id);
  assert_says(args,
              "statement \"SELECT 1\": letter 3 of \"iUT\" has no value, or its row or list ends too early: give it "
              "by bus_args_text");
  args = begin("i");
  bus_args_int64(args, 1);
  bus_args_bytes(args, BUS_STR("x"));
  assert_says(args, "statement \"SELECT 1\": bus_args_bytes gives a value, but its letters \"i\" have none for it");
  args = begin("");
  bus_args_null(args);
  assert_says(args, "statement \"SELECT 1\": bus_args_null gives a value, but its letters \"\" have none for it");
  args = begin("V");
  bus_args_text(args, BUS_STR("x"));
  assert_says(args, "statement \"SELECT 1\": letter 1 of \"V\" takes a value of bus_args_list, not of bus_args_text");
  args = begin("T");
  bus_args_list(args, 1);
  assert_says(args, "statement \"SELECT 1\": letter 1 of \"T\" takes a value of bus_args_text, not of bus_args_list");
  end();
}

TEST(out_of_memory_is_remembered_and_not_misuse)
{
  bus_arena_free(arena);
  arena = bus_arena_new(8192);
  statement = (struct bus_statement){"SELECT 1", "T"};
  struct bus_args *args = pg_args_new(arena, &statement);
  assert_non_null(args);
  for (int i = 0; i < 10000; i++)
    bus_args_text(args, BUS_STR("0123456789"));
  bus_args_int64(args, 1); /* after a failure nothing is looked at */
  assert_false(pg_args_finish(args));
  assert_true(args->failed);
  assert_false(args->misused);
  end();
}

/* bus_sql_add gives NULL when out of memory; the trip remembers it. */
TEST(values_for_no_statement_are_ignored)
{
  bus_args_uuid(NULL, &some_id);
  bus_args_int64(NULL, 1);
  bus_args_text(NULL, BUS_STR("x"));
  bus_args_time(NULL, 1);
  bus_args_bytes(NULL, BUS_STR("x"));
  bus_args_bool(NULL, true);
  bus_args_null(NULL);
}

TEST(letters_stand_for_types)
{
  static const struct {
    char letter;
    Oid type;
  } known[] = {{'u', 2950}, {'i', 20},   {'t', 25},   {'z', 1184}, {'b', 17},   {'l', 16},
               {'U', 2951}, {'I', 1016}, {'T', 1009}, {'Z', 1185}, {'B', 1001}, {'L', 1000}};
  for (size_t i = 0; i < BUS_COUNT(known); i++)
    assert_int_equal(pg_letter_type(known[i].letter), known[i].type);
  assert_int_equal(pg_letter_type('x'), 0);
  assert_int_equal(pg_letter_type('\0'), 0);
}
