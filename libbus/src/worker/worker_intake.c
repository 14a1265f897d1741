/* Keeps deliveries and local inputs until they are batched: two generations alternate, each with its own arena, so that
 * deliveries during a transaction go into one while the other is released. */
#include "worker_internal.h"

#include "../core/heap.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdio.h>
#include <stdlib.h>

enum { GENERATION_FIRST = 512 };
/* Prefetch bounds what arrives; this only stops a runaway. */
#define GENERATION_LIMIT ((size_t)1 << 30)

bool intake_init(struct bus_worker *worker) {
  for (size_t i = 0; i < 2; i++) {
    worker->generations[i].arena = bus_arena_new(GENERATION_LIMIT);
    if (!worker->generations[i].arena)
      return false;
  }
  worker->deferred.arena = bus_arena_new(GENERATION_LIMIT);
  if (!worker->deferred.arena)
    return false;
  worker->filling = &worker->generations[0];
  worker->draining = &worker->generations[1];
  return true;
}

void intake_free(struct bus_worker *worker) {
  for (size_t i = 0; i < 2; i++) {
    bus_arena_free(worker->generations[i].arena);
    free(worker->generations[i].items);
  }
  bus_arena_free(worker->deferred.arena);
  free(worker->deferred.items);
}

struct item *generation_append(struct generation *generation) {
  size_t needed = (generation->count + 1) * sizeof(struct item);
  struct item *items = heap_grow(generation->items, needed, GENERATION_FIRST * sizeof *items, &generation->room);
  if (!items)
    return NULL;
  generation->items = items;
  struct item *item = &generation->items[generation->count++];
  memset(item, 0, sizeof *item);
  return item;
}

/* Unsettled: the broker gives it to someone else when this connection ends. */
static void cannot_take(struct bus_worker *worker, enum bus_errc code, const char *why) {
  struct bus_error err;
  (void)bus_fail(&err, code, "%s", why);
  worker_note_amqp_error(worker, &err);
}

void intake_on_delivery(struct bus_worker *worker, const struct bus_delivery *delivery) {
  bool in_window = ledger_received(&worker->ledger, delivery->tag);
  struct item *item = in_window ? generation_append(worker->filling) : NULL;
  if (!item) {
    if (in_window)
      cannot_take(worker, BUS_E_NOMEM, "out of memory for a delivery");
    else
      cannot_take(worker, BUS_E_AMQP_CONNECTION, "too many deliveries behind one that cannot be settled");
    return;
  }
  item->envelope = delivery->envelope;
  item->raw = delivery->body;
  item->tag = delivery->tag;
  item->epoch = worker->epoch;
  item->consumer = delivery->consumer;
  item->input.kind = BUS_INPUT_DELIVERY;
  worker->last_delivery_at = bus_monotonic();
  if (!worker->first_delivery_seen[item->consumer]) {
    worker->first_delivery_seen[item->consumer] = true;
    worker->suspect[item->consumer] = delivery->envelope.redelivered; /* of an earlier process, or another one */
  }
}

bool bus_worker_push(struct bus_worker *worker, enum bus_input_kind kind, const void *body, size_t size) {
  if (worker->pushed >= PUSHED_MAX)
    return false;
  void *copy = bus_arena_alloc(worker->filling->arena, size);
  struct item *item = copy ? generation_append(worker->filling) : NULL;
  if (!item)
    return false;
  if (size > 0)
    memcpy(copy, body, size);
  item->input.kind = kind;
  item->input.body = copy;
  item->body_size = size;
  worker->pushed++;
  return true;
}

size_t bus_worker_pushed(const struct bus_worker *worker) {
  return worker->pushed;
}

int64_t bus_worker_inbox_keep_h(const struct bus_worker *worker) {
  return worker->settings.inbox_keep_h;
}

/* Drops such items that are not processed yet. Returns how many were dropped. */
static size_t drop_kind(struct generation *generation, enum bus_input_kind kind) {
  size_t kept = generation->next, count = generation->count;
  for (size_t i = generation->next; i < count; i++)
    if (generation->items[i].input.kind != kind)
      generation->items[kept++] = generation->items[i];
  generation->count = kept;
  return count - kept;
}

/* Local inputs stay; deliveries come again by themselves. */
void intake_forget_deliveries(struct bus_worker *worker) {
  (void)drop_kind(worker->filling, BUS_INPUT_DELIVERY);
  (void)drop_kind(worker->draining, BUS_INPUT_DELIVERY);
  (void)drop_kind(&worker->deferred, BUS_INPUT_DELIVERY);
  if (worker->filling->count == 0)
    bus_arena_reset(worker->filling->arena);
}

void intake_drop_deadlines(struct bus_worker *worker) {
  worker->pushed -= drop_kind(worker->filling, BUS_INPUT_DEADLINE);
  worker->pushed -= drop_kind(worker->draining, BUS_INPUT_DEADLINE);
}

size_t intake_count(const struct bus_worker *worker) {
  return worker->draining->count - worker->draining->next + worker->filling->count;
}

bool intake_is_empty(const struct bus_worker *worker) {
  return intake_count(worker) == 0;
}

static void swap(struct bus_worker *worker) {
  struct generation *empty = worker->draining;
  bus_arena_reset(empty->arena);
  empty->count = empty->next = 0;
  worker->draining = worker->filling;
  worker->filling = empty;
  if (worker->consuming)
    bus_amqp_set_arena(worker->consuming, empty->arena);
}

/* Takes deliveries one by one while the next one of that queue is a redelivery. The queue's first fresh message ends
 * the suspicion for the life of the process: later redeliveries come from lost connections. Local inputs are not
 * suspected. */
static bool must_be_alone(struct bus_worker *worker, struct item *item) {
  if (!item_is_delivery(item) || !worker->suspect[item->consumer])
    return false;
  item->alone = worker->suspect[item->consumer] = item->envelope.redelivered;
  return item->alone;
}

size_t intake_take(struct bus_worker *worker, struct item **items, size_t max) {
  if (worker->draining->next == worker->draining->count && worker->filling->count > 0)
    swap(worker);
  struct generation *from = worker->draining;
  if (from->next == from->count)
    return 0;
  size_t count = 0;
  for (bool alone = false; !alone && count < max && from->next < from->count; from->next++) {
    struct item *item = &from->items[from->next];
    alone = must_be_alone(worker, item);
    if (alone && count > 0)
      break;
    if (!item_is_delivery(item))
      worker->pushed--;
    items[count++] = item;
  }
  return count;
}

static const struct bus_message_type *type_of(const struct bus_worker *worker, const struct item *item) {
  const struct bus_queue *queue = bus_topology_queue(worker->topology, worker->service->queues[item->consumer]);
  for (size_t i = 0; queue && i < queue->type_count; i++)
    if (bus_str_is(item->envelope.type, queue->types[i]->type))
      return queue->types[i];
  return NULL;
}

static int tier_of(const struct bus_worker *worker, const struct item *item) {
  const struct bus_envelope *envelope = &item->envelope;
  int64_t give_up = worker->settings.give_up_ms * BUS_MILLISECOND;
  bool first = envelope->first_failed_at == BUS_NO_TIME;
  int64_t age = first ? 0 : bus_wall_clock() - envelope->first_failed_at;
  int last = (int)worker->topology->tier_count - 1;
  if (item->cause.code == BUS_E_UNKNOWN_TYPE) /* only a deployment can help, so no early retry */
    return age > give_up ? -1 : last;
  if (item->uncounted) /* soon after the database's fault ends, and not so often that it is load */
    return age > give_up ? -1 : last < 1 ? last : 1;
  return bus_retry_tier(envelope->attempt, worker->topology->tier_count, age, give_up);
}

void intake_put_off(const struct bus_worker *worker, struct item *item) {
  item->tier = worker_retries(worker) ? tier_of(worker, item) : -1;
  item->verdict = item->tier < 0 ? BUS_PARK : BUS_RETRY;
}

static void mark_undecodable(struct item *item, enum bus_errc code, const char *text) {
  item->refused = true;
  item->verdict = BUS_PARK;
  (void)bus_fail(&item->cause, code, "%s", text);
}

static void put_off(const struct bus_worker *worker, struct item *item, enum bus_errc code, const char *text) {
  mark_undecodable(item, code, text);
  intake_put_off(worker, item);
}

static void refuse_sender(const struct bus_worker *worker, struct item *item, const struct bus_message_type *type) {
  char text[BUS_NAME_MAX + BUS_SENDERS_TEXT + 64], senders[BUS_SENDERS_TEXT];
  struct bus_str sender = bus_topology_sender(worker->topology, worker->service->name, &item->envelope);
  bus_message_senders(type, senders);
  (void)snprintf(text, sizeof text, "sender %.*s may not send this type: %s may", (int)sender.len, sender.data,
                 senders);
  mark_undecodable(item, BUS_E_SENDER, text);
}

static void decode_body(struct bus_worker *worker, struct item *item, const struct bus_message_type *type) {
  struct bus_problems problems;
  struct bus_arena *arena = item->deferred ? worker->deferred.arena : worker->draining->arena;
  void *body = bus_arena_alloc(arena, type->schema->size);
  if (!body || WORKER_ERROR_POINT(worker, "decode")) {
    put_off(worker, item, BUS_E_NOMEM, "out of memory");
    return;
  }
  if (!bus_decode(type->schema, item->raw, BUS_IGNORE_UNKNOWN, arena, body, &problems)) {
    char text[200];
    bus_problems_text(&problems, text, sizeof text);
    if (bus_problems_no_memory(&problems)) /* not the message's fault */
      put_off(worker, item, BUS_E_NOMEM, text);
    else
      mark_undecodable(item, BUS_E_DECODE, text);
    return;
  }
  item->input.body = body;
}

/* The sender of a request controls reply_to. The topology says which part of it is accepted as an address. */
static void check_reply_to(struct bus_worker *worker, struct item *item) {
  struct bus_envelope *envelope = &item->envelope;
  struct bus_str sender = bus_topology_sender(worker->topology, worker->service->name, envelope);
  if (!envelope->reply_to.data || bus_topology_is_reply(worker->topology, sender, envelope->reply_to))
    return;
  envelope->reply_to = BUS_NO_STR;
  metrics_add(worker, METRIC_ANSWERS_DROPPED, 1);
}

bool intake_is_late(const struct bus_worker *worker, const struct item *item) {
  return worker->requests && item_is_delivery(item) && item->envelope.deadline < bus_wall_clock();
}

void intake_decode(struct bus_worker *worker, struct item *item) {
  if (item->decoded || !item_is_delivery(item))
    return;
  item->decoded = true;
  const struct bus_message_type *type = type_of(worker, item);
  item->input.envelope = &item->envelope;
  item->input.type = type;
  if (bus_uuid_is_nil(&item->envelope.message_id))
    mark_undecodable(item, BUS_E_DECODE, "message_id is missing or not a UUID");
  else if (!item->envelope.type.data)
    mark_undecodable(item, BUS_E_DECODE, "type is missing");
  else if (!item->raw.data)
    mark_undecodable(item, BUS_E_DECODE, "body is missing or over 1 MiB");
  else if (item->envelope.copied)
    mark_undecodable(item, BUS_E_SENDER, "header CC or BCC: the broker checks no permission for its routing keys");
  else if (!type)
    put_off(worker, item, BUS_E_UNKNOWN_TYPE, "type is unknown to this version");
  else if (worker->requests && item->envelope.deadline <= 0)
    mark_undecodable(item, BUS_E_DECODE, "bus-deadline is missing or not a time");
  else if (!bus_topology_may_send(worker->topology, worker->service->name, &item->envelope, type))
    refuse_sender(worker, item, type);
  else {
    check_reply_to(worker, item);
    decode_body(worker, item, type);
  }
  trace_received(worker, item);
}
