/* The callers' side of requests: begin, wait, answer, end; and the requester's beginning and end. */
#include "requester.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* ---- states ---- */

static enum bus_request_state state_of(const struct bus_pending *pending) {
  return pending->first ? BUS_REQUEST_ANSWERED : pending->state;
}

/* Nothing better can come while nobody takes this. */
static bool is_enough(const struct bus_pending *pending, bool confirm_is_enough) {
  enum bus_request_state state = state_of(pending);
  return state != BUS_REQUEST_SENT && (state != BUS_REQUEST_CONFIRMED || confirm_is_enough);
}

void requester_wake_callers(struct bus_requester *requester) {
  struct wake_list *wakes = &requester->wakes;
  while (wakes->count > 0)
    pthread_cond_signal(&wakes->items[--wakes->count]->changed);
}

void requester_notify(struct bus_pending *pending) {
  struct bus_requester *requester = pending->owner;
  if (!pending->waiting || !is_enough(pending, pending->confirm_is_enough))
    return;
  if (requester->wakes.count == WAKES_MAX)
    requester_wake_callers(requester); /* with the lock, for once */
  requester->wakes.items[requester->wakes.count++] = pending;
}

void requester_set_state(struct bus_pending *pending, enum bus_request_state state) {
  pending->state = state;
  requester_notify(pending);
}

/* ---- begin ---- */

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
  if (requester->asleep) {
    requester->asleep = false;
    requester_wake(requester);
  }
}

static void fill(struct bus_pending *pending, const struct bus_request *request, struct bus_arena *arena,
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
  bus_uuid_v7(&requester->ids, now, &pending->envelope.message_id);
  bus_trace_child(request->trace, &requester->ids, &pending->envelope.trace);
}

/* With the lock held, and the body encoded. */
static struct bus_pending *admit(struct bus_requester *requester, const struct bus_request *request,
                                 struct bus_arena *arena, struct bus_str body) {
  if (!is_accepting(requester)) {
    requester_keep_arena(requester, arena);
    return &requester->unavailable;
  }
  struct bus_pending *pending = requester_take_pending(requester);
  if (pending == NULL) {
    requester_keep_arena(requester, arena);
    return NULL;
  }
  fill(pending, request, arena, body);
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

static struct timespec timespec_of(int64_t monotonic) {
  int64_t time = monotonic < 0 ? 0 : monotonic;
  return (struct timespec){.tv_sec = (time_t)(time / BUS_SECOND), .tv_nsec = (long)(time % BUS_SECOND * 1000)};
}

enum bus_request_state bus_request_wait(struct bus_pending *pending, int64_t until, bool confirm_is_enough) {
  struct bus_requester *requester = pending->owner;
  struct timespec deadline = timespec_of(until);
  if (pending == &requester->unavailable)
    return BUS_REQUEST_UNAVAILABLE;
  pthread_mutex_lock(&requester->lock);
  pending->confirm_is_enough = confirm_is_enough;
  pending->waiting = true;
  while (!is_enough(pending, confirm_is_enough))
    if (pthread_cond_timedwait(&pending->changed, &requester->lock, &deadline) != 0)
      break;
  pending->waiting = false;
  enum bus_request_state state = state_of(pending);
  pthread_mutex_unlock(&requester->lock);
  return state;
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

static bool decode_as(const struct bus_pending *pending, const struct answer *answer,
                      const struct bus_message_type *type, struct bus_arena *arena, const void **ret_body) {
  struct bus_problems problems = {.count = 0};
  void *body = bus_arena_alloc(arena, type->schema->size);
  if (body && bus_decode(type->schema, answer->body, BUS_IGNORE_UNKNOWN, arena, body, &problems)) {
    *ret_body = body;
    return true;
  }
  char why[256] = "out of memory";
  if (body)
    bus_problems_text(&problems, why, sizeof why);
  log_refused(pending, answer, why);
  return false;
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

/* ---- the requester itself ---- */

static bool is_instance(const char *text) {
  size_t len = text ? strlen(text) : 0;
  for (size_t i = 0; i < len; i++)
    if (!isalnum((unsigned char)text[i]) && text[i] != '-')
      return false;
  return len >= 1 && len <= 40;
}

static bool copy_settings(struct bus_requester *requester, const struct bus_requester_settings *settings) {
  requester->url = strdup(settings->amqp_url);
  requester->ca_file = settings->ca_file ? strdup(settings->ca_file) : NULL;
  requester->heartbeat_s = settings->heartbeat_s > 0 ? settings->heartbeat_s : 10;
  requester->max_open = settings->max_open > 0 ? (size_t)settings->max_open : MAX_OPEN;
  requester->max_unconfirmed = settings->max_unconfirmed > 0 ? settings->max_unconfirmed : MAX_UNCONFIRMED;
  (void)snprintf(requester->name, sizeof requester->name, "%s", settings->service);
  int len = snprintf(requester->reply_queue, sizeof requester->reply_queue, "%s.reply.%s", settings->service,
                     settings->instance);
  return requester->url && (!settings->ca_file || requester->ca_file) && len > 0 &&
         (size_t)len < sizeof requester->reply_queue;
}

static bool init_sync(struct bus_requester *requester) {
  pthread_condattr_t monotonic;
  requester->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  pthread_mutex_init(&requester->lock, NULL); /* these two cannot fail on Linux */
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&requester->drained, &monotonic);
  pthread_condattr_destroy(&monotonic);
  return requester->wake_fd >= 0;
}

static void destroy(struct bus_requester *requester) {
  requester_pool_done(requester);
  request_table_done(&requester->table);
  request_window_done(&requester->window);
  bus_arena_free(requester->incoming);
  pthread_cond_destroy(&requester->drained);
  pthread_mutex_destroy(&requester->lock);
  if (requester->wake_fd >= 0)
    close(requester->wake_fd);
  if (requester->url)
    explicit_bzero(requester->url, strlen(requester->url));
  free(requester->url);
  free(requester->ca_file);
  free(requester);
}

static bool init(struct bus_requester *requester, const struct bus_requester_settings *settings,
                 struct bus_error *err) {
  uint64_t seed[4];
  bool sync = init_sync(requester);
  requester->unavailable = (struct bus_pending){.owner = requester, .state = BUS_REQUEST_UNAVAILABLE};
  requester->incoming = bus_arena_new(ARENA_LIMIT * 4);
  bus_random_seed(seed);
  bus_uuid_source_init(&requester->ids, seed);
  if (!copy_settings(requester, settings) || requester->incoming == NULL)
    return bus_fail(err, BUS_E_NOMEM, "no memory for a requester");
  if (!sync || pthread_create(&requester->thread, NULL, requester_run, requester) != 0)
    return bus_fail(err, BUS_E_SYSTEM, "no event descriptor or thread for a requester");
  return true;
}

bool bus_requester_new(const struct bus_requester_settings *settings, struct bus_requester **ret,
                       struct bus_error *err) {
  if (!bus_amqp_url_check(settings->amqp_url, err))
    return false;
  if (!is_instance(settings->instance) || strlen(settings->service) >= BUS_NAME_MAX)
    return bus_fail(err, BUS_E_CONFIG, "a requester's instance is 1 to 40 letters, digits and hyphens");
  struct bus_requester *requester = calloc(1, sizeof *requester);
  if (requester == NULL)
    return bus_fail(err, BUS_E_NOMEM, "no memory for a requester");
  if (!init(requester, settings, err)) {
    destroy(requester);
    return false;
  }
  *ret = requester;
  return true;
}

/* True once nobody holds a request any more. With the lock held. */
static bool wait_until_drained(struct bus_requester *requester, int64_t ms) {
  struct timespec deadline = timespec_of(bus_monotonic() + ms * BUS_MILLISECOND);
  while (requester->open_count > 0)
    if (pthread_cond_timedwait(&requester->drained, &requester->lock, &deadline) != 0)
      break;
  return requester->open_count == 0;
}

void bus_requester_free(struct bus_requester *requester) {
  if (requester == NULL)
    return;
  pthread_mutex_lock(&requester->lock);
  requester->closing = true;
  (void)wait_until_drained(requester, DRAIN_MS); /* who is late is told so by the thread's end */
  pthread_mutex_unlock(&requester->lock);
  atomic_store(&requester->stopping, true);
  requester_wake(requester);
  pthread_join(requester->thread, NULL);
  pthread_mutex_lock(&requester->lock);
  bool drained = wait_until_drained(requester, DRAIN_MS);
  pthread_mutex_unlock(&requester->lock);
  if (drained)
    destroy(requester); /* else a caller still holds a request: better lost than used after it was freed */
}

bool bus_requester_is_up(const struct bus_requester *requester) {
  return atomic_load(&requester->up);
}

bool bus_requester_is_blocked(const struct bus_requester *requester) {
  return atomic_load(&requester->blocked);
}
