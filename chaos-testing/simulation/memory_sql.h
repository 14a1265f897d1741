/* bus/sql.h in memory: what libbus and a service's lock() and store() queue, as cells, so that both run over the tables
 * of the simulation. */
#ifndef SIM_MEMORY_SQL_H
#define SIM_MEMORY_SQL_H

#include <bus/sql.h>

struct value {
  bool null;
  int64_t number; /* integers, times, booleans */
  struct bus_str text;
  struct bus_uuid uuid;
  const struct value *items; /* a list */
  size_t item_count;
};

struct bus_args {
  bool own; /* of libbus's registry */
  size_t statement;
  size_t singles, width; /* single values of the statement; then cells of each row: see bus/sql.h */
  struct bus_arena *arena;
  struct value *values;
  size_t count, room;
  struct value *items; /* of the list that the next values belong to */
  size_t in_list;
};

struct bus_sql {
  struct bus_registry registries[BUS_REGISTRIES];
  struct bus_arena *arena;
  struct bus_args *items;
  size_t count, room; /* room: in bytes */
};

struct bus_rows {
  struct value *cells;
  size_t count, room, columns;
};

/* Arguments of no statement: where a row's own values are wanted. */
struct bus_args memory_args(struct bus_arena *arena);

/* Does the statement change rows? */
bool memory_sql_writes(const struct bus_sql *sql, const struct bus_args *args);

/* How many rows the arrays have, and one of their cells. */
size_t memory_args_rows(const struct bus_args *args);
struct value *memory_args_row(const struct bus_args *args, size_t row);

/* A further row, to be filled. */
struct value *memory_rows_add(struct bus_rows *rows, size_t columns, struct bus_arena *arena);

#endif
