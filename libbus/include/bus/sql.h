/*
 * SQL as a service writes it: a registry of prepared statements, rows built column by column into binary arrays for
 * `unnest`, and typed reading of results. The connection, pipelines and transactions are the worker's (bus/worker.h);
 * nothing here waits. All parameters and results are binary, so that no value is ever text inside SQL.
 */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>
#include <bus/uuid.h>

BUS_C_BEGIN

/*
 * One statement of the registry; prepared at every connect.
 * params: one letter a parameter, in order.
 *   array of rows:  U uuid[]  I int8[]  T text[]  Z timestamptz[]  B bytea[]  L boolean[]
 *   single value:   u uuid    i int8    t text    z timestamptz    b bytea    l boolean
 *   lists:          W int8[]  V text[]: the items of all rows, any number of them a row (bus_args_list)
 * Single values stand before arrays and lists.
 * Results must be of these types too (cast counts and int4 to int8 in the SQL: `count(*)` is int8; `x::int8`); jsonb
 * must be cast to text.
 */
struct bus_statement {
  const char *sql;
  const char *params;
};

/* ---- queueing (inside lock, store and the like) ---- */
struct bus_sql; /* the trip that is being put together */

/* The parameters of one statement, given in order: single values once, then row after row a value for each array
 * letter. No row at all is an empty array. A NULL string view, nil UUID or BUS_NO_… stands for SQL NULL only through
 * bus_args_null and the _or_null forms. Out of memory is remembered and fails the trip. */
struct bus_args;

/* Queues `statement` (index in the service's registry); its values are added through the result until the next call. */
struct bus_args *bus_sql_add(struct bus_sql *sql, size_t statement);

/* Gives a uuid. */
void bus_args_uuid(struct bus_args *args, const struct bus_uuid *value);
/* Gives an int8. */
void bus_args_int64(struct bus_args *args, int64_t value);
void bus_args_text(struct bus_args *args, struct bus_str value); /* valid UTF-8 without NUL */
/* Gives a timestamptz. */
void bus_args_time(struct bus_args *args, bus_time value);
/* Gives a bytea; the bytes are copied. */
void bus_args_bytes(struct bus_args *args, struct bus_str value);
/* Gives a boolean. */
void bus_args_bool(struct bus_args *args, bool value);
/* Gives NULL, whatever the type of the parameter. */
void bus_args_null(struct bus_args *args);
/* Two values for two int8[]: the first and the last place of the row's items in the lists that follow, from 1 on. */
void bus_args_list_bounds(struct bus_args *args, size_t count);
/* The next `count` values are the row's items in the list that is the next parameter. */
void bus_args_list(struct bus_args *args, size_t count);
void bus_args_uuid_or_null(struct bus_args *args, const struct bus_uuid *value); /* nil: NULL */
void bus_args_int64_or_null(struct bus_args *args, int64_t value);               /* BUS_NO_INT64: NULL */
void bus_args_text_or_null(struct bus_args *args, struct bus_str value);         /* data NULL: NULL */
void bus_args_time_or_null(struct bus_args *args, bus_time value);               /* BUS_NO_TIME: NULL */

/* ---- a trip: statements that are sent together (the pipeline's, bus/pipeline.h) ---- */
struct bus_registry {
  const struct bus_statement *statements;
  size_t count;
};
enum { BUS_REGISTRY_OWN, BUS_REGISTRY_SERVICE, BUS_REGISTRIES };

/* An empty one in the arena, where its parameters lie too; NULL: out of memory. The statements are kept. */
struct bus_sql *bus_sql_new(struct bus_arena *arena, const struct bus_registry registries[BUS_REGISTRIES]);
/* As bus_sql_add, from libbus's own registry. */
struct bus_args *bus_sql_add_own(struct bus_sql *sql, size_t statement);
/* How many statements it holds. */
size_t bus_sql_count(const struct bus_sql *sql);

/* ---- reading (inside load and the like) ---- */
struct bus_rows; /* the rows of one statement */

/* Rows that the statement returned. */
size_t bus_rows_count(const struct bus_rows *rows);
/* rows changed by an INSERT, UPDATE or DELETE without RETURNING */
int64_t bus_rows_affected(const struct bus_rows *rows);
/* Is the column NULL in that row? */
bool bus_rows_is_null(const struct bus_rows *rows, size_t row, int column);
/* NULL reads as nil, BUS_NO_INT64, BUS_NO_STR, BUS_NO_TIME, false. Asserts that the column has that type. Text points
 * into the result: copy what must outlive the callback. */
struct bus_uuid bus_rows_uuid(const struct bus_rows *rows, size_t row, int column);
/* An int8; BUS_NO_INT64: NULL. */
int64_t bus_rows_int64(const struct bus_rows *rows, size_t row, int column);
/* A text or bytea, which lies in the result; absent: NULL. */
struct bus_str bus_rows_text(const struct bus_rows *rows, size_t row, int column);
/* A timestamptz; BUS_NO_TIME: NULL. */
bus_time bus_rows_time(const struct bus_rows *rows, size_t row, int column);
/* A boolean; false: also NULL. */
bool bus_rows_bool(const struct bus_rows *rows, size_t row, int column);

/* A column of text[] or int8[], one element after another; NULL and an empty array have none left. A NULL element reads
 * as above. No more may be taken than are left. */
struct bus_elements {
  const void *next;
  size_t left;
};
/* The elements of an array column. */
struct bus_elements bus_rows_elements(const struct bus_rows *rows, size_t row, int column);
/* Takes the next element, of a text[]; absent: NULL. */
struct bus_str bus_elements_text(struct bus_elements *elements);
/* Takes the next element, of an int8[]; BUS_NO_INT64: NULL. */
int64_t bus_elements_int64(struct bus_elements *elements);

BUS_C_END
