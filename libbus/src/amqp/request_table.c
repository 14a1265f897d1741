/* A hash table with linear probing and no tombstones, and a ring. */
#include "request_table.h"

#include <stdlib.h>

enum { TABLE_FIRST = 64, WINDOW_FIRST = 256 };

/* The last eight bytes of our ids are random. */
static size_t home_of(const struct request_table *table, const struct bus_uuid *id) {
  uint64_t hash;
  memcpy(&hash, id->bytes + 8, sizeof hash);
  return (size_t)(hash ^ (hash >> 32)) & (table->room - 1);
}

/* Index of the id, or of the free slot where it belongs. */
static size_t place_of(const struct request_table *table, const struct bus_uuid *id) {
  size_t i = home_of(table, id);
  while (table->entries[i].request && !bus_uuid_equal(&table->entries[i].id, id))
    i = (i + 1) & (table->room - 1);
  return i;
}

static bool grow_table(struct request_table *table) {
  struct request_table larger = {.room = table->room ? table->room * 2 : TABLE_FIRST, .count = table->count};
  larger.entries = calloc(larger.room, sizeof *larger.entries);
  if (larger.entries == NULL)
    return false;
  for (size_t i = 0; i < table->room; i++)
    if (table->entries[i].request)
      larger.entries[place_of(&larger, &table->entries[i].id)] = table->entries[i];
  free(table->entries);
  *table = larger;
  return true;
}

bool request_table_add(struct request_table *table, const struct bus_uuid *id, void *request) {
  if (table->count * 2 >= table->room && !grow_table(table))
    return false;
  table->entries[place_of(table, id)] = (struct request_entry){.id = *id, .request = request};
  table->count++;
  return true;
}

void *request_table_find(const struct request_table *table, const struct bus_uuid *id) {
  return table->room == 0 ? NULL : table->entries[place_of(table, id)].request;
}

/* Those behind the gap that could not be reached any more move into it. */
static void close_gap(struct request_table *table, size_t gap) {
  size_t mask = table->room - 1;
  for (size_t i = (gap + 1) & mask; table->entries[i].request; i = (i + 1) & mask) {
    size_t home = home_of(table, &table->entries[i].id);
    if (((i - home) & mask) >= ((i - gap) & mask)) {
      table->entries[gap] = table->entries[i];
      gap = i;
    }
  }
  table->entries[gap].request = NULL;
}

void request_table_remove(struct request_table *table, const struct bus_uuid *id) {
  if (request_table_find(table, id) == NULL)
    return;
  close_gap(table, place_of(table, id));
  table->count--;
}

void request_table_done(struct request_table *table) {
  free(table->entries);
  *table = (struct request_table){.entries = NULL};
}

struct request_bundle *request_bundle_new(struct request_table *bundles, const struct bus_uuid *id, size_t count) {
  struct request_bundle *bundle = calloc(1, sizeof *bundle + count * sizeof *bundle->members);
  if (bundle == NULL)
    return NULL;
  bundle->id = *id;
  bundle->count = count;
  if (request_table_add(bundles, id, bundle))
    return bundle;
  free(bundle);
  return NULL;
}

void request_bundle_free(struct request_table *bundles, struct request_bundle *bundle) {
  request_table_remove(bundles, &bundle->id);
  free(bundle);
}

void request_bundles_reset(struct request_table *bundles) {
  for (size_t i = 0; i < bundles->room; i++)
    free(bundles->entries[i].request);
  request_table_done(bundles);
}

static struct window_entry *window_at(const struct request_window *window, uint64_t seq) {
  return &window->ring[seq & (window->room - 1)];
}

void request_window_reset(struct request_window *window) {
  window->low = window->next = 1;
  window->bytes = 0;
}

static bool grow_window(struct request_window *window) {
  struct request_window larger = *window;
  larger.room = window->room ? window->room * 2 : WINDOW_FIRST;
  larger.ring = calloc(larger.room, sizeof *larger.ring);
  if (larger.ring == NULL)
    return false;
  for (uint64_t seq = window->low; seq < window->next; seq++)
    *window_at(&larger, seq) = *window_at(window, seq);
  free(window->ring);
  *window = larger;
  return true;
}

bool request_window_push(struct request_window *window, uint64_t seq, const struct window_entry *entry) {
  if (window->next - window->low >= window->room && !grow_window(window))
    return false;
  struct window_entry *place = window_at(window, seq);
  *place = *entry;
  place->open = true;
  window->bytes += entry->bytes;
  window->next = seq + 1;
  return true;
}

void request_window_confirm(struct request_window *window, uint64_t seq, bool multiple,
                            void (*visit)(void *context, const struct window_entry *entry), void *context) {
  if (seq < window->low || seq >= window->next)
    return;
  for (uint64_t s = multiple ? window->low : seq; s <= seq; s++) {
    struct window_entry *entry = window_at(window, s);
    if (!entry->open)
      continue;
    entry->open = false;
    window->bytes -= entry->bytes;
    visit(context, entry);
  }
  while (window->low < window->next && !window_at(window, window->low)->open)
    window->low++;
}

void request_window_done(struct request_window *window) {
  free(window->ring);
  *window = (struct request_window){.ring = NULL};
}
