/* The keyed set of a batch's rows, as far as it needs no database. */
#include <bus/aggregate.h>
#include <bus/effects.h>

#include <assert.h>
#include <stdlib.h>

enum { STORED = 1 << 0, CHANGED = 1 << 1, FIRST_ROOM = 16 };

static const struct bus_column *key_column(const struct bus_set *set) {
  return &set->table->columns[0];
}

static bool is_text(const struct bus_set *set) {
  return key_column(set)->cell == BUS_CELL_TEXT;
}

static size_t key_size(const struct bus_set *set) {
  return is_text(set) ? sizeof(struct bus_str) : sizeof(struct bus_uuid);
}

static int compare_ids(const void *a, const void *b) {
  return bus_uuid_compare(a, b);
}

/* Order of the bytes, which is Postgres's order of text COLLATE "C". */
static int compare_texts(const void *a, const void *b) {
  const struct bus_str *left = a, *right = b;
  size_t common = left->len < right->len ? left->len : right->len;
  int order = common > 0 ? memcmp(left->data, right->data, common) : 0;
  if (order != 0)
    return order;
  return left->len < right->len ? -1 : left->len > right->len;
}

void bus_set_init(struct bus_set *set, const struct bus_table *table, size_t size, struct bus_arena *arena) {
  *set = (struct bus_set){.table = table, .size = size ? size : table->size, .arena = arena};
}

void bus_set_add(struct bus_set *set, const void *key) {
  size_t size = key_size(set), used = set->key_count * size;
  char *keys = bus_arena_grow(set->arena, set->keys, used, used + size, FIRST_ROOM * size, &set->key_room);
  set->failed |= keys == NULL;
  if (set->failed)
    return;
  memcpy(keys + used, key, size);
  set->keys = keys;
  set->key_count++;
}

/* Sorts the keys and drops repetitions. */
static void sort_keys(struct bus_set *set) {
  size_t size = key_size(set), kept = 0;
  int (*compare)(const void *, const void *) = is_text(set) ? compare_texts : compare_ids;
  if (set->key_count > 0)
    qsort(set->keys, set->key_count, size, compare);
  for (size_t i = 0; i < set->key_count; i++) {
    const char *key = set->keys + i * size;
    if (kept > 0 && compare(set->keys + (kept - 1) * size, key) == 0)
      continue;
    if (kept != i)
      memcpy(set->keys + kept * size, key, size);
    kept++;
  }
  set->key_count = kept;
}

bool bus_set_open(struct bus_set *set) {
  if (set->failed)
    return false;
  sort_keys(set);
  set->rows = bus_arena_array(set->arena, set->key_count + 1, set->size);
  set->marks = bus_arena_array(set->arena, set->key_count + 1, sizeof *set->marks);
  if (!set->rows || !set->marks)
    return false;
  set->count = set->key_count;
  for (size_t i = 0; i < set->count; i++) {
    char *row = bus_set_at(set, i);
    bus_row_init(set->table, row);
    memcpy(row + key_column(set)->offset, set->keys + i * key_size(set), key_size(set));
  }
  return true;
}

bool bus_table_changes(const struct bus_table *table) {
  for (size_t i = 0; i < table->column_count; i++)
    if (table->columns[i].flags & BUS_CHANGING)
      return true;
  return false;
}

void *bus_set_at(const struct bus_set *set, size_t index) {
  assert(index < set->count);
  return set->rows + index * set->size;
}

void *bus_set_find(const struct bus_set *set, const void *key) {
  const char *found =
      set->count > 0 ? bsearch(key, set->keys, set->count, key_size(set), is_text(set) ? compare_texts : compare_ids)
                     : NULL;
  return found ? bus_set_at(set, (size_t)(found - set->keys) / key_size(set)) : NULL;
}

static unsigned char *mark_of(const struct bus_set *set, const void *row) {
  size_t index = (size_t)((const char *)row - set->rows) / set->size;
  assert(index < set->count);
  return &set->marks[index];
}

void bus_set_change(struct bus_set *set, const void *row) {
  *mark_of(set, row) |= CHANGED;
}

void bus_set_keep(struct bus_set *set, const void *row) {
  *mark_of(set, row) |= STORED;
}

bool bus_set_is_stored(const struct bus_set *set, const void *row) {
  return (*mark_of(set, row) & STORED) != 0;
}

bool bus_set_is_changed(const struct bus_set *set, const void *row) {
  return (*mark_of(set, row) & CHANGED) != 0;
}

void bus_set_notify(const struct bus_set *set, struct bus_effects *effects, const struct bus_message_type *type,
                    bool (*take)(const void *row, void *ret)) {
  size_t size = type->schema->fields[0].item->size, count = 0;
  char *items = set->count > 0 ? bus_effects_array(effects, set->count, size) : NULL;
  for (size_t i = 0; items && i < set->count; i++)
    count += take(bus_set_at(set, i), items + count * size);
  bus_notify_list(effects, type, items, count);
}
