/* Reads a body and says what is wrong with it. */
#include "body.h"

#include <stdio.h>

static void print_problems(const struct bus_problems *problems, const char *where) {
  for (size_t i = 0; i < problems->count && i < BUS_PROBLEMS_MAX; i++) {
    const struct bus_problem *problem = &problems->items[i];
    (void)fprintf(stderr, "%s%s%s%s\n", where, problem->path, problem->path[0] ? " " : "", problem->text);
  }
}

const void *body_read(const struct bus_schema *schema, struct bus_str json, const char *where,
                      struct bus_arena *arena) {
  struct bus_problems problems = {.count = 0};
  void *body = bus_arena_alloc(arena, schema->size);
  if (!body)
    bus_problem_add_no_memory(&problems);
  if (body && bus_decode(schema, json, BUS_REFUSE_UNKNOWN, arena, body, &problems))
    return body;
  print_problems(&problems, where);
  return NULL;
}

struct bus_uuid body_correlation(const struct bus_topology *topology, const struct bus_schema *schema,
                                 const void *body) {
  struct bus_uuid id = {{0}};
  for (size_t i = 0; topology->correlation && i < schema->field_count; i++)
    if (schema->fields[i].kind == BUS_KIND_UUID && strcmp(schema->fields[i].name, topology->correlation) == 0)
      memcpy(&id, (const char *)body + schema->fields[i].offset, sizeof id);
  return id;
}
