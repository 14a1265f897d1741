/* The cache of products: 1,024 sets of four places. */
#include "product_cache.h"

#include <bus/hash.h>

#include <pthread.h>
#include <stdlib.h>

enum { SETS = 1024, PLACES = 4 };

struct place {
  char id[STOCK_PRODUCT_ID_MAX], name[STOCK_NAME_MAX], currency[STOCK_CURRENCY_LEN];
  struct product_view view; /* its texts are the ones above */
  int64_t until;            /* 0: empty */
};

struct set {
  struct place places[PLACES];
  uint64_t changes; /* of products that belong here */
};

struct product_cache {
  int64_t lifetime;
  pthread_mutex_t mutex;
  bool open;      /* under the mutex, as what follows */
  uint64_t epoch; /* counts how often all was forgotten */
  struct set sets[SETS];
};

struct product_cache *product_cache_new(int64_t lifetime) {
  struct product_cache *cache = calloc(1, sizeof *cache); /* pages without products stay untouched */
  if (!cache)
    return NULL;
  cache->lifetime = lifetime;
  (void)pthread_mutex_init(&cache->mutex, NULL); /* a default mutex: cannot fail on Linux */
  return cache;
}

void product_cache_free(struct product_cache *cache) {
  if (cache)
    (void)pthread_mutex_destroy(&cache->mutex);
  free(cache);
}

static void forget_all(struct product_cache *cache) {
  cache->epoch++;
  for (size_t s = 0; s < SETS; s++)
    for (size_t p = 0; p < PLACES; p++)
      if (cache->sets[s].places[p].until != 0)
        cache->sets[s].places[p].until = 0;
}

static void set_open(struct product_cache *cache, bool open) {
  (void)pthread_mutex_lock(&cache->mutex);
  cache->open = open;
  forget_all(cache);
  (void)pthread_mutex_unlock(&cache->mutex);
}

void product_cache_open(struct product_cache *cache) {
  set_open(cache, true);
}

void product_cache_close(struct product_cache *cache) {
  set_open(cache, false);
}

static struct set *set_of(struct product_cache *cache, struct bus_str id) {
  return &cache->sets[bus_hash64(id.data, id.len) % SETS];
}

static struct place *place_of(struct set *set, struct bus_str id) {
  for (size_t p = 0; p < PLACES; p++)
    if (set->places[p].until != 0 && bus_str_equal(set->places[p].view.product_id, id))
      return &set->places[p];
  return NULL;
}

static bool copy(const struct product_view *view, struct bus_arena *arena, struct product_view *ret) {
  *ret = *view;
  ret->product_id = bus_arena_copy(arena, view->product_id);
  ret->name = bus_arena_copy(arena, view->name);
  ret->currency = bus_arena_copy(arena, view->currency);
  return ret->product_id.data && ret->name.data && ret->currency.data;
}

bool product_cache_find(struct product_cache *cache, struct bus_str product_id, int64_t now, struct bus_arena *arena,
                        struct product_view *ret, struct product_ticket *ret_ticket) {
  struct set *set = set_of(cache, product_id);
  (void)pthread_mutex_lock(&cache->mutex);
  const struct place *place = place_of(set, product_id);
  bool found = place && now < place->until && copy(&place->view, arena, ret);
  *ret_ticket = (struct product_ticket){cache->epoch, set->changes};
  (void)pthread_mutex_unlock(&cache->mutex);
  return found;
}

static struct bus_str put(char *room, size_t size, struct bus_str text) {
  size_t len = text.len < size ? text.len : size;
  if (len > 0)
    memcpy(room, text.data, len);
  return (struct bus_str){room, len};
}

/* Its own, an empty one, or the one that ends first. */
static struct place *room_for(struct set *set, struct bus_str id) {
  struct place *own = place_of(set, id), *first = &set->places[0];
  for (size_t p = 1; p < PLACES; p++)
    if (set->places[p].until < first->until)
      first = &set->places[p];
  return own ? own : first;
}

static bool fits(const struct product_view *product) {
  return product->product_id.len <= STOCK_PRODUCT_ID_MAX && product->name.len <= STOCK_NAME_MAX &&
         product->currency.len <= STOCK_CURRENCY_LEN;
}

void product_cache_keep(struct product_cache *cache, const struct product_ticket *ticket,
                        const struct product_view *product, int64_t now) {
  struct set *set = set_of(cache, product->product_id);
  if (!fits(product) || cache->lifetime <= 0)
    return;
  (void)pthread_mutex_lock(&cache->mutex);
  if (cache->open && cache->epoch == ticket->epoch && set->changes == ticket->changes) {
    struct place *place = room_for(set, product->product_id);
    place->view = *product;
    place->view.product_id = put(place->id, sizeof place->id, product->product_id);
    place->view.name = put(place->name, sizeof place->name, product->name);
    place->view.currency = put(place->currency, sizeof place->currency, product->currency);
    place->until = now + cache->lifetime;
  }
  (void)pthread_mutex_unlock(&cache->mutex);
}

void product_cache_forget(struct product_cache *cache, struct bus_str product_id) {
  struct set *set = set_of(cache, product_id);
  (void)pthread_mutex_lock(&cache->mutex);
  set->changes++;
  struct place *place = place_of(set, product_id);
  if (place)
    place->until = 0;
  (void)pthread_mutex_unlock(&cache->mutex);
}
