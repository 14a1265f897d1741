/* The callers' side of requests: begin, wait, answer, end. */
#include "requester.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdlib.h>

enum { VALID_MS = 5000 };

/* ---- begin ---- */

/* Another request has the id that was given: the confirm of one could not be told from that of the other. */
static bool is_repeated(const struct bus_requester *requester, const struct bus_request *request) {
  return request->message_id && request_table_find(&requester->table, request->message_id) != NULL;
}

static bool is_accepting(const struct bus_requester *requester) {
  return !requester->closing && requester->open_count < requester->max_open && atomic_load(&requester->up) &&
         !atomic_load(&requester->blocked);
}

static void enqueue(struct bus_requester *requester, struct bus_pending *pending) {
  pending->next = NULL;
  if (requester->queue_last)
    requester->queue_last->next = pending;
  else
    requester->queue_first = pending;
  requester->queue_last = pending;
  bool hastens = requester->gathering && pending->query; /* an asker waits for it, and no other joins it */
  requester->urgent |= pending->query;
  if (requester->asleep || hastens) {
    requester->asleep = requester->gathering = false;
    requester_wake(requester);
  }
}

static void fill_pending(struct bus_pending *pending, const struct bus_request *request, struct bus_arena *arena,
                         struct bus_str body) {
  struct bus_requester *requester = pending->owner;
  bus_time now = bus_wall_clock();
  pending->type = request->type;
  pending->query = request->type->exchange == BUS_EXCHANGE_QUERY;
  pending->state = BUS_REQUEST_SENT;
  pending->arena = arena;
  pending->body = body;
  pending->envelope = (struct bus_envelope){
      .type = bus_str(request->type->type),
      .correlation_id = request->correlation_id,
      .reply_to = bus_str(requester->reply_queue),
      .timestamp = now,
      .first_failed_at = BUS_NO_TIME,
  };
  if (request->type->writes)
    pending->envelope.deadline = now + (request->valid_ms > 0 ? request->valid_ms : VALID_MS) * BUS_MILLISECOND;
  if (request->message_id)
    pending->envelope.message_id = *request->message_id;
  else
    bus_uuid_v7(&requester->ids, now, &pending->envelope.message_id);
  if (bus_trace_is_set(request->trace)) { /* the caller's span is the parent of what the message causes */
    pending->envelope.trace = *request->trace;
  } else { /* a ping: log lines name its trace, and no spans are recorded of it */
    bus_trace_start(&requester->ids, &pending->envelope.trace);
    bus_trace_sample(&pending->envelope.trace, 0);
  }
  struct bus_str *state = &pending->envelope.trace.state;
  if (state->data) /* the caller's; it is left out where there is no memory for it */
    *state = bus_arena_copy(arena, *state);
}

/* With the lock held, and the body encoded. */
static struct bus_pending *admit(struct bus_requester *requester, const struct bus_request *request,
                                 struct bus_arena *arena, struct bus_str body) {
  if (!is_accepting(requester) || is_repeated(requester, request)) {
    requester_keep_arena(requester, arena);
    return &requester->unavailable;
  }
  struct bus_pending *pending = requester_take_pending(requester);
  if (pending == NULL) {
    requester_keep_arena(requester, arena);
    return NULL;
  }
  fill_pending(pending, request, arena, body);
  if (!request_table_add(&requester->table, &pending->envelope.message_id, pending)) {
    requester_let_go(pending);
    return NULL;
  }
  pending->open = pending->queued = true;
  requester->open_count++;
  enqueue(requester, pending);
  return pending;
}

/* Encoding takes no lock; an arena for it is taken under one, as a spare. */
static bool take_arena(struct bus_requester *requester, struct bus_arena **ret, bool *ret_accepting) {
  pthread_mutex_lock(&requester->lock);
  *ret_accepting = is_accepting(requester);
  *ret = *ret_accepting ? requester_take_arena(requester) : NULL;
  pthread_mutex_unlock(&requester->lock);
  if (*ret_accepting && *ret == NULL)
    *ret = bus_arena_new(ARENA_LIMIT);
  return *ret != NULL || !*ret_accepting;
}

struct bus_pending *bus_request_begin(struct bus_requester *requester, const struct bus_request *request) {
  struct bus_arena *arena;
  struct bus_str body;
  bool accepting;
  if (!take_arena(requester, &arena, &accepting))
    return NULL;
  if (!accepting)
    return &requester->unavailable;
  if (!bus_encode(request->type->schema, request->body, arena, &body)) {
    bus_arena_free(arena);
    return NULL;
  }
  pthread_mutex_lock(&requester->lock);
  struct bus_pending *pending = admit(requester, request, arena, body);
  pthread_mutex_unlock(&requester->lock);
  return pending;
}

/* ---- wait, answer, end ---- */

static enum bus_request_state wait_for(struct bus_pending *pending, int64_t until, bool confirm_is_enough,
                                       bool long_wait) {
  struct bus_requester *requester = pending->owner;
  if (pending == &requester->unavailable)
    return BUS_REQUEST_UNAVAILABLE;
  pthread_mutex_lock(&requester->lock);
  pending->confirm_is_enough = confirm_is_enough;
  pending->long_wait = long_wait;
  pending->waiting = true;
  while (!requester_is_enough(pending, confirm_is_enough) && !(long_wait && requester->hurried) &&
         bus_cond_wait(&pending->changed, &requester->lock, until))
    continue;
  pending->waiting = false;
  enum bus_request_state state = requester_state_of(pending);
  pthread_mutex_unlock(&requester->lock);
  return state;
}

enum bus_request_state bus_request_wait(struct bus_pending *pending, int64_t until, bool confirm_is_enough) {
  return wait_for(pending, until, confirm_is_enough, false);
}

enum bus_request_state bus_request_wait_long(struct bus_pending *pending, int64_t until) {
  return wait_for(pending, until, false, true);
}

void bus_requester_hurry(struct bus_requester *requester) {
  pthread_mutex_lock(&requester->lock);
  requester->hurried = true;
  for (struct request_chunk *chunk = requester->chunks; chunk; chunk = chunk->next)
    for (size_t i = 0; i < REQUEST_CHUNK; i++)
      if (chunk->items[i].waiting && chunk->items[i].long_wait)
        pthread_cond_signal(&chunk->items[i].changed);
  pthread_mutex_unlock(&requester->lock);
}

static struct answer *take_answer(struct bus_pending *pending) {
  pthread_mutex_lock(&pending->owner->lock);
  struct answer *answer = pending->first;
  if (answer) {
    pending->first = answer->next;
    if (pending->first == NULL)
      pending->last = NULL;
    pending->answer_count--;
  }
  pthread_mutex_unlock(&pending->owner->lock);
  return answer;
}

static void log_refused(const struct bus_pending *pending, const struct answer *answer, const char *why) {
  bus_log(BUS_WARN, "answer refused", BUS_F_STR("request_type", pending->type->type),
          BUS_F_VIEW("answer_type", answer->type), BUS_F_STR("why", why),
          BUS_F_UUID("message_id", &pending->envelope.message_id), BUS_F_TRACE(&pending->envelope.trace));
}

/* Decodes again to report the problems. A function of its own, so that its stack frame is not part of every answer's
 * decoding. */
__attribute__((noinline)) static void log_undecoded(const struct bus_pending *pending, const struct answer *answer,
                                                    const struct bus_message_type *type, struct bus_arena *arena) {
  char why[256] = "out of memory";
  struct bus_problems *problems = malloc(sizeof *problems); /* 4 KiB: too large for a stack that is one of hundreds */
  void *body = problems ? bus_arena_alloc(arena, type->schema->size) : NULL;
  if (body && !bus_decode(type->schema, answer->body, BUS_IGNORE_UNKNOWN, arena, body, problems))
    bus_problems_text(problems, why, sizeof why);
  free(problems);
  log_refused(pending, answer, why);
}

static bool decode_as(const struct bus_pending *pending, const struct answer *answer,
                      const struct bus_message_type *type, struct bus_arena *arena, const void **ret_body) {
  void *body = bus_arena_alloc(arena, type->schema->size);
  if (body == NULL || !bus_decode(type->schema, answer->body, BUS_IGNORE_UNKNOWN, arena, body, NULL)) {
    log_undecoded(pending, answer, type, arena);
    return false;
  }
  *ret_body = body;
  return true;
}

static bool decode_answer(const struct bus_pending *pending, const struct answer *answer,
                          const struct bus_message_type *const *types, size_t type_count, struct bus_arena *arena,
                          const struct bus_message_type **ret_type, const void **ret_body) {
  for (size_t i = 0; i < type_count; i++) {
    if (!bus_str_is(answer->type, types[i]->type))
      continue;
    if (!decode_as(pending, answer, types[i], arena, ret_body))
      return false;
    *ret_type = types[i];
    return true;
  }
  log_refused(pending, answer, "not a type that is awaited");
  return false;
}

bool bus_request_answer(struct bus_pending *pending, const struct bus_message_type *const *types, size_t type_count,
                        struct bus_arena *arena, const struct bus_message_type **ret_type, const void **ret_body) {
  struct bus_requester *requester = pending->owner;
  if (pending == &requester->unavailable)
    return false;
  struct answer *answer = take_answer(pending);
  if (answer == NULL)
    return false;
  bool decoded = decode_answer(pending, answer, types, type_count, arena, ret_type, ret_body);
  pthread_mutex_lock(&requester->lock);
  requester_keep_arena(requester, answer->arena);
  pthread_mutex_unlock(&requester->lock);
  return decoded;
}

void bus_request_end(struct bus_pending *pending) {
  if (pending == NULL || pending == &pending->owner->unavailable)
    return;
  struct bus_requester *requester = pending->owner;
  pthread_mutex_lock(&requester->lock);
  request_table_remove(&requester->table, &pending->envelope.message_id);
  requester_drop_answers(pending);
  pending->open = false;
  requester_let_go(pending);
  if (--requester->open_count == 0 && requester->closing)
    pthread_cond_signal(&requester->drained);
  pthread_mutex_unlock(&requester->lock);
}
