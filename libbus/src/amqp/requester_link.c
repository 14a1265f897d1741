/* Applies broker events to requests: confirms, returns, answers, alarms, lost connections. */
#include "requester.h"

#include <bus/bundle.h>
#include <bus/clock.h>
#include <bus/failpoint.h>
#include <bus/log.h>

#include <stdio.h>

/* ---- confirms and returns ---- */

struct confirm {
  struct bus_requester *requester;
  int64_t now;
  bool ack;
};

static void count_nacks(const struct confirm *confirm) {
  struct bus_requester *requester = confirm->requester;
  if (confirm->ack)
    bus_nacks_end(&requester->nacks);
  else if (bus_nacks_add(&requester->nacks, confirm->now))
    requester->deaf = true;
}

/* A query's confirm promises nothing: the message expires by its queue's TTL. */
static void settle(const struct confirm *confirm, struct bus_pending *pending, uint32_t generation) {
  if (pending->generation != generation || !pending->open || pending->state != BUS_REQUEST_SENT)
    return;
  if (!confirm->ack)
    requester_set_state(pending, BUS_REQUEST_REFUSED);
  else if (!pending->query)
    requester_set_state(pending, BUS_REQUEST_CONFIRMED);
}

static void on_settled(void *context, const struct window_entry *entry) {
  const struct confirm *confirm = context;
  struct request_bundle *bundle = entry->bundle;
  if (!entry->query) /* nacked queries do not concern the command queues */
    count_nacks(confirm);
  if (bundle == NULL) {
    settle(confirm, entry->request, entry->generation);
    return;
  }
  for (size_t i = 0; i < bundle->count; i++) {
    if (i > 0)
      BUS_CRASH_POINT("requester.bundle-confirmed"); /* some of its callers are answered */
    settle(confirm, bundle->members[i].request, bundle->members[i].generation);
  }
  request_bundle_free(&confirm->requester->bundles, bundle);
}

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  struct bus_requester *requester = context;
  struct confirm confirm = {.requester = requester, .now = bus_monotonic(), .ack = ack};
  if (BUS_FAIL_POINT("requester.before-confirm", bus_amqp_fd(requester->publishing)))
    confirm.ack = false;
  pthread_mutex_lock(&requester->lock);
  request_window_confirm(&requester->window, seq, multiple, on_settled, &confirm);
  pthread_mutex_unlock(&requester->lock);
  BUS_CUT_POINT("requester.after-confirm", bus_amqp_fd(requester->publishing));
}

static void set_unroutable(struct bus_pending *pending) {
  if (pending && pending->state == BUS_REQUEST_SENT)
    requester_set_state(pending, BUS_REQUEST_UNROUTABLE);
}

/* The confirm of the publication follows, and frees its bundle. */
static void on_returned(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key) {
  struct bus_requester *requester = context;
  const struct request_bundle *bundle = request_table_find(&requester->bundles, message_id);
  (void)exchange;
  (void)key;
  pthread_mutex_lock(&requester->lock);
  if (bundle == NULL)
    set_unroutable(request_table_find(&requester->table, message_id));
  for (size_t i = 0; bundle && i < bundle->count; i++) {
    struct bus_pending *pending = bundle->members[i].request;
    if (pending->open && pending->generation == bundle->members[i].generation)
      set_unroutable(pending);
  }
  pthread_mutex_unlock(&requester->lock);
}

/* ---- answers ---- */

static struct answer *copy_answer(struct bus_requester *requester, struct bus_str type, struct bus_str body) {
  struct bus_arena *arena = requester_take_arena(requester);
  if (arena == NULL)
    arena = bus_arena_new(ARENA_LIMIT);
  struct answer *answer = arena ? bus_arena_alloc(arena, sizeof *answer) : NULL;
  if (answer) {
    answer->arena = arena;
    answer->type = bus_arena_copy(arena, type);
    answer->body = bus_arena_copy(arena, body);
  }
  if (answer && answer->type.data && answer->body.data)
    return answer;
  bus_arena_free(arena);
  return NULL;
}

/* An answer proves that the request arrived, whatever became of its confirm. */
static void add_answer(struct bus_pending *pending, struct answer *answer) {
  if (pending->last)
    pending->last->next = answer;
  else
    pending->first = answer;
  pending->last = answer;
  pending->answer_count++;
  if (pending->state == BUS_REQUEST_SENT || pending->state == BUS_REQUEST_LOST)
    pending->state = BUS_REQUEST_CONFIRMED;
  requester_notify(pending);
}

/* With the lock held. False: the answer was dropped for want of memory. */
static bool take_answer(struct bus_requester *requester, const struct bus_envelope *envelope, struct bus_str body) {
  struct bus_pending *pending = request_table_find(&requester->table, &envelope->causation_id);
  if (pending == NULL || pending->answer_count >= ANSWERS_MAX)
    return true;
  struct answer *answer = copy_answer(requester, envelope->type, body);
  if (answer)
    add_answer(pending, answer);
  return answer != NULL;
}

/* One after the other: each belongs to a request of its own. */
static bool take_bundle(struct bus_requester *requester, const struct bus_delivery *delivery, struct bus_error *err) {
  struct bus_bundle_element *elements;
  size_t count, lost = 0;
  bus_arena_reset(requester->cut);
  if (!bus_bundle_cut(&delivery->envelope, delivery->body, requester->cut, &elements, &count, err))
    return false;
  pthread_mutex_lock(&requester->lock);
  for (size_t i = 0; i < count; i++)
    lost += !take_answer(requester, &elements[i].envelope, elements[i].body);
  pthread_mutex_unlock(&requester->lock);
  return lost == 0 || bus_fail(err, BUS_E_NOMEM, "no memory for %zu answers of a bundle", lost);
}

static bool take_single(struct bus_requester *requester, const struct bus_delivery *delivery, struct bus_error *err) {
  if (delivery->body.data == NULL || delivery->envelope.type.data == NULL)
    return bus_fail(err, BUS_E_DECODE, "too large, or without type");
  pthread_mutex_lock(&requester->lock);
  bool taken = take_answer(requester, &delivery->envelope, delivery->body);
  pthread_mutex_unlock(&requester->lock);
  return taken || bus_fail(err, BUS_E_NOMEM, "no memory");
}

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  struct bus_requester *requester = context;
  struct bus_error err;
  bool taken;
  if (BUS_FAIL_POINT("requester.answer", bus_amqp_fd(requester->consuming)))
    taken = bus_fail(&err, BUS_E_NOMEM, "failpoint");
  else if (delivery->envelope.bundle)
    taken = take_bundle(requester, delivery, &err);
  else
    taken = take_single(requester, delivery, &err);
  if (!taken)
    bus_log(BUS_WARN, "answer dropped", BUS_F_STR("why", err.text),
            BUS_F_UUID("message_id", &delivery->envelope.message_id), BUS_F_TRACE(&delivery->envelope.trace));
}

static void on_cancelled(void *context, int consumer) {
  struct bus_requester *requester = context;
  (void)consumer;
  requester->reply_queue_gone = true;
}

/* ---- alarms and loss ---- */

static void refuse_queue(struct bus_requester *requester) {
  while (requester->queue_first) {
    struct bus_pending *pending = requester->queue_first;
    requester->queue_first = pending->next;
    pending->queued = false;
    requester_set_state(pending, BUS_REQUEST_UNAVAILABLE);
    requester_let_go(pending);
  }
  requester->queue_last = NULL;
}

static void on_blocked(void *context, bool blocked, struct bus_str reason) {
  struct bus_requester *requester = context;
  pthread_mutex_lock(&requester->lock);
  atomic_store(&requester->blocked, blocked);
  (void)snprintf(requester->blocked_reason, sizeof requester->blocked_reason, "%.*s", (int)reason.len,
                 reason.data ? reason.data : "");
  if (blocked)
    refuse_queue(requester);
  pthread_mutex_unlock(&requester->lock);
  bus_log(BUS_WARN, blocked ? "broker blocked" : "broker unblocked", BUS_F_VIEW("reason", reason));
}

void requester_on_lost(struct bus_requester *requester) {
  pthread_mutex_lock(&requester->lock);
  atomic_store(&requester->up, false);
  atomic_store(&requester->blocked, false);
  refuse_queue(requester);
  for (struct request_chunk *chunk = requester->chunks; chunk; chunk = chunk->next)
    for (int i = 0; i < REQUEST_CHUNK; i++)
      if (chunk->items[i].open && chunk->items[i].state == BUS_REQUEST_SENT)
        requester_set_state(&chunk->items[i], BUS_REQUEST_LOST);
  pthread_mutex_unlock(&requester->lock);
  requester_wake_callers(requester);
}

const struct bus_amqp_events requester_publishing_events = {
    .confirm = on_confirm, .returned = on_returned, .blocked = on_blocked};
const struct bus_amqp_events requester_consuming_events = {.delivery = on_delivery, .cancelled = on_cancelled};
