/* pg/rows.c: results in binary form, made by hand. */
#include "rows.h"

#include <test.h>

#include <string.h>

static PGresult *make(const Oid *types, int count) {
  PGresAttDesc columns[8] = {0};
  static char name[] = "column";
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  assert_non_null(result);
  for (int i = 0; i < count; i++)
    columns[i] = (PGresAttDesc){.name = name, .format = 1, .typid = types[i], .typlen = -1};
  assert_int_equal(PQsetResultAttrs(result, count, columns), 1);
  return result;
}

static void put(PGresult *result, int row, int column, const char *bytes, int len) {
  char copy[64];
  if (bytes)
    memcpy(copy, bytes, (size_t)len);
  assert_int_equal(PQsetvalue(result, row, column, bytes ? copy : NULL, bytes ? len : -1), 1);
}

TEST(values_of_every_type)
{
  static const Oid types[] = {2950, 20, 25, 1184, 16};
  struct bus_rows rows = {make(types, 5)};
  put(rows.result, 0, 0, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20", 16);
  put(rows.result, 0, 1, "\xff\xff\xff\xff\xff\xff\xff\xfe", 8);
  put(rows.result, 0, 2, "text", 4);
  put(rows.result, 0, 3, "\0\0\0\0\0\0\0\1", 8);
  put(rows.result, 0, 4, "\1", 1);
  struct bus_uuid id = bus_rows_uuid(&rows, 0, 0);
  for (int i = 0; i < 16; i++)
    assert_int_equal(id.bytes[i], i + 1);
  assert_true(bus_rows_int64(&rows, 0, 1) == -2);
  assert_true(bus_str_is(bus_rows_text(&rows, 0, 2), "text"));
  assert_true(bus_rows_time(&rows, 0, 3) == POSTGRES_EPOCH + 1);
  assert_true(bus_rows_bool(&rows, 0, 4));
  assert_int_equal(bus_rows_count(&rows), 1);
  PQclear(rows.result);
}

TEST(null_reads_as_absent)
{
  static const Oid types[] = {2950, 20, 25, 1184, 16};
  struct bus_rows rows = {make(types, 5)};
  for (int column = 0; column < 5; column++)
    put(rows.result, 0, column, NULL, 0);
  struct bus_uuid id = bus_rows_uuid(&rows, 0, 0);
  assert_true(bus_uuid_is_nil(&id));
  assert_true(bus_rows_int64(&rows, 0, 1) == BUS_NO_INT64);
  assert_null(bus_rows_text(&rows, 0, 2).data);
  assert_true(bus_rows_time(&rows, 0, 3) == BUS_NO_TIME);
  assert_false(bus_rows_bool(&rows, 0, 4));
  for (int column = 0; column < 5; column++)
    assert_true(bus_rows_is_null(&rows, 0, column));
  PQclear(rows.result);
}

TEST(empty_text_is_not_absent)
{
  static const Oid types[] = {25};
  struct bus_rows rows = {make(types, 1)};
  put(rows.result, 0, 0, "", 0);
  struct bus_str text = bus_rows_text(&rows, 0, 0);
  assert_non_null(text.data);
  assert_int_equal(text.len, 0);
  assert_false(bus_rows_is_null(&rows, 0, 0));
  PQclear(rows.result);
}

/* A statement that failed, or came after one that did, has no rows. */
TEST(no_rows_count_as_none)
{
  assert_int_equal(bus_rows_count(NULL), 0);
  assert_int_equal(bus_rows_affected(NULL), 0);
}
