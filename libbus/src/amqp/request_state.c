/* Keeps requests and arenas for the next ones, so that the steady state allocates nothing. */
#include "requester.h"

#include <stdlib.h>
#include <time.h>

struct bus_arena *requester_take_arena(struct bus_requester *requester) {
  struct arena_pool *pool = &requester->pool;
  return pool->count > 0 ? pool->items[--pool->count] : NULL;
}

void requester_keep_arena(struct bus_requester *requester, struct bus_arena *arena) {
  struct arena_pool *pool = &requester->pool;
  if (arena == NULL)
    return;
  if (pool->count == ARENAS_KEPT || bus_arena_used(arena) > ARENA_KEPT_MAX) {
    bus_arena_free(arena);
    return;
  }
  bus_arena_reset(arena);
  pool->items[pool->count++] = arena;
}

static bool init_pending(struct bus_requester *requester, struct bus_pending *pending) {
  pthread_condattr_t monotonic;
  pending->owner = requester;
  if (pthread_condattr_init(&monotonic) != 0)
    return false;
  bool made = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&pending->changed, &monotonic) == 0;
  pthread_condattr_destroy(&monotonic);
  return made;
}

static bool add_chunk(struct bus_requester *requester) {
  struct request_chunk *chunk = calloc(1, sizeof *chunk);
  if (chunk == NULL)
    return false;
  chunk->next = requester->chunks;
  requester->chunks = chunk;
  for (int i = 0; i < REQUEST_CHUNK; i++) {
    if (!init_pending(requester, &chunk->items[i]))
      return i > 0;
    chunk->items[i].next = requester->free_list;
    requester->free_list = &chunk->items[i];
  }
  return true;
}

struct bus_pending *requester_take_pending(struct bus_requester *requester) {
  if (requester->free_list == NULL && !add_chunk(requester))
    return NULL;
  struct bus_pending *pending = requester->free_list;
  requester->free_list = pending->next;
  pending->next = NULL;
  return pending;
}

void requester_let_go(struct bus_pending *pending) {
  struct bus_requester *requester = pending->owner;
  if (pending->open || pending->queued)
    return;
  requester_keep_arena(requester, pending->arena);
  pending->arena = NULL;
  pending->generation++;
  pending->next = requester->free_list;
  requester->free_list = pending;
}

void requester_drop_answers(struct bus_pending *pending) {
  while (pending->first) {
    struct answer *answer = pending->first;
    pending->first = answer->next;
    requester_keep_arena(pending->owner, answer->arena);
  }
  pending->last = NULL;
  pending->answer_count = 0;
}

void requester_pool_done(struct bus_requester *requester) {
  while (requester->chunks) {
    struct request_chunk *chunk = requester->chunks;
    requester->chunks = chunk->next;
    for (int i = 0; i < REQUEST_CHUNK; i++) {
      requester_drop_answers(&chunk->items[i]);
      bus_arena_free(chunk->items[i].arena);
      if (chunk->items[i].owner)
        pthread_cond_destroy(&chunk->items[i].changed);
    }
    free(chunk);
  }
  while (requester->pool.count > 0)
    bus_arena_free(requester->pool.items[--requester->pool.count]);
}
