/* The list of held deliveries. */
#include "holds.h"

#include "trace.h"

#include <stdio.h>
#include <stdlib.h>

#define HELD_RETRY BUS_SECOND
#define HELD_LOG_EVERY (10 * BUS_SECOND)

static void free_all(struct holds *holds) {
  while (holds->first) {
    struct held *next = holds->first->next;
    free(holds->first);
    holds->first = next;
  }
  holds->count = 0;
}

void holds_free(struct holds *holds) {
  free_all(holds);
}

void holds_reset(struct holds *holds, const struct turn *turn) {
  turn_count(turn, BUS_COUNT_HELD, -(int64_t)holds->count);
  free_all(holds);
}

size_t holds_history(const struct turn *turn, struct entry *entry, char text[BUS_HISTORY_MAX]) {
  char service[2 * BUS_NAME_MAX];
  struct ruling *ruling = &entry->ruling;
  if (ruling->failed_at == 0)
    ruling->failed_at = turn->wall;
  (void)snprintf(service, sizeof service, "%s/%s", turn->setup->service->name, setup_version(turn->setup));
  const struct bus_failure failure = {.at = ruling->failed_at,
                                      .attempt = entry->envelope.attempt,
                                      .service = bus_str(service),
                                      .error = bus_str(bus_error_name(ruling->cause.code)),
                                      .cause = bus_str(ruling->cause.text)};
  return bus_history_add(entry->envelope.history, &failure, text);
}

static struct bus_str copy_behind(char **at, struct bus_str text) {
  if (!text.data)
    return BUS_NO_STR;
  char *copy = *at;
  memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  *at += text.len + 1;
  return (struct bus_str){copy, text.len};
}

static struct held *held_new(const struct turn *turn, const struct entry *entry, struct bus_str history) {
  assert(history.len < BUS_HISTORY_MAX);
  const struct bus_envelope *from = &entry->envelope;
  struct bus_str sender = bus_topology_sender(turn->setup->topology, turn->setup->service->name, from);
  size_t size = from->type.len + from->app_id.len + from->user_id.len + from->reply_to.len + sender.len + history.len +
                from->trace.state.len + entry->raw.len + 8;
  struct held *held = calloc(1, sizeof *held + size);
  if (!held)
    return NULL;
  char *at = held->text;
  held->tag = entry->tag;
  held->envelope = *from;
  if (entry->is_span) /* it is sent on as it came */
    memcpy(held->envelope.trace.span_id, entry->parent, sizeof entry->parent);
  held->envelope.type = copy_behind(&at, from->type);
  held->envelope.app_id = copy_behind(&at, from->app_id);
  held->envelope.user_id = copy_behind(&at, from->user_id);
  held->envelope.reply_to = copy_behind(&at, from->reply_to);
  held->envelope.sender = copy_behind(&at, sender);
  held->envelope.history = copy_behind(&at, history);
  held->envelope.trace.state = copy_behind(&at, from->trace.state);
  held->body = entry->raw.data ? copy_behind(&at, entry->raw) : BUS_STR("");
  held->cause = entry->ruling.cause;
  return held;
}

static void log_held(const struct turn *turn, const struct entry *entry, const char *msg, const char *where) {
  const struct bus_log_field to = BUS_F_STR("to", where);
  trace_undone(turn, entry, msg, to, entry->ruling.cause.code, entry->ruling.cause.text);
}

bool holds_add(struct holds *holds, const struct turn *turn, struct entry *entry) {
  char history[BUS_HISTORY_MAX];
  assert(entry_is_delivery(entry) && entry->ruling.verdict != BUS_DONE);
  size_t len = holds_history(turn, entry, history);
  struct held *held = held_new(turn, entry, (struct bus_str){history, len});
  if (!held)
    return false;
  const char *queue = turn->setup->service->queues[entry->consumer];
  if (held->envelope.first_failed_at == BUS_NO_TIME)
    held->envelope.first_failed_at = entry->ruling.failed_at;
  if (entry->ruling.verdict == BUS_PARK) {
    held->exchange = BUS_EXCHANGE_DEAD;
    (void)snprintf(held->key, sizeof held->key, "%s", queue);
    log_held(turn, entry, "message parked", held->key);
  } else {
    held->exchange = BUS_EXCHANGE_RETRY;
    held->envelope.attempt += !entry->ruling.uncounted;
    (void)snprintf(held->key, sizeof held->key, "%s.%s", turn->setup->topology->tiers[entry->ruling.tier].name, queue);
    log_held(turn, entry, "message will be retried", held->key);
  }
  held->next = holds->first;
  holds->first = held;
  holds->count++;
  turn_count(turn, BUS_COUNT_HELD, 1);
  return true;
}

static const char *class_name(enum bus_errc code) {
  static const char *const names[] = {"none",      "conflict",  "data",       "fault",
                                      "permanent", "retryable", "connection", "fatal"};
  return names[bus_error_class(code)];
}

static void send_held(const struct turn *turn, struct window *window, struct held *held) {
  assert(!held->sent);
  const struct bus_publication publication = {.exchange = held->exchange,
                                              .key = bus_str(held->key),
                                              .mandatory = true,
                                              .envelope = &held->envelope,
                                              .body = held->body,
                                              .cause = bus_str(held->cause.text),
                                              .cause_class = bus_str(class_name(held->cause.code))};
  held->sent = true;
  window_send(window, turn, &publication, BUS_SENT_HELD, held, false);
  turn_point(turn, BUS_POINT_HOLD_PUBLISHED);
}

void holds_send(struct holds *holds, const struct turn *turn, struct window *window) {
  for (struct held *held = holds->first; held && window_is_open(window); held = held->next) {
    if (!held->sent && held->again_at <= turn->now && window_has_room(window, turn, held->body.len))
      send_held(turn, window, held);
  }
}

int64_t holds_next(const struct holds *holds, const struct window *window) {
  int64_t next = INT64_MAX;
  if (!window_is_open(window))
    return next; /* what opens it, or makes room, wakes the pipeline */
  for (const struct held *held = holds->first; held; held = held->next)
    if (!held->sent && held->again_at < next &&
        (window_takes(window, held->body.len) || BUS_BUG("full-window-spins", "a held message without room is due")))
      next = held->again_at;
  return next;
}

void holds_arrived(struct holds *holds, const struct turn *turn, struct held *held, struct acks *acks) {
  struct held **at = &holds->first;
  assert(held->sent && holds->count > 0);
  while (*at != held)
    at = &(*at)->next;
  *at = held->next;
  turn_point(turn, BUS_POINT_HOLD_CONFIRMED);
  acks_settle(acks, held->tag);
  acks->ack_at = 1; /* at once: no inbox row tells that it came before */
  free(held);
  holds->count--;
  turn_count(turn, BUS_COUNT_HELD, -1);
}

/* Each of them is tried every second: a line for all in ten seconds says it. */
static void log_refused(struct holds *holds, const struct turn *turn, const struct held *held, const char *why) {
  if (turn->now < holds->logged_at + HELD_LOG_EVERY && holds->logged_at != 0)
    return;
  holds->logged_at = turn->now;
  turn_log(turn, BUS_ERROR, "retry or dead queue does not take a message; trying again, and acks wait behind it",
           BUS_F_STR("key", held->key), BUS_F_UUID("message_id", &held->envelope.message_id), BUS_F_STR("why", why),
           BUS_F_INT("waiting", holds->count));
}

void holds_refused(struct holds *holds, const struct turn *turn, struct held *held, const char *why) {
  assert(held->sent);
  held->sent = false;
  held->again_at = turn->now + HELD_RETRY;
  log_refused(holds, turn, held, why);
}

bool holds_is_valid(const struct holds *holds) {
  size_t count = 0;
  for (const struct held *held = holds->first; held; held = held->next)
    count++;
  return count == holds->count;
}
