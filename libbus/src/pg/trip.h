/* The statements of one trip, in order. */
#pragma once

#include <bus/sql.h>

enum { TRIP_MAX = 48 };

struct bus_sql {
  struct bus_registry registries[BUS_REGISTRIES];
  struct bus_arena *arena;
  struct bus_args *first, *last;
  size_t count;
  bool failed; /* out of memory, too many, or not in the registry */
};

void bus_sql_init(struct bus_sql *sql, struct bus_arena *arena, const struct bus_registry registries[BUS_REGISTRIES]);
