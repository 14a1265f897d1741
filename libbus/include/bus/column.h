/*
 * Column tables: each table of a service's database is described once, beside its field tables, and the description
 * makes the SQL text of the usual statements, writes their arguments, reads their rows and compares two rows.
 *
 *   struct counter { struct bus_uuid id; int64_t n; };
 *   static const struct bus_column counter_columns[] = {
 *       BUS_COLUMN_UUID(struct counter, id, BUS_KEY),
 *       BUS_COLUMN_INT64(struct counter, n, 0, 1000, BUS_CHANGING),
 *   };
 *   const struct bus_table counter_table = BUS_COLUMN_TABLE("toy.counters", struct counter, counter_columns);
 *   static const struct bus_recipe recipes[] = {
 *       [LOCK] = BUS_LOCK(&counter_table), [INSERT] = BUS_INSERT(&counter_table), [UPDATE] =
 * BUS_UPDATE(&counter_table)};
 *
 * The statements name the columns in the order of the table. Rows travel as parallel arrays through `unnest`. The items
 * of a list are arrays in the database too, one for each column of the item: the items of all rows of a statement are
 * sent as one array for each of these columns, and each row says which slice of them is its own, because `unnest`
 * cannot return arrays. A statement's text does not depend on the number of rows, so that it is prepared once.
 */
#pragma once

#include <bus/arena.h>
#include <bus/error.h>
#include <bus/field.h>
#include <bus/sql.h>
#include <bus/trace.h>

BUS_C_BEGIN

/* A member, and the column's type in Postgres. The absent value of a member is NULL in the database. */
enum bus_cell {
  BUS_CELL_UUID,        /* struct bus_uuid, absent: nil; uuid */
  BUS_CELL_INT64,       /* int64_t, absent: BUS_NO_INT64; bigint */
  BUS_CELL_TEXT,        /* struct bus_str, absent: data == NULL; text; min and max count bytes */
  BUS_CELL_CHARS,       /* char[max + 1], absent: ""; text */
  BUS_CELL_TIME,        /* bus_time, absent: BUS_NO_TIME; timestamptz */
  BUS_CELL_BOOL,        /* bool; boolean */
  BUS_CELL_NAME,        /* int or an enum, index into names, absent: -1; text */
  BUS_CELL_NUMBER,      /* int or an enum, absent: -1; smallint */
  BUS_CELL_JSON,        /* struct bus_str; json */
  BUS_CELL_TRACEPARENT, /* struct bus_trace without its state, absent: no trace; text. A malformed
                            text reads as no trace. */
  BUS_CELL_TRACESTATE,  /* the state of the struct bus_trace, behind its TRACEPARENT; text */
  BUS_CELL_LIST,        /* pointer to the first item, and a size_t count: the columns of `item`, as arrays */
  BUS_CELL_NOW,         /* no member: an update sets it to now(), and an insert leaves it to the column's default */
};

/* The uses of a column. Statements and functions take the columns that have one of the given flags. */
enum {
  BUS_KEY = 1 << 0,      /* the primary key, or a part of it; the first column */
  BUS_FIXED = 1 << 1,    /* written by the insert alone */
  BUS_CHANGING = 1 << 2, /* written by updates too */
  BUS_VIEW = 1 << 3,     /* shown to clients */
  BUS_LOG = 1 << 4,      /* what the event log tells of it must be so */
  BUS_NULL = 1 << 5,     /* may be NULL; of a list's column: is NULL where it is absent in the first item */
  BUS_ROW = BUS_KEY | BUS_FIXED | BUS_CHANGING,
};

struct bus_table;

struct bus_column {
  const char *name;
  enum bus_cell cell;
  unsigned flags;
  size_t offset;
  size_t count_offset;           /* LIST */
  int64_t min, max;              /* INT64: value; TEXT, CHARS: bytes; the table's CHECK has the same bounds */
  const char *const *names;      /* NAME: NULL-terminated */
  const struct bus_table *items; /* LIST: columns of cell INT64 and TEXT */
};

struct bus_table {
  const char *name; /* "orders.orders"; of items: what they are */
  size_t size;
  const struct bus_column *columns;
  size_t column_count;
  bool (*is_valid)(const void *row); /* what must hold for each row in the database; NULL: nothing more */
};

#define BUS_COLUMN_OF(S, text, member, T, kind, ...)                                                                   \
  { .name = (text), .cell = (kind), .offset = offsetof(S, member) + BUS_MEMBER_IS(S, member, T), __VA_ARGS__ }
#define BUS_COLUMN_UUID(S, member, what)                                                                               \
  BUS_COLUMN_OF(S, #member, member, struct bus_uuid, BUS_CELL_UUID, .flags = (what))
#define BUS_COLUMN_INT64(S, member, least, most, what)                                                                 \
  BUS_COLUMN_OF(S, #member, member, int64_t, BUS_CELL_INT64, .min = (least), .max = (most), .flags = (what))
#define BUS_COLUMN_TEXT(S, member, min_bytes, max_bytes, what)                                                         \
  BUS_COLUMN_OF(S, #member, member, struct bus_str, BUS_CELL_TEXT, .min = (min_bytes), .max = (max_bytes),             \
                .flags = (what))
#define BUS_COLUMN_CHARS(S, member, min_bytes, what)                                                                   \
  {                                                                                                                    \
    .name = #member, .cell = BUS_CELL_CHARS, .offset = offsetof(S, member), .min = (min_bytes),                        \
    .max = sizeof(((S *)NULL)->member) - 1, .flags = (what)                                                            \
  }
#define BUS_COLUMN_TIME(S, member, what) BUS_COLUMN_OF(S, #member, member, bus_time, BUS_CELL_TIME, .flags = (what))
#define BUS_COLUMN_BOOL(S, member, what) BUS_COLUMN_OF(S, #member, member, bool, BUS_CELL_BOOL, .flags = (what))
#define BUS_COLUMN_NAME(S, member, T, texts, what)                                                                     \
  BUS_COLUMN_OF(S, #member, member, T, BUS_CELL_NAME, .names = (texts), .flags = (what))
#define BUS_COLUMN_NUMBER(S, member, T, most, what)                                                                    \
  BUS_COLUMN_OF(S, #member, member, T, BUS_CELL_NUMBER, .max = (most), .flags = (what))
#define BUS_COLUMN_JSON(S, member, what)                                                                               \
  BUS_COLUMN_OF(S, #member, member, struct bus_str, BUS_CELL_JSON, .flags = (what))
#define BUS_COLUMN_LIST(S, member, count_member, T, table, most, what)                                                 \
  BUS_COLUMN_OF(S, #member, member, T *, BUS_CELL_LIST,                                                                \
                .count_offset = offsetof(S, count_member) + BUS_MEMBER_IS(S, count_member, size_t), .items = (table),  \
                .max = (most), .flags = (what))
#define BUS_COLUMN_NOW(text)                                                                                           \
  { .name = (text), .cell = BUS_CELL_NOW, .flags = BUS_CHANGING }
/* The three columns of a struct bus_cause. */
#define BUS_COLUMNS_CAUSE(S, member, what)                                                                             \
  BUS_COLUMN_OF(S, "traceparent", member.trace, struct bus_trace, BUS_CELL_TRACEPARENT, .flags = (what) | BUS_NULL,    \
                .min = BUS_TRACEPARENT_TEXT - 1, .max = BUS_TRACEPARENT_TEXT - 1),                                     \
      BUS_COLUMN_OF(S, "causation_id", member.message_id, struct bus_uuid, BUS_CELL_UUID, .flags = (what) | BUS_NULL), \
      BUS_COLUMN_OF(S, "tracestate", member.trace, struct bus_trace, BUS_CELL_TRACESTATE, .flags = (what) | BUS_NULL,  \
                    .max = BUS_TRACESTATE_MAX)
#define BUS_COLUMN_TABLE(text, S, rows)                                                                                \
  { .name = (text), .size = sizeof(S), .columns = (rows), .column_count = BUS_COUNT(rows) }

/* ---- statements ---- */

enum bus_shape { BUS_SHAPE_TEXT, BUS_SHAPE_READ, BUS_SHAPE_LOCK, BUS_SHAPE_INSERT, BUS_SHAPE_UPDATE };

/* How one statement of a registry is made. */
struct bus_recipe {
  enum bus_shape shape;
  const struct bus_table *table;
  const char *sql, *params; /* TEXT: "{p.row}" and "{p.view}" are the table's columns of that flag, by the alias p */
};

#define BUS_STATEMENT(text, letters)                                                                                   \
  { .sql = (text), .params = (letters) }
#define BUS_STATEMENT_OF(rows, text, letters)                                                                          \
  { .table = (rows), .sql = (text), .params = (letters) }
/* The rows whose keys are given. Parameter: an array of keys. */
#define BUS_READ(rows)                                                                                                 \
  { .shape = BUS_SHAPE_READ, .table = (rows) }
/* The rows whose keys are given, locked in the order of the key. Parameter: an array of keys. */
#define BUS_LOCK(rows)                                                                                                 \
  { .shape = BUS_SHAPE_LOCK, .table = (rows) }
/* Parameters: as bus_columns_add gives them, with BUS_ROW; with BUS_KEY | BUS_CHANGING. */
#define BUS_INSERT(rows)                                                                                               \
  { .shape = BUS_SHAPE_INSERT, .table = (rows) }
#define BUS_UPDATE(rows)                                                                                               \
  { .shape = BUS_SHAPE_UPDATE, .table = (rows) }

/* Makes the registry, once, before there is any thread; a second call does nothing. The texts are kept until the
 * process ends. False: out of memory, or a text is too long. */
bool bus_recipes_make(const struct bus_recipe *recipes, size_t count, struct bus_statement *ret) BUS_MUST_CHECK;

/* One line for each column that a service knows, for the tests that compare them with the database:
 * table, column, type, flags, min, max, separated by tabs. */
void bus_table_print(const struct bus_table *table, void (*print)(void *context, const char *text), void *context);

/* Field tables of JSON that has the columns of that flag as members: uuid, bigint, text, timestamptz and boolean;
 * others are left out. Returns how many fields were written, at most room. */
size_t bus_table_fields(const struct bus_table *table, unsigned flags, struct bus_field *ret, size_t room);

/* ---- rows ---- */

/* Columns that may be NULL become absent, all other members zero. */
void bus_row_init(const struct bus_table *table, void *row);

/* The first such column, behind `after` unless it is NULL, that differs between two rows; NULL: none. Lists differ
 * where one of their columns does; traces are not compared. */
const struct bus_column *bus_row_differs(const struct bus_table *table, unsigned flags, const void *a, const void *b,
                                         const struct bus_column *after);

/* The value for a person, cut where it does not fit; items of a list one after another. */
void bus_row_text(const struct bus_column *column, const void *row, char *text, size_t size);

/* Adds one row's arguments: its columns that have one of the flags, in the order of the table; the lists last. */
void bus_row_add(struct bus_args *args, const struct bus_table *table, unsigned flags, const void *row);

/* Reads such columns from the first-th on into a row that was initialised. Texts and lists lie in the arena. False: out
 * of memory (BUS_E_NOMEM), or a value or a whole row that this version does not write (BUS_E_DB_OTHER). */
bool bus_row_read(const struct bus_table *table, unsigned flags, const struct bus_rows *rows, size_t number, int first,
                  struct bus_arena *arena, void *ret, struct bus_error *err) BUS_MUST_CHECK;

BUS_C_END
