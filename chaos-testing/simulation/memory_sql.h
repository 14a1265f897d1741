/* bus/sql.h in memory: what a service's lock() and store() queue, as cells, so that the services' own stores run over
 * the tables of the simulation. */
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

enum { STATEMENTS_MAX = 12 };

struct bus_args {
  size_t statement;
  size_t singles, width; /* single values of the statement; then cells of each row: see bus/sql.h */
  struct bus_arena *arena;
  struct value *values;
  size_t count, room;
  struct value *items; /* of the list that the next values belong to */
  size_t in_list;
};

struct bus_sql {
  const struct bus_statement *registry;
  struct bus_arena *arena;
  struct bus_args items[STATEMENTS_MAX];
  size_t count;
};

struct bus_rows {
  struct value *cells;
  size_t count, room, columns;
};

/* Arguments of no statement: where a row's own values are wanted. */
struct bus_args memory_args(struct bus_arena *arena);
void memory_sql_init(struct bus_sql *sql, const struct bus_statement *registry, struct bus_arena *arena);

/* How many rows the arrays have, and one of their cells. */
size_t memory_args_rows(const struct bus_args *args);
struct value *memory_args_row(const struct bus_args *args, size_t row);

/* A further row, to be filled. */
struct value *memory_rows_add(struct bus_rows *rows, size_t columns, struct bus_arena *arena);

#endif
