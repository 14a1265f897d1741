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
    free(worker->generations[i].entries);
  }
  bus_arena_free(worker->deferred.arena);
  free(worker->deferred.entries);
}

struct entry *generation_append(struct generation *generation) {
  size_t needed = (generation->count + 1) * sizeof(struct entry);
  struct entry *entries = heap_grow(generation->entries, needed, GENERATION_FIRST * sizeof *entries, &generation->room);
  if (!entries)
    return NULL;
  generation->entries = entries;
  struct entry *entry = &generation->entries[generation->count++];
  memset(entry, 0, sizeof *entry);
  return entry;
}

/* Unsettled: the broker gives it to someone else when this connection ends. */
static void cannot_take(struct bus_worker *worker, enum bus_errc code, const char *why) {
  struct bus_error err;
  (void)bus_fail(&err, code, "%s", why);
  worker_note_amqp_error(worker, &err);
}

void intake_on_delivery(struct bus_worker *worker, const struct bus_delivery *delivery) {
  bool in_window = acks_received(&worker->acks, delivery->tag);
  struct entry *entry = in_window ? generation_append(worker->filling) : NULL;
  if (!entry) {
    if (in_window)
      cannot_take(worker, BUS_E_NOMEM, "out of memory for a delivery");
    else
      cannot_take(worker, BUS_E_AMQP_CONNECTION, "too many deliveries behind one that cannot be settled");
    return;
  }
  entry->envelope = delivery->envelope;
  entry->raw = delivery->body;
  entry->tag = delivery->tag;
  entry->epoch = worker->epoch;
  entry->consumer = delivery->consumer;
  entry->input.kind = BUS_INPUT_DELIVERY;
  worker->last_delivery_at = bus_monotonic();
  if (!worker->first_delivery_seen[entry->consumer]) {
    worker->first_delivery_seen[entry->consumer] = true;
    worker->suspect[entry->consumer] = delivery->envelope.redelivered; /* of an earlier process, or another one */
  }
}

bool bus_worker_push(struct bus_worker *worker, enum bus_input_kind kind, const void *body, size_t size) {
  if (worker->pushed >= PUSHED_MAX)
    return false;
  void *copy = bus_arena_alloc(worker->filling->arena, size);
  struct entry *entry = copy ? generation_append(worker->filling) : NULL;
  if (!entry)
    return false;
  if (size > 0)
    memcpy(copy, body, size);
  entry->input.kind = kind;
  entry->input.body = copy;
  entry->body_size = size;
  worker->pushed++;
  return true;
}

size_t bus_worker_pushed(const struct bus_worker *worker) {
  return worker->pushed;
}

int64_t bus_worker_inbox_keep_h(const struct bus_worker *worker) {
  return worker->settings.inbox_keep_h;
}

/* Drops such entries that are not processed yet. Returns how many were dropped. */
static size_t drop_kind(struct generation *generation, enum bus_input_kind kind) {
  size_t kept = generation->next, count = generation->count;
  for (size_t i = generation->next; i < count; i++)
    if (generation->entries[i].input.kind != kind)
      generation->entries[kept++] = generation->entries[i];
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
static bool must_be_alone(struct bus_worker *worker, struct entry *entry) {
  if (!entry_is_delivery(entry) || !worker->suspect[entry->consumer])
    return false;
  entry->alone = worker->suspect[entry->consumer] = entry->envelope.redelivered;
  return entry->alone;
}

size_t intake_take(struct bus_worker *worker, struct entry **entries, size_t max) {
  if (worker->draining->next == worker->draining->count && worker->filling->count > 0)
    swap(worker);
  struct generation *from = worker->draining;
  if (from->next == from->count)
    return 0;
  size_t count = 0;
  for (bool alone = false; !alone && count < max && from->next < from->count; from->next++) {
    struct entry *entry = &from->entries[from->next];
    alone = must_be_alone(worker, entry);
    if (alone && count > 0)
      break;
    if (!entry_is_delivery(entry))
      worker->pushed--;
    entries[count++] = entry;
  }
  return count;
}

static const struct bus_message_type *type_of(const struct bus_worker *worker, const struct entry *entry) {
  const struct bus_queue *queue = bus_topology_queue(worker->topology, worker->service->queues[entry->consumer]);
  for (size_t i = 0; queue && i < queue->type_count; i++)
    if (bus_str_is(entry->envelope.type, queue->types[i]->type))
      return queue->types[i];
  return NULL;
}

static int tier_of(const struct bus_worker *worker, const struct entry *entry) {
  const struct bus_envelope *envelope = &entry->envelope;
  int64_t give_up = worker->settings.give_up_ms * BUS_MILLISECOND;
  bool first = envelope->first_failed_at == BUS_NO_TIME;
  int64_t age = first ? 0 : bus_wall_clock() - envelope->first_failed_at;
  int last = (int)worker->topology->tier_count - 1;
  if (entry->cause.code == BUS_E_UNKNOWN_TYPE) /* only a deployment can help, so no early retry */
    return age > give_up ? -1 : last;
  if (entry->uncounted) /* soon after the database's fault ends, and not so often that it is load */
    return age > give_up ? -1 : last < 1 ? last : 1;
  return bus_retry_tier(envelope->attempt, worker->topology->tier_count, age, give_up);
}

void intake_put_off(const struct bus_worker *worker, struct entry *entry) {
  entry->tier = worker_retries(worker) ? tier_of(worker, entry) : -1;
  entry->verdict = entry->tier < 0 ? BUS_PARK : BUS_RETRY;
}

static void mark_undecodable(struct entry *entry, enum bus_errc code, const char *text) {
  entry->refused = true;
  entry->verdict = BUS_PARK;
  (void)bus_fail(&entry->cause, code, "%s", text);
}

static void put_off(const struct bus_worker *worker, struct entry *entry, enum bus_errc code, const char *text) {
  mark_undecodable(entry, code, text);
  intake_put_off(worker, entry);
}

static void refuse_sender(const struct bus_worker *worker, struct entry *entry, const struct bus_message_type *type) {
  char text[BUS_NAME_MAX + BUS_SENDERS_TEXT + 64], senders[BUS_SENDERS_TEXT];
  struct bus_str sender = bus_topology_sender(worker->topology, worker->service->name, &entry->envelope);
  bus_message_senders(type, senders);
  (void)snprintf(text, sizeof text, "sender %.*s may not send this type: %s may", (int)sender.len, sender.data,
                 senders);
  mark_undecodable(entry, BUS_E_SENDER, text);
}

static void decode_message(struct bus_worker *worker, struct entry *entry, const struct bus_message_type *type) {
  struct bus_problems problems;
  struct bus_arena *arena = entry->deferred ? worker->deferred.arena : worker->draining->arena;
  void *body = bus_arena_alloc(arena, type->schema->size);
  if (!body || WORKER_ERROR_POINT(worker, "decode")) {
    put_off(worker, entry, BUS_E_NOMEM, "out of memory");
    return;
  }
  if (!bus_decode(type->schema, entry->raw, BUS_IGNORE_UNKNOWN, arena, body, &problems)) {
    char text[200];
    bus_problems_text(&problems, text, sizeof text);
    if (bus_problems_no_memory(&problems)) /* not the message's fault */
      put_off(worker, entry, BUS_E_NOMEM, text);
    else
      mark_undecodable(entry, BUS_E_DECODE, text);
    return;
  }
  entry->input.body = body;
}

/* The sender of a request controls reply_to. The topology says which part of it is accepted as an address. */
static void check_reply_to(struct bus_worker *worker, struct entry *entry) {
  struct bus_envelope *envelope = &entry->envelope;
  struct bus_str sender = bus_topology_sender(worker->topology, worker->service->name, envelope);
  if (!envelope->reply_to.data || bus_topology_is_reply(worker->topology, sender, envelope->reply_to))
    return;
  envelope->reply_to = BUS_NO_STR;
  metrics_add(worker, METRIC_ANSWERS_DROPPED, 1);
}

bool intake_is_late(const struct bus_worker *worker, const struct entry *entry) {
  return worker->requests && entry_is_delivery(entry) && entry->envelope.deadline < bus_wall_clock();
}

void intake_decode(struct bus_worker *worker, struct entry *entry) {
  if (entry->decoded || !entry_is_delivery(entry))
    return;
  entry->decoded = true;
  const struct bus_message_type *type = type_of(worker, entry);
  entry->input.envelope = &entry->envelope;
  entry->input.type = type;
  if (bus_uuid_is_nil(&entry->envelope.message_id))
    mark_undecodable(entry, BUS_E_DECODE, "message_id is missing or not a UUID");
  else if (!entry->envelope.type.data)
    mark_undecodable(entry, BUS_E_DECODE, "type is missing");
  else if (!entry->raw.data)
    mark_undecodable(entry, BUS_E_DECODE, "body is missing or over 1 MiB");
  else if (entry->envelope.copied)
    mark_undecodable(entry, BUS_E_SENDER, "header CC or BCC: the broker checks no permission for its routing keys");
  else if (!type)
    put_off(worker, entry, BUS_E_UNKNOWN_TYPE, "type is unknown to this version");
  else if (worker->requests && entry->envelope.deadline <= 0)
    mark_undecodable(entry, BUS_E_DECODE, "bus-deadline is missing or not a time");
  else if (!bus_topology_may_send(worker->topology, worker->service->name, &entry->envelope, type))
    refuse_sender(worker, entry, type);
  else {
    check_reply_to(worker, entry);
    decode_message(worker, entry, type);
  }
  trace_received(worker, entry);
}
