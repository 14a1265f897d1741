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
};

enum { STATEMENTS_MAX = 12 };

struct bus_args {
  size_t statement;
  size_t singles, arrays; /* parameters of the statement, by their kind: see bus/sql.h */
  struct bus_arena *arena;
  struct value *values;
  size_t count, room;
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

void memory_sql_init(struct bus_sql *sql, const struct bus_statement *registry, struct bus_arena *arena);

/* How many rows the arrays have, and one of their cells. */
size_t memory_args_rows(const struct bus_args *args);
const struct value *memory_args_row(const struct bus_args *args, size_t row);

/* A further row, to be filled. */
struct value *memory_rows_add(struct bus_rows *rows, size_t columns, struct bus_arena *arena);

#endif
