/* Publications of a worker and the broker's reactions: confirms, returns, and deliveries that are retried or
 * dead-lettered. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdio.h>
#include <stdlib.h>

enum { ENVELOPE_BYTES = 512 }; /* frames and properties beside a body, roughly */
#define ROOM_PATIENCE (5 * BUS_SECOND)
#define HELD_RETRY BUS_SECOND
#define HELD_LOG_EVERY (10 * BUS_SECOND)

bool publish_init(struct bus_worker *worker) {
  worker->slips = calloc(UNCONFIRMED_MAX, sizeof *worker->slips);
  worker->lowest_open = worker->next_seq = 1;
  return worker->slips != NULL;
}

static void free_held(struct bus_worker *worker) {
  while (worker->held) {
    struct held *next = worker->held->next;
    free(worker->held);
    worker->held = next;
    metrics_add(worker, METRIC_HELD, -1);
  }
}

void publish_free(struct bus_worker *worker) {
  free_held(worker);
  free(worker->slips);
  free(worker->confirmed.ids);
  free(worker->unroutable.ids);
}

/* The connections are lost: the sweeper publishes outbox rows, the broker redelivers held deliveries. */
void publish_reset(struct bus_worker *worker) {
  memset(worker->slips, 0, UNCONFIRMED_MAX * sizeof *worker->slips);
  worker->lowest_open = worker->next_seq = 1;
  worker->unconfirmed_bytes = 0;
  worker->blocked = false;
  free_held(worker);
}

bool publish_is_open(const struct bus_worker *worker) {
  return worker->publishing && !worker->amqp_lost && !worker->blocked;
}

size_t publish_open_count(const struct bus_worker *worker) {
  return (size_t)(worker->next_seq - worker->lowest_open);
}

static bool has_room(const struct bus_worker *worker, size_t bytes) {
  bool alone = publish_open_count(worker) == 0;
  return alone || (publish_open_count(worker) < UNCONFIRMED_MAX - 1 &&
                   worker->unconfirmed_bytes + bytes + ENVELOPE_BYTES <= UNCONFIRMED_BYTES);
}

bool publish_wait_room(struct bus_worker *worker, size_t bytes) {
  int64_t patience = bus_monotonic() + ROOM_PATIENCE;
  while (publish_is_open(worker) && !has_room(worker, bytes)) {
    int64_t until = worker_bound(worker, patience, worker->stop_grace);
    if (bus_monotonic() >= until) {
      struct bus_error err;
      (void)bus_fail(&err, BUS_E_AMQP_CONNECTION, "no confirm from the broker for %d s",
                     (int)(ROOM_PATIENCE / BUS_SECOND));
      worker_note_amqp_error(worker, &err);
      return false;
    }
    worker_pump(worker, until);
  }
  return publish_is_open(worker);
}

/* Publishes and keeps a slip until the confirm. False: the connection is closed or paused. */
static bool send(struct bus_worker *worker, const struct bus_publication *publication, enum slip_kind kind,
                 struct held *held) {
  uint64_t seq = 0;
  struct bus_error err;
  if (!publish_wait_room(worker, publication->body.len))
    return false;
  bool sent = WORKER_FAIL_POINT(worker, "before-publish", worker_fd(worker->publishing))
                  ? bus_fail(&err, BUS_E_AMQP_CONNECTION, "failpoint")
                  : bus_amqp_publish(worker->publishing, publication, &seq, &err);
  if (!sent) {
    worker_note_amqp_error(worker, &err);
    return false;
  }
  if (publish_open_count(worker) == 0)
    worker_expect_confirms(worker);
  struct slip *slip = &worker->slips[seq % UNCONFIRMED_MAX];
  *slip = (struct slip){.kind = kind,
                        .open = true,
                        .bytes = (uint32_t)(publication->body.len + ENVELOPE_BYTES),
                        .message_id = publication->envelope->message_id,
                        .held = held};
  worker->next_seq = seq + 1;
  worker->unconfirmed_bytes += slip->bytes;
  metrics_published(worker, publication->exchange);
  trace_published(publication);
  return true;
}

void publish_outbox_row(struct bus_worker *worker, const struct bus_message_type *type,
                        const struct bus_envelope *envelope, struct bus_str body) {
  const struct bus_publication publication = {.exchange = type->exchange,
                                              .key = bus_message_key(type),
                                              .mandatory = bus_topology_is_mandatory(worker->topology, type),
                                              .envelope = envelope,
                                              .body = body};
  (void)send(worker, &publication, SLIP_OUTBOX, NULL); /* not sent: the row is due for the sweeper */
}

void publish_notice(struct bus_worker *worker, const struct bus_message_type *type, const struct bus_envelope *envelope,
                    struct bus_str body) {
  const struct bus_publication publication = {
      .exchange = type->exchange, .key = bus_message_key(type), .transient = true, .envelope = envelope, .body = body};
  (void)send(worker, &publication, SLIP_ANSWER, NULL); /* a notice that is not sent is lost, as any may be */
}

void publish_effect(struct bus_worker *worker, const struct bus_effect *effect) {
  if (effect->kind == BUS_EFFECT_EMIT) {
    publish_outbox_row(worker, effect->type, &effect->envelope, effect->body);
    return;
  }
  if (effect->kind == BUS_EFFECT_NOTICE) {
    publish_notice(worker, effect->type, &effect->envelope, effect->body);
    return;
  }
  struct bus_envelope envelope = effect->envelope;
  if (!bus_topology_is_reply(worker->topology, BUS_NO_STR, envelope.reply_to)) { /* kept since an earlier version */
    metrics_add(worker, METRIC_ANSWERS_DROPPED, 1);
    return;
  }
  envelope.reply_to = BUS_NO_STR;
  const struct bus_publication publication = {
      .exchange = BUS_EXCHANGE_REPLY, .key = effect->envelope.reply_to, .envelope = &envelope, .body = effect->body};
  (void)send(worker, &publication, SLIP_ANSWER, NULL); /* an answer that is not sent is a time-out of the asker's */
}

/* ---- retried and parked deliveries ---- */

static struct bus_str copy_behind(char **at, struct bus_str text) {
  if (!text.data)
    return BUS_NO_STR;
  char *copy = *at;
  if (text.len > 0)
    memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  *at += text.len + 1;
  return (struct bus_str){copy, text.len};
}

size_t publish_history(const struct bus_worker *worker, struct entry *entry, char text[BUS_HISTORY_MAX]) {
  char service[2 * BUS_NAME_MAX];
  if (entry->failed_at == 0)
    entry->failed_at = bus_wall_clock();
  (void)snprintf(service, sizeof service, "%s/%s", worker->service->name, service_version(worker->service));
  const struct bus_failure failure = {.at = entry->failed_at,
                                      .attempt = entry->envelope.attempt,
                                      .service = bus_str(service),
                                      .error = bus_str(bus_error_name(entry->cause.code)),
                                      .cause = bus_str(entry->cause.text)};
  return bus_history_add(entry->envelope.history, &failure, text);
}

static struct held *held_new(const struct bus_worker *worker, const struct entry *entry, struct bus_str history) {
  const struct bus_envelope *from = &entry->envelope;
  struct bus_str sender = bus_topology_sender(worker->topology, worker->service->name, from);
  size_t size = from->type.len + from->app_id.len + from->user_id.len + from->reply_to.len + sender.len + history.len +
                entry->raw.len + 7;
  struct held *held = calloc(1, sizeof *held + size);
  if (!held)
    return NULL;
  char *at = held->text;
  held->tag = entry->tag;
  held->envelope = *from;
  held->envelope.type = copy_behind(&at, from->type);
  held->envelope.app_id = copy_behind(&at, from->app_id);
  held->envelope.user_id = copy_behind(&at, from->user_id);
  held->envelope.reply_to = copy_behind(&at, from->reply_to);
  held->envelope.sender = copy_behind(&at, sender);
  held->envelope.history = copy_behind(&at, history);
  held->body = entry->raw.data ? copy_behind(&at, entry->raw) : BUS_STR("");
  held->cause = entry->cause;
  return held;
}

static void log_held(const struct bus_worker *worker, const struct entry *entry, const char *msg, const char *where) {
  bus_log(BUS_WARN, msg, BUS_F_STR("queue", worker->service->queues[entry->consumer]),
          BUS_F_VIEW("type", entry->envelope.type), BUS_F_UUID("message_id", &entry->envelope.message_id),
          BUS_F_UUID("order_id", &entry->envelope.correlation_id), BUS_F_TRACE(&entry->envelope.trace),
          BUS_F_INT("attempt", entry->envelope.attempt), BUS_F_STR("to", where),
          BUS_F_STR("error", bus_error_name(entry->cause.code)), BUS_F_STR("cause", entry->cause.text));
}

void publish_hold(struct bus_worker *worker, struct entry *entry) {
  char history[BUS_HISTORY_MAX];
  size_t len = publish_history(worker, entry, history);
  struct held *held = held_new(worker, entry, (struct bus_str){history, len});
  if (!held) { /* unsettled, so the broker keeps it; a new connection brings it again */
    struct bus_error err;
    (void)bus_fail(&err, BUS_E_NOMEM, "out of memory for a message to retry");
    worker_note_amqp_error(worker, &err);
    return;
  }
  const char *queue = worker->service->queues[entry->consumer];
  if (held->envelope.first_failed_at == BUS_NO_TIME)
    held->envelope.first_failed_at = entry->failed_at;
  if (entry->verdict == BUS_PARK) {
    held->exchange = BUS_EXCHANGE_DEAD;
    (void)snprintf(held->key, sizeof held->key, "%s", queue);
    log_held(worker, entry, "message parked", held->key);
  } else {
    held->exchange = BUS_EXCHANGE_RETRY;
    held->envelope.attempt += !entry->uncounted;
    (void)snprintf(held->key, sizeof held->key, "%s.%s", worker->topology->tiers[entry->tier].name, queue);
    log_held(worker, entry, "message will be retried", held->key);
  }
  held->next = worker->held;
  worker->held = held;
  metrics_add(worker, METRIC_HELD, 1);
}

static const char *class_name(enum bus_errc code) {
  static const char *const names[] = {"none",      "conflict",  "data",       "fault",
                                      "permanent", "retryable", "connection", "fatal"};
  return names[bus_error_class(code)];
}

static void send_held(struct bus_worker *worker, struct held *held, int64_t now) {
  const struct bus_publication publication = {.exchange = held->exchange,
                                              .key = bus_str(held->key),
                                              .mandatory = true,
                                              .envelope = &held->envelope,
                                              .body = held->body,
                                              .cause = bus_str(held->cause.text),
                                              .cause_class = bus_str(class_name(held->cause.code))};
  held->sent = !BUS_FAIL_POINT("worker.before-hold", worker_fd(worker->publishing)) &&
               send(worker, &publication, SLIP_HELD, held);
  BUS_CUT_POINT("worker.hold-published", worker_fd(worker->publishing));
  if (!held->sent)
    held->again_at = now + HELD_RETRY;
}

static struct held *first_due(const struct bus_worker *worker, int64_t now) {
  for (struct held *held = worker->held; held; held = held->next)
    if (!held->sent && held->again_at <= now)
      return held;
  return NULL;
}

/* From the front again after each: waiting for room takes confirms in, and those take others off the list. */
void publish_held(struct bus_worker *worker, int64_t now) {
  struct held *held;
  while (publish_is_open(worker) && (held = first_due(worker, now)) != NULL)
    send_held(worker, held, now);
}

int64_t publish_held_next(const struct bus_worker *worker) {
  int64_t next = INT64_MAX;
  if (!publish_is_open(worker))
    return next; /* what opens it wakes the worker */
  for (const struct held *held = worker->held; held; held = held->next)
    if (!held->sent && held->again_at < next)
      next = held->again_at;
  return next;
}

static void release_held(struct bus_worker *worker, struct held *done) {
  for (struct held **at = &worker->held; *at; at = &(*at)->next)
    if (*at == done) {
      *at = done->next;
      BUS_CUT_POINT("worker.hold-confirmed", worker_fd(worker->consuming));
      acks_settle(&worker->acks, done->tag);
      worker->ack_at = 1; /* at once: no inbox row tells that it came before */
      free(done);
      metrics_add(worker, METRIC_HELD, -1);
      return;
    }
}

/* ---- what the broker says ---- */

static size_t count_held(const struct bus_worker *worker) {
  size_t count = 0;
  for (const struct held *held = worker->held; held; held = held->next)
    count++;
  return count;
}

/* Each of them is tried every second: a line for all in ten seconds says it. */
static void log_not_taken(struct bus_worker *worker, const struct held *held, const char *why) {
  int64_t now = bus_monotonic();
  if (now < worker->held_logged_at + HELD_LOG_EVERY && worker->held_logged_at != 0)
    return;
  worker->held_logged_at = now;
  bus_log(BUS_ERROR, "retry or dead queue does not take a message; trying again, and acks wait behind it",
          BUS_F_STR("key", held->key), BUS_F_UUID("message_id", &held->envelope.message_id), BUS_F_STR("why", why),
          BUS_F_INT("waiting", count_held(worker)));
}

/* Acks from other queues do not end the nacks of this one. */
static void count_nack(struct bus_worker *worker) {
  struct bus_error err;
  if (!bus_nacks_add(&worker->nacks, bus_monotonic()))
    return;
  (void)bus_fail(&err, BUS_E_AMQP_CONNECTION, "messages are nacked; a new connection may find their queue's leader");
  worker_note_amqp_error(worker, &err);
}

static void close_slip(struct bus_worker *worker, struct slip *slip, bool ack) {
  bool arrived = ack && !slip->returned;
  slip->open = false;
  worker->unconfirmed_bytes -= slip->bytes;
  if (!slip->returned) /* counted already */
    metrics_add(worker, ack ? METRIC_CONFIRMED : METRIC_NACKED, 1);
  if (arrived)
    bus_rotation_reset(&worker->amqp_hosts);
  if (slip->kind == SLIP_OUTBOX && arrived) {
    (void)uuid_list_add(&worker->confirmed, &slip->message_id); /* no memory: the sweeper sends it again */
    BUS_CUT_POINT("worker.after-confirm", worker_fd(worker->publishing));
  }
  if (!ack && slip->kind != SLIP_ANSWER)
    count_nack(worker);
  if (slip->kind == SLIP_OUTBOX && slip->returned)
    (void)uuid_list_add(&worker->unroutable, &slip->message_id);
  if (slip->kind != SLIP_HELD)
    return;
  if (arrived) {
    release_held(worker, slip->held);
    return;
  }
  slip->held->sent = false;
  slip->held->again_at = bus_monotonic() + HELD_RETRY;
  log_not_taken(worker, slip->held, ack ? "returned" : "nacked");
}

void publish_on_confirm(struct bus_worker *worker, uint64_t seq, bool multiple, bool ack) {
  uint64_t first = multiple ? worker->lowest_open : seq;
  if (WORKER_FAIL_POINT(worker, "before-confirm", worker_fd(worker->publishing)))
    ack = false;
  for (uint64_t at = first; at <= seq && at < worker->next_seq; at++) {
    struct slip *slip = &worker->slips[at % UNCONFIRMED_MAX];
    if (slip->open)
      close_slip(worker, slip, ack);
  }
  while (worker->lowest_open < worker->next_seq && !worker->slips[worker->lowest_open % UNCONFIRMED_MAX].open)
    worker->lowest_open++;
  worker->last_work_at = bus_monotonic();
}

void publish_on_return(struct bus_worker *worker, const struct bus_uuid *message_id) {
  for (uint64_t at = worker->lowest_open; at < worker->next_seq; at++) {
    struct slip *slip = &worker->slips[at % UNCONFIRMED_MAX];
    if (slip->open && bus_uuid_equal(&slip->message_id, message_id))
      slip->returned = true;
  }
  metrics_add(worker, METRIC_RETURNED, 1);
}
