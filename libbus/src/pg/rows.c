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
  int len = PQgetlength(rows->result, (int)row, column);
  if (len == 0 && bus_rows_is_null(rows, row, column))
    return BUS_NO_STR;
  return (struct bus_str){PQgetvalue(rows->result, (int)row, column), (size_t)len};
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

/* ---- arrays: a header, then each element behind its length (array_send in Postgres) ---- */

enum { LENGTH_AT = 12, ARRAY_HEADER = 20 };

static uint32_t int32_of(const char *wire) {
  uint32_t value;
  memcpy(&value, wire, sizeof value);
  return be32toh(value);
}

struct bus_elements bus_rows_elements(const struct bus_rows *rows, size_t row, int column) {
  Oid type = PQftype(rows->result, column);
  assert(type == 1009 || type == 1016);
  struct bus_str wire = field(rows, row, column, type);
  if (wire.len < ARRAY_HEADER) /* NULL, or no dimension */
    return (struct bus_elements){NULL, 0};
  assert(int32_of(wire.data) == 1);
  return (struct bus_elements){wire.data + ARRAY_HEADER, int32_of(wire.data + LENGTH_AT)};
}

static struct bus_str take_element(struct bus_elements *elements) {
  assert(elements->left > 0);
  const char *at = elements->next;
  uint32_t len = int32_of(at);
  bool null = len == UINT32_MAX;
  elements->next = at + sizeof len + (null ? 0 : len);
  elements->left--;
  return null ? BUS_NO_STR : (struct bus_str){at + sizeof len, len};
}

struct bus_str bus_elements_text(struct bus_elements *elements) {
  return take_element(elements);
}

int64_t bus_elements_int64(struct bus_elements *elements) {
  struct bus_str wire = take_element(elements);
  return wire.data ? int64_of(wire) : BUS_NO_INT64;
}
