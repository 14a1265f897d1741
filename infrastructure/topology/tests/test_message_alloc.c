/* Every message and every fact without memory, over the corpus of the fuzz target and a sample of each type: it is
 * decoded and encoded, or the lack of memory is said, and the message is not blamed. */
#include "message_sample.h"

#include <dirent.h>
#include <order.h>
#include <test.h>
#include <torture.h>

#include "orderbus_topology.h"

struct sample {
  const struct bus_message_type *type; /* NULL: a fact */
  enum order_fact_type fact;
  struct bus_str json;
  char text[2048];
};

static bool message(struct bus_arena *arena, const void *context) {
  const struct sample *sample = context;
  const struct bus_schema *schema = sample->type->schema;
  struct bus_problems problems = {.count = 0};
  struct bus_str text;
  void *value = bus_arena_alloc(arena, schema->size);
  bool decoded = value && bus_decode(schema, sample->json, BUS_IGNORE_UNKNOWN, arena, value, &problems);
  bool done = decoded && bus_encode(schema, value, arena, &text);
  bus_refusals_over();
  assert_true(!value || decoded || bus_problems_no_memory(&problems));
  return done;
}

static bool fact(struct bus_arena *arena, const void *context) {
  const struct sample *sample = context;
  struct bus_problems problems = {.count = 0};
  struct order_fact fact;
  struct bus_str text;
  bool decoded = order_fact_decode(sample->fact, sample->json, arena, &fact, &problems);
  bool done = decoded && order_fact_encode(&fact, arena, &text);
  bus_refusals_over();
  assert_true(decoded || bus_problems_no_memory(&problems));
  return done;
}

static void read_sample(const char *name, struct sample *ret) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", CORPUS, name);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t len = fread(ret->text, 1, sizeof ret->text, file);
  fclose(file);
  const char *space = memchr(ret->text, ' ', len);
  assert_non_null(space);
  struct bus_str kind = {ret->text, (size_t)(space - ret->text)};
  ret->json = (struct bus_str){space + 1, len - kind.len - 1};
  ret->type = bus_topology_type(&orderbus_topology, kind);
  ret->fact = order_fact_find(kind);
  assert_true(ret->type || ret->fact < FACT_TYPES);
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
      torture(sample.type ? message : fact, &sample);
      seen++;
    }
    free(names[i]);
  }
  free(names);
  assert_true(seen >= 20);
}

TEST(a_sample_of_every_type)
{
  struct sample sample = {.type = NULL};
  for (size_t i = 0; (sample.type = bus_topology_type_at(&orderbus_topology, i)) != NULL; i++) {
    struct bus_arena *arena = bus_arena_new((size_t)4 << 20);
    assert_true(message_sample(sample.type->schema, arena, &sample.json));
    torture(message, &sample);
    bus_arena_free(arena);
  }
}
