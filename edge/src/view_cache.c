/* The cache of views: sets of four places, each with a view as JSON. */
#include "view_cache.h"

#include <bus/hash.h>

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { PLACES = 4 };

struct place {
  char key[VIEW_KEY_MAX];
  size_t key_len;
  char *json; /* NULL: there was none yet */
  size_t len;
  int64_t until; /* 0: empty */
};

struct set {
  struct place places[PLACES];
  uint64_t changes; /* of keys that belong here */
};

struct view_cache {
  const struct bus_schema *schema;
  int64_t lifetime;
  pthread_mutex_t mutex;
  bool open;      /* under the mutex, as what follows */
  uint64_t epoch; /* counts how often all was forgotten */
  size_t set_count;
  struct set sets[];
};

struct view_cache *view_cache_new(const struct bus_schema *schema, size_t room, int64_t lifetime) {
  size_t sets = (room + PLACES - 1) / PLACES;
  assert(sets > 0);
  /* Pages without views stay untouched. */
  struct view_cache *cache = calloc(1, sizeof *cache + sets * sizeof *cache->sets);
  if (!cache)
    return NULL;
  cache->schema = schema;
  cache->lifetime = lifetime;
  cache->set_count = sets;
  (void)pthread_mutex_init(&cache->mutex, NULL); /* a default mutex: cannot fail on Linux */
  return cache;
}

/* Every place: visit(it). Without the pages of those that never held a view. */
static void visit_all(struct view_cache *cache, void (*visit)(struct place *place)) {
  for (size_t s = 0; s < cache->set_count; s++)
    for (size_t p = 0; p < PLACES; p++)
      if (cache->sets[s].places[p].json)
        visit(&cache->sets[s].places[p]);
}

static void empty(struct place *place) {
  free(place->json);
  place->json = NULL;
  place->until = 0;
}

void view_cache_free(struct view_cache *cache) {
  if (!cache)
    return;
  visit_all(cache, empty);
  (void)pthread_mutex_destroy(&cache->mutex);
  free(cache);
}

static void set_open(struct view_cache *cache, bool open) {
  (void)pthread_mutex_lock(&cache->mutex);
  cache->open = open;
  cache->epoch++;
  visit_all(cache, empty);
  (void)pthread_mutex_unlock(&cache->mutex);
}

void view_cache_open(struct view_cache *cache) {
  set_open(cache, true);
}

void view_cache_close(struct view_cache *cache) {
  set_open(cache, false);
}

static struct set *set_of(struct view_cache *cache, struct bus_str key) {
  return &cache->sets[bus_hash64(key.data, key.len) % cache->set_count];
}

static struct place *place_of(struct set *set, struct bus_str key) {
  for (size_t p = 0; p < PLACES; p++) {
    struct place *place = &set->places[p];
    if (place->until != 0 && bus_str_equal((struct bus_str){place->key, place->key_len}, key))
      return place;
  }
  return NULL;
}

bool view_cache_find(struct view_cache *cache, struct bus_str key, int64_t now, struct bus_arena *arena, void *ret,
                     struct view_ticket *ret_ticket) {
  struct set *set = set_of(cache, key);
  struct bus_str json = BUS_NO_STR;
  (void)pthread_mutex_lock(&cache->mutex);
  const struct place *place = place_of(set, key);
  if (place && now < place->until)
    json = bus_arena_copy(arena, (struct bus_str){place->json, place->len});
  *ret_ticket = (struct view_ticket){cache->epoch, set->changes};
  (void)pthread_mutex_unlock(&cache->mutex);
  return json.data && bus_decode(cache->schema, json, BUS_REFUSE_UNKNOWN, arena, ret, NULL);
}

/* Its own, an empty one, or the one that ends first. */
static struct place *room_for(struct set *set, struct bus_str key) {
  struct place *own = place_of(set, key), *first = &set->places[0];
  for (size_t p = 1; p < PLACES; p++)
    if (set->places[p].until < first->until)
      first = &set->places[p];
  return own ? own : first;
}

static void put(struct place *place, struct bus_str key, struct bus_str json, int64_t until) {
  char *room = realloc(place->json, json.len);
  if (!room) { /* what it held may be old now */
    place->until = 0;
    return;
  }
  place->json = memcpy(room, json.data, json.len);
  place->len = json.len;
  memcpy(place->key, key.data, key.len);
  place->key_len = key.len;
  place->until = until;
}

void view_cache_keep(struct view_cache *cache, const struct view_ticket *ticket, struct bus_str key, const void *view,
                     struct bus_arena *arena, int64_t now) {
  struct set *set = set_of(cache, key);
  struct bus_str json;
  if (cache->lifetime <= 0 || key.len > VIEW_KEY_MAX || !bus_encode(cache->schema, view, arena, &json) ||
      json.len > VIEW_SIZE_MAX)
    return;
  (void)pthread_mutex_lock(&cache->mutex);
  if (cache->open && cache->epoch == ticket->epoch && set->changes == ticket->changes)
    put(room_for(set, key), key, json, now + cache->lifetime);
  (void)pthread_mutex_unlock(&cache->mutex);
}

void view_cache_forget(struct view_cache *cache, struct bus_str key) {
  struct set *set = set_of(cache, key);
  (void)pthread_mutex_lock(&cache->mutex);
  set->changes++;
  struct place *place = place_of(set, key);
  if (place)
    place->until = 0;
  (void)pthread_mutex_unlock(&cache->mutex);
}
