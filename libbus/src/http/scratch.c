/* A bounded pool of arenas: the busiest moment's memory is given back when it is over. */
#include "internal.h"

#include <bus/clock.h>

#include <malloc.h>
#include <stdlib.h>

enum { KEPT_MAX = 16, ARENA_LIMIT = 8 * 1024 * 1024, KEPT_BYTES_MAX = 32 * 1024 };

void http_pool_init(struct http_pool *pool) {
  *pool = (struct http_pool){0};
  pthread_mutex_init(&pool->lock, NULL);
}

static void scratch_free(struct http_scratch *scratch) {
  if (scratch == NULL)
    return;
  bus_arena_free(scratch->arena);
  free(scratch);
}

void http_pool_done(struct http_pool *pool) {
  while (pool->kept) {
    struct http_scratch *scratch = pool->kept;
    pool->kept = scratch->next;
    scratch_free(scratch);
  }
  pthread_mutex_destroy(&pool->lock);
}

static struct http_scratch *scratch_new(void) {
  struct http_scratch *scratch = calloc(1, sizeof *scratch);
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  if (scratch == NULL || arena == NULL) {
    bus_arena_free(arena);
    free(scratch);
    return NULL;
  }
  uint64_t seed[4];
  bus_random_seed(seed);
  bus_uuid_source_init(&scratch->ids, seed);
  scratch->arena = arena;
  return scratch;
}

/* Is this the end of a busy moment whose surplus was freed? */
static bool leave_pool(struct http_pool *pool, bool freed) {
  pthread_mutex_lock(&pool->lock);
  pool->taken--;
  pool->trim_due = pool->trim_due || freed;
  bool trim = pool->trim_due && pool->taken == 0;
  pool->trim_due = pool->trim_due && !trim;
  pthread_mutex_unlock(&pool->lock);
  return trim;
}

struct http_scratch *http_scratch_take(struct http_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  struct http_scratch *scratch = pool->kept;
  if (scratch) {
    pool->kept = scratch->next;
    pool->kept_count--;
  }
  pool->taken++;
  pthread_mutex_unlock(&pool->lock);
  if (!scratch)
    scratch = scratch_new();
  if (!scratch)
    (void)leave_pool(pool, false); /* there is nothing to trim where memory is short */
  return scratch;
}

static bool keep_scratch(struct http_pool *pool, struct http_scratch *scratch) {
  if (bus_arena_used(scratch->arena) > KEPT_BYTES_MAX)
    return false;
  bus_arena_reset(scratch->arena);
  pthread_mutex_lock(&pool->lock);
  bool room = pool->kept_count < KEPT_MAX;
  if (room) {
    scratch->next = pool->kept;
    pool->kept = scratch;
    pool->kept_count++;
  }
  pthread_mutex_unlock(&pool->lock);
  return room;
}

void http_scratch_give(struct http_pool *pool, struct http_scratch *scratch) {
  bool kept = keep_scratch(pool, scratch);
  if (!kept)
    scratch_free(scratch);
  if (leave_pool(pool, !kept))
    (void)malloc_trim(0); /* freed blocks lie between kept ones, so malloc would not return them by itself */
}
