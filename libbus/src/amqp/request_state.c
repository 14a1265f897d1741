/* The state that callers and the I/O thread share: requests and arenas, kept so that the steady state allocates
 * nothing; what is known of each request; and who is to be woken. */
#include "requester.h"

#include <bus/clock.h>

#include <stdlib.h>
#include <sys/eventfd.h>

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

static bool add_chunk(struct bus_requester *requester) {
  struct request_chunk *chunk = calloc(1, sizeof *chunk);
  if (chunk == NULL)
    return false;
  chunk->next = requester->chunks;
  requester->chunks = chunk;
  for (int i = 0; i < REQUEST_CHUNK; i++) {
    chunk->items[i].owner = requester;
    bus_cond_init(&chunk->items[i].changed);
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
      pthread_cond_destroy(&chunk->items[i].changed);
    }
    free(chunk);
  }
  while (requester->pool.count > 0)
    bus_arena_free(requester->pool.items[--requester->pool.count]);
}

/* ---- states ---- */

enum bus_request_state requester_state_of(const struct bus_pending *pending) {
  return pending->first ? BUS_REQUEST_ANSWERED : pending->state;
}

bool requester_is_enough(const struct bus_pending *pending, bool confirm_is_enough) {
  enum bus_request_state state = requester_state_of(pending);
  return state != BUS_REQUEST_SENT && (state != BUS_REQUEST_CONFIRMED || confirm_is_enough);
}

void requester_wake_callers(struct bus_requester *requester) {
  struct wake_list *wakes = &requester->wakes;
  while (wakes->count > 0)
    pthread_cond_signal(&wakes->items[--wakes->count]->changed);
}

void requester_notify(struct bus_pending *pending) {
  struct bus_requester *requester = pending->owner;
  if (!pending->waiting || !requester_is_enough(pending, pending->confirm_is_enough))
    return;
  if (requester->wakes.count == WAKES_MAX)
    requester_wake_callers(requester); /* with the lock, for once */
  requester->wakes.items[requester->wakes.count++] = pending;
}

void requester_set_state(struct bus_pending *pending, enum bus_request_state state) {
  pending->state = state;
  requester_notify(pending);
}

void requester_wake(struct bus_requester *requester) {
  (void)eventfd_write(requester->wake_fd, 1); /* fails only when it is full of wakes */
}
