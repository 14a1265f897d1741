/* Reads messages by the tables that it is linked with: those of an earlier release. Lines of the input are a type, a
 * blank and a body; lines of the output a type and what is wrong with the body, for the bodies that are not read. */
#include <orderbus_topology.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bus/field.h>

enum { LINE_MAX_BYTES = 1 << 24, ARENA_BYTES = 1 << 28, WHY_MAX = 4096 };

static void read_body(const struct bus_message_type *type, const char *name, struct bus_str body) {
  char why[WHY_MAX];
  struct bus_problems problems;
  struct bus_arena *arena = bus_arena_new(ARENA_BYTES);
  void *value = arena ? bus_arena_alloc(arena, type->schema->size) : NULL;
  if (!value)
    exit(1);
  if (!bus_decode(type->schema, body, BUS_IGNORE_UNKNOWN, arena, value, &problems)) {
    bus_problems_text(&problems, why, sizeof why);
    printf("%s\t%s\n", name, why);
  }
  bus_arena_free(arena);
}

int main(void) {
  char *line = malloc(LINE_MAX_BYTES);
  while (line && fgets(line, LINE_MAX_BYTES, stdin)) {
    char *body = strchr(line, ' ');
    if (!body)
      return 1;
    *body++ = '\0';
    body[strcspn(body, "\n")] = '\0';
    const struct bus_message_type *type = bus_topology_type(&orderbus_topology, (struct bus_str){line, strlen(line)});
    if (type)
      read_body(type, line, (struct bus_str){body, strlen(body)});
    else
      printf("%s\tunknown type\n", line);
  }
  free(line);
  return line ? 0 : 1;
}
