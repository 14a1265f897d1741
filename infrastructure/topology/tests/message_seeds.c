/* Writes a seed for the fuzz target of messages into a folder, of each type: message-seeds FOLDER. */
#include "message_sample.h"

#include <stdio.h>
#include <stdlib.h>

#include "orderbus_topology.h"

static bool write_seed(const char *folder, const struct bus_message_type *type) {
  char path[4096];
  struct bus_str text;
  struct bus_arena *arena = bus_arena_new((size_t)4 << 20);
  (void)snprintf(path, sizeof path, "%s/%s", folder, type->type);
  FILE *file = fopen(path, "wb");
  bool good = file && arena && message_sample(type->schema, arena, &text) &&
              fprintf(file, "%s %.*s", type->type, (int)text.len, text.data) > 0;
  if (file)
    good = fclose(file) == 0 && good;
  if (!good)
    (void)fprintf(stderr, "message-seeds: cannot write %s\n", path);
  bus_arena_free(arena);
  return good;
}

int main(int argc, char **argv) {
  const struct bus_message_type *type;
  if (argc != 2)
    return EXIT_FAILURE;
  for (size_t i = 0; (type = bus_topology_type_at(&orderbus_topology, i)) != NULL; i++)
    if (!write_seed(argv[1], type))
      return EXIT_FAILURE;
  return EXIT_SUCCESS;
}
