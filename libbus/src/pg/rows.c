/* Results of one statement in Postgres's binary form. */
#include "rows.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>

size_t bus_rows_count(const struct bus_rows *rows) {
  return rows ? (size_t)PQntuples(rows->result) : 0;
}

int64_t bus_rows_affected(const struct bus_rows *rows) {
  return rows ? strtoll(PQcmdTuples(rows->result), NULL, 10) : 0;
}

bool bus_rows_is_null(const struct bus_rows *rows, size_t row, int column) {
  return PQgetisnull(rows->result, (int)row, column) != 0;
}

static struct bus_str field(const struct bus_rows *rows, size_t row, int column, Oid type) {
  assert(column < PQnfields(rows->result));
  assert(PQftype(rows->result, column) == type);
  (void)type;
  if (bus_rows_is_null(rows, row, column))
    return BUS_NO_STR;
  return (struct bus_str){PQgetvalue(rows->result, (int)row, column),
                          (size_t)PQgetlength(rows->result, (int)row, column)};
}

static int64_t int64_of(struct bus_str wire) {
  uint64_t value;
  assert(wire.len == sizeof value);
  memcpy(&value, wire.data, sizeof value);
  return (int64_t)be64toh(value);
}

struct bus_uuid bus_rows_uuid(const struct bus_rows *rows, size_t row, int column) {
  struct bus_uuid uuid = {{0}};
  struct bus_str wire = field(rows, row, column, 2950);
  if (wire.data)
    memcpy(uuid.bytes, wire.data, sizeof uuid.bytes);
  return uuid;
}

int64_t bus_rows_int64(const struct bus_rows *rows, size_t row, int column) {
  struct bus_str wire = field(rows, row, column, 20);
  return wire.data ? int64_of(wire) : BUS_NO_INT64;
}

struct bus_str bus_rows_text(const struct bus_rows *rows, size_t row, int column) {
  return field(rows, row, column, 25);
}

bus_time bus_rows_time(const struct bus_rows *rows, size_t row, int column) {
  struct bus_str wire = field(rows, row, column, 1184);
  return wire.data ? int64_of(wire) + POSTGRES_EPOCH : BUS_NO_TIME;
}

bool bus_rows_bool(const struct bus_rows *rows, size_t row, int column) {
  struct bus_str wire = field(rows, row, column, 16);
  return wire.data && wire.data[0] != 0;
}
