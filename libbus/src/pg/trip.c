/* Statements are added to a trip. */
#include "trip.h"

#include "args.h"

void bus_sql_init(struct bus_sql *sql, struct bus_arena *arena, const struct bus_registry registries[BUS_REGISTRIES]) {
  *sql =
      (struct bus_sql){.registries = {registries[BUS_REGISTRY_OWN], registries[BUS_REGISTRY_SERVICE]}, .arena = arena};
}

struct bus_sql *bus_sql_new(struct bus_arena *arena, const struct bus_registry registries[BUS_REGISTRIES]) {
  struct bus_sql *sql = bus_arena_alloc(arena, sizeof *sql);
  if (sql)
    bus_sql_init(sql, arena, registries);
  return sql;
}

static struct bus_args *add(struct bus_sql *sql, size_t registry, size_t index) {
  const struct bus_registry *from = &sql->registries[registry];
  struct bus_args *args =
      index < from->count && sql->count < TRIP_MAX ? pg_args_new(sql->arena, &from->statements[index]) : NULL;
  if (!args) {
    sql->failed = true;
    return NULL;
  }
  args->registry = registry;
  args->index = index;
  if (sql->last)
    sql->last->after = args;
  else
    sql->first = args;
  sql->last = args;
  sql->count++;
  return args;
}

struct bus_args *bus_sql_add(struct bus_sql *sql, size_t statement) {
  return add(sql, BUS_REGISTRY_SERVICE, statement);
}

struct bus_args *bus_sql_add_own(struct bus_sql *sql, size_t statement) {
  return add(sql, BUS_REGISTRY_OWN, statement);
}

size_t bus_sql_count(const struct bus_sql *sql) {
  return sql->count;
}
