/* Every message and every fact without memory, over the corpus of the fuzz target: it is decoded and encoded, or the
 * lack of memory is said, and the message is not blamed. */
#include <dirent.h>
#include <order_fact.h>
#include <test.h>
#include <torture.h>

#include "orderbus_topology.h"

struct sample {
  size_t choice;
  char json[2048];
};

static size_t type_count(void) {
  size_t count = 0;
  while (bus_topology_type_at(&orderbus_topology, count))
    count++;
  return count;
}

static bool message(struct bus_arena *arena, const void *context) {
  const struct sample *sample = context;
  const struct bus_schema *schema = bus_topology_type_at(&orderbus_topology, sample->choice)->schema;
  struct bus_problems problems = {.count = 0};
  struct bus_str text;
  void *value = bus_arena_alloc(arena, schema->size);
  bool decoded = value && bus_decode(schema, bus_str(sample->json), BUS_IGNORE_UNKNOWN, arena, value, &problems);
  bool done = decoded && bus_encode(schema, value, arena, &text);
  torture_over();
  assert_true(!value || decoded || bus_problems_no_memory(&problems));
  return done;
}

static bool fact(struct bus_arena *arena, const void *context) {
  const struct sample *sample = context;
  struct bus_problems problems = {.count = 0};
  struct order_fact fact;
  struct bus_str text;
  enum order_fact_type type = (enum order_fact_type)(sample->choice - type_count());
  bool decoded = order_fact_decode(type, bus_str(sample->json), arena, &fact, &problems);
  bool done = decoded && order_fact_encode(&fact, arena, &text);
  torture_over();
  assert_true(decoded || bus_problems_no_memory(&problems));
  return done;
}

static void read_sample(const char *name, struct sample *ret) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", CORPUS, name);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  ret->choice = (size_t)fgetc(file);
  size_t len = fread(ret->json, 1, sizeof ret->json - 1, file);
  ret->json[len] = '\0';
  fclose(file);
}

TEST(every_message_and_fact)
{
  struct dirent **names;
  int count = scandir(CORPUS, &names, NULL, alphasort), seen = 0;
  assert_true(count > 0);
  for (int i = 0; i < count; i++) {
    struct sample sample;
    if (names[i]->d_name[0] != '.' && strncmp(names[i]->d_name, "found-", 6) != 0) {
      read_sample(names[i]->d_name, &sample);
      torture(sample.choice < type_count() ? message : fact, &sample);
      seen++;
    }
    free(names[i]);
  }
  free(names);
  assert_true(seen >= 20);
}
