/* Today's field tables read every message and every event log entry of each release in docs/releases. */
#include <dirent.h>
#include <order.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#include "orderbus_topology.h"

enum { NAMES_MAX = 128, NAME_MAX_BYTES = 128 };

struct samples {
  size_t count;
  char names[NAMES_MAX][NAME_MAX_BYTES]; /* without ".json" */
};

/* Samples whose type has left the topology. */
static const char *const types_gone[] = {NULL};

static bool is_listed(const char *const *list, const char *name) {
  while (*list && strcmp(*list, name) != 0)
    list++;
  return *list != NULL;
}

static void list_samples(const char *folder, struct samples *ret) {
  DIR *directory = opendir(folder);
  assert_non_null(directory);
  ret->count = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    const char *suffix = strstr(entry->d_name, ".json");
    if (!suffix)
      continue;
    assert_true(ret->count < NAMES_MAX);
    snprintf(ret->names[ret->count++], NAME_MAX_BYTES, "%.*s", (int)(suffix - entry->d_name), entry->d_name);
  }
  closedir(directory);
}

static bool has_sample(const struct samples *samples, const char *name) {
  for (size_t i = 0; i < samples->count; i++)
    if (strcmp(samples->names[i], name) == 0)
      return true;
  return false;
}

static struct bus_str read_sample(const char *folder, const char *name, char text[16384]) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s.json", folder, name);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t len = fread(text, 1, 16384, file);
  fclose(file);
  return (struct bus_str){text, len};
}

/* Unknown members are refused, so that no table silently drops a member that the release wrote. */
static bool is_read(const struct bus_message_type *type) {
  char text[16384], why[512];
  struct bus_problems problems;
  struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
  void *value = bus_arena_alloc(arena, type->schema->size);
  struct bus_str json = read_sample(SAMPLES "/messages", type->type, text);
  bool good = value && bus_decode(type->schema, json, BUS_REFUSE_UNKNOWN, arena, value, &problems);
  if (!good) {
    bus_problems_text(&problems, why, sizeof why);
    print_error("%s: %s\n", type->type, why);
  }
  bus_arena_free(arena);
  return good;
}

TEST(every_message_of_the_release_is_read)
{
  size_t unread = 0;
  struct samples samples;
  list_samples(SAMPLES "/messages", &samples);
  const struct bus_message_type *type;
  for (size_t i = 0; (type = bus_topology_type_at(&orderbus_topology, i)) != NULL; i++)
    if (has_sample(&samples, type->type))
      unread += !is_read(type);
  assert_int_equal(unread, 0);
}

TEST(every_sample_has_a_type_or_it_is_gone)
{
  size_t wrong = 0;
  struct samples samples;
  list_samples(SAMPLES "/messages", &samples);
  assert_int_equal(samples.count, 39);
  for (size_t i = 0; i < samples.count; i++) {
    bool known = bus_topology_type(&orderbus_topology, bus_str(samples.names[i])) != NULL;
    if (known == is_listed(types_gone, samples.names[i])) {
      print_error("%s: must be in the topology or in types_gone, and not both\n", samples.names[i]);
      wrong++;
    }
  }
  assert_int_equal(wrong, 0);
}

/* Event log entries are kept forever: none of their types may go. */
TEST(every_event_log_entry_of_the_release_is_read)
{
  char text[16384];
  struct samples samples;
  list_samples(SAMPLES "/facts", &samples);
  assert_int_equal(samples.count, 11);
  for (size_t i = 0; i < samples.count; i++) {
    struct order_fact fact;
    struct bus_problems problems;
    struct bus_str again, json = read_sample(SAMPLES "/facts", samples.names[i], text);
    struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
    enum order_fact_type type = order_fact_find(bus_str(samples.names[i]));
    assert_true(type < FACT_TYPES);
    assert_true(order_fact_decode(type, json, arena, &fact, &problems));
    assert_true(order_fact_encode(&fact, arena, &again) && bus_str_equal(json, again));
    bus_arena_free(arena);
  }
}
