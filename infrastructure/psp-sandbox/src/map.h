/* Texts to pointers: a hash table that only grows. Keys and values are the caller's and must stay. */
#ifndef PSP_MAP_H
#define PSP_MAP_H

#include <bus/base.h>

struct psp_map {
  struct psp_map_slot {
    struct bus_str key;
    void *value;
  } * slots;
  size_t size, count;
};

/* NULL: not there. */
void *psp_map_get(const struct psp_map *map, struct bus_str key);
/* The key must not be there yet. False: out of memory. */
bool psp_map_put(struct psp_map *map, struct bus_str key, void *value) BUS_MUST_CHECK;
/* Frees the table, not what it points to. */
void psp_map_done(struct psp_map *map);

#endif
