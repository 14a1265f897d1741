/* Open addressing with linear probing, at most half full. */
#include "map.h"

#include <stdlib.h>

enum { FIRST_SIZE = 256 };

static uint64_t hash(struct bus_str key) {
  uint64_t value = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < key.len; i++)
    value = (value ^ (unsigned char)key.data[i]) * UINT64_C(1099511628211);
  return value ^ (value >> 32);
}

/* Index of the key, or of the free slot for it. */
static struct psp_map_slot *find_slot(const struct psp_map *map, struct bus_str key) {
  size_t i = hash(key) & (map->size - 1);
  while (map->slots[i].value && !bus_str_equal(map->slots[i].key, key))
    i = (i + 1) & (map->size - 1);
  return &map->slots[i];
}

void *psp_map_get(const struct psp_map *map, struct bus_str key) {
  return map->size > 0 ? find_slot(map, key)->value : NULL;
}

static bool grow(struct psp_map *map) {
  struct psp_map larger = {.size = map->size ? map->size * 2 : FIRST_SIZE, .count = map->count};
  larger.slots = calloc(larger.size, sizeof larger.slots[0]);
  if (larger.slots == NULL)
    return false;
  for (size_t i = 0; i < map->size; i++)
    if (map->slots[i].value)
      *find_slot(&larger, map->slots[i].key) = map->slots[i];
  free(map->slots);
  *map = larger;
  return true;
}

bool psp_map_put(struct psp_map *map, struct bus_str key, void *value) {
  if (map->count * 2 >= map->size && !grow(map))
    return false;
  *find_slot(map, key) = (struct psp_map_slot){key, value};
  map->count++;
  return true;
}

void psp_map_done(struct psp_map *map) {
  free(map->slots);
  *map = (struct psp_map){0};
}
