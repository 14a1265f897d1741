/*
 * bus/sql.h in memory, for tests and simulations: what libbus and a service's functions queue becomes cells, and cells
 * are what they read. A program that links bus_testing before bus_pg gets these instead of Postgres, without a change
 * of the service.
 *
 * The table of this header holds rows of one column table, as structs of the service: it answers the statements that
 * BUS_LOCK, BUS_INSERT and BUS_UPDATE make. bus/testing.h runs whole batches over such tables.
 */
#pragma once

#include <bus/column.h>
#include <bus/sql.h>

BUS_C_BEGIN

/* ---- cells ---- */

/* One parameter, or one column of a row. */
struct bus_memory_value {
  bool null;
  int64_t number; /* integers, times, booleans */
  struct bus_str text;
  struct bus_uuid uuid;
  const struct bus_memory_value *items; /* of a list */
  size_t item_count;
};

/* The parameters of one statement. */
struct bus_args {
  bool own;              /* the statement is libbus's own */
  bool failed;           /* out of memory: some values are missing */
  size_t statement;      /* index in its registry */
  size_t singles, width; /* single values; then the values of each row: see bus/sql.h */
  struct bus_arena *arena;
  struct bus_memory_value *values;
  size_t count, room;
  struct bus_memory_value *items; /* of the list that the next values belong to */
  size_t in_list;
  struct bus_memory_value spare; /* takes what memory does not suffice for */
};

/* The statements of one trip. */
struct bus_sql {
  struct bus_registry registries[BUS_REGISTRIES];
  struct bus_arena *arena;
  struct bus_args *items;
  size_t count, room;    /* room: in bytes */
  struct bus_args spare; /* takes what memory does not suffice for */
};

/* The result of one statement. */
struct bus_rows {
  struct bus_memory_value *cells;
  size_t count, room, columns;
};

/* Arguments of no statement, for a row's own values (bus_row_add). They lie in the arena. */
struct bus_args bus_memory_args(struct bus_arena *arena);
/* True if the statement changes rows: its text begins neither with SELECT nor with a parenthesis. */
bool bus_memory_writes(const struct bus_sql *sql, const struct bus_args *args);
/* True if memory did not suffice for all statements and values: a driver must fail the trip (BUS_E_NOMEM). */
bool bus_memory_failed(const struct bus_sql *sql) BUS_MUST_CHECK;
/* The number of rows that the statement's arrays have. */
size_t bus_memory_arg_rows(const struct bus_args *args);
/* The values of one of these rows: as many as the statement has array letters; a list is one value. */
struct bus_memory_value *bus_memory_arg_row(const struct bus_args *args, size_t row);
/* Adds a row of so many columns to a result; the caller fills in its cells. All rows of a result have equally many
 * columns. NULL: out of memory, and the result is as before. */
struct bus_memory_value *bus_memory_rows_add(struct bus_rows *rows, size_t columns, struct bus_arena *arena);

/* ---- tables ---- */

struct bus_memory_row {
  void *record;       /* the service's struct */
  const void *locker; /* the caller's mark of who holds the row FOR UPDATE; NULL: nobody */
  bool touched;       /* set by each write; the caller clears it */
  struct bus_memory_row *next;
};

struct bus_memory_table {
  const struct bus_table *of;
  bool (*is_valid)(const void *record); /* stands for the table's CHECKs; NULL: there are none */
  struct bus_memory_row *rows;          /* in the order in which they were inserted */
};

/* The result of a write. */
enum bus_memory_outcome {
  BUS_MEMORY_DONE,
  BUS_MEMORY_CONFLICT, /* a row of this primary key is there already */
  BUS_MEMORY_DATA,     /* is_valid refuses a row */
  BUS_MEMORY_NOMEM,
};

/* The table is empty; nothing needs to be freed but the arenas that its rows are put into. */
void bus_memory_table_init(struct bus_memory_table *table, const struct bus_table *columns,
                           bool (*is_valid)(const void *record));
/* The row whose first column has this value, a struct bus_uuid, struct bus_str, int64_t or int; NULL: none. */
struct bus_memory_row *bus_memory_find(const struct bus_memory_table *table, const void *key);
/* The same by a cell. */
struct bus_memory_row *bus_memory_find_value(const struct bus_memory_table *table, const struct bus_memory_value *key);
/* Adds the row to a result, with the columns that BUS_LOCK selects. False: out of memory. */
bool bus_memory_read(struct bus_rows *ret, const struct bus_memory_table *table, const struct bus_memory_row *row,
                     struct bus_arena *arena);
/* Adds a row: the struct is copied into the arena, its texts and lists are not. False: out of memory. */
bool bus_memory_add(struct bus_memory_table *table, const void *record, struct bus_arena *keep);
/* Carries out a statement of BUS_INSERT, row by row up to the first that is refused. Rows lie in `keep`, which must
 * live as long as the table. keep NULL: only returns the result that the statement would have, and changes nothing. */
enum bus_memory_outcome bus_memory_insert(struct bus_memory_table *table, const struct bus_args *args,
                                          struct bus_arena *keep);
/* The same for BUS_UPDATE; a key without a row is no error. */
enum bus_memory_outcome bus_memory_update(struct bus_memory_table *table, const struct bus_args *args,
                                          struct bus_arena *keep);

BUS_C_END
