/* Which message is taken, refused or put off. */
#include "decode.h"

#include "trace.h"

#include <bus/backoff.h>

#include <stdio.h>

bool decode_retries(const struct turn *turn) {
  return turn->setup->service->store && !turn->takes_requests;
}

static int tier_of(const struct turn *turn, const struct entry *entry) {
  const struct bus_envelope *envelope = &entry->envelope;
  int64_t give_up = turn->setup->settings->give_up_ms * BUS_MILLISECOND;
  bool first = envelope->first_failed_at == BUS_NO_TIME;
  int64_t age = first ? 0 : turn->wall - envelope->first_failed_at;
  int last = (int)turn->setup->topology->tier_count - 1;
  if (entry->ruling.cause.code == BUS_E_UNKNOWN_TYPE) /* only a deployment can help, so no early retry */
    return age > give_up ? -1 : last;
  if (entry->ruling.uncounted) /* soon after the database's fault ends, and not so often that it is load */
    return age > give_up ? -1 : last < 1 ? last : 1;
  return bus_retry_tier(envelope->attempt, turn->setup->topology->tier_count, age, give_up);
}

void decode_put_off(const struct turn *turn, struct entry *entry) {
  assert(entry->ruling.cause.code != BUS_OK);
  entry->ruling.tier = decode_retries(turn) ? tier_of(turn, entry) : -1;
  entry->ruling.verdict = entry->ruling.tier < 0 ? BUS_PARK : BUS_RETRY;
}

static void refuse(struct entry *entry, enum bus_errc code, const char *text) {
  assert(code != BUS_OK && !entry->input.body);
  entry->ruling.refused = true;
  entry->ruling.verdict = BUS_PARK;
  (void)bus_fail(&entry->ruling.cause, code, "%s", text);
}

static void put_off(const struct turn *turn, struct entry *entry, enum bus_errc code, const char *text) {
  refuse(entry, code, text);
  decode_put_off(turn, entry);
}

static void refuse_sender(const struct turn *turn, struct entry *entry, const struct bus_message_type *type) {
  char text[BUS_NAME_MAX + BUS_SENDERS_TEXT + 64], senders[BUS_SENDERS_TEXT];
  struct bus_str sender = bus_topology_sender(turn->setup->topology, turn->setup->service->name, &entry->envelope);
  bus_message_senders(type, senders);
  (void)snprintf(text, sizeof text, "sender %.*s may not send this type: %s may", (int)sender.len, sender.data,
                 senders);
  refuse(entry, BUS_E_SENDER, text);
}

static void decode_body(const struct turn *turn, struct entry *entry, const struct bus_message_type *type,
                        struct bus_arena *arena) {
  struct bus_problems problems;
  void *body = entry->fails ? NULL : bus_arena_alloc(arena, type->schema->size);
  if (!body) {
    put_off(turn, entry, BUS_E_NOMEM, "out of memory");
    return;
  }
  if (!bus_decode(type->schema, entry->raw, BUS_IGNORE_UNKNOWN, arena, body, &problems)) {
    char text[200];
    bus_problems_text(&problems, text, sizeof text);
    if (bus_problems_no_memory(&problems)) /* not the message's fault */
      put_off(turn, entry, BUS_E_NOMEM, text);
    else
      refuse(entry, BUS_E_DECODE, text);
    return;
  }
  entry->input.body = body;
}

/* The sender of a request controls reply_to. The topology says which part of it is accepted as an address. */
static void check_reply_to(const struct turn *turn, struct entry *entry) {
  struct bus_envelope *envelope = &entry->envelope;
  struct bus_str sender = bus_topology_sender(turn->setup->topology, turn->setup->service->name, envelope);
  if (!envelope->reply_to.data || bus_topology_is_reply(turn->setup->topology, sender, envelope->reply_to))
    return;
  envelope->reply_to = BUS_NO_STR;
  turn_count(turn, BUS_COUNT_ANSWERS_DROPPED, 1);
}

bool decode_is_late(const struct turn *turn, const struct entry *entry) {
  return turn->takes_requests && entry_is_delivery(entry) && entry->envelope.deadline < turn->wall;
}

static bool may_send(const struct bus_pipeline_setup *setup, const struct entry *entry,
                     const struct bus_message_type *type) {
  struct bus_envelope relayed;
  const struct bus_envelope *envelope = &entry->envelope;
  if (BUS_BUG("relay-taken-for-sender", "what an operator sends again counts as the operator's own")) {
    relayed = *envelope;
    relayed.sender = BUS_NO_STR;
    envelope = &relayed;
  }
  return bus_topology_may_send(setup->topology, setup->service->name, envelope, type);
}

/* Messages, calls and rows of the service carry this span on as their parent. */
static void begin_span(const struct turn *turn, struct entry *entry) {
  struct bus_trace *trace = &entry->envelope.trace;
  if (!turn->setup->spans || entry->is_span || !bus_trace_is_set(trace) || !bus_trace_is_sampled(trace))
    return;
  entry->is_span = true;
  memcpy(entry->parent, trace->span_id, sizeof entry->parent);
  bus_trace_process(trace, &entry->envelope.message_id, turn->setup->service->queues[entry->consumer]);
}

void decode_entry(const struct turn *turn, struct entry *entry, struct bus_arena *arena) {
  const struct bus_pipeline_setup *setup = turn->setup;
  if (entry->decoded || !entry_is_delivery(entry))
    return;
  const struct bus_queue *queue = bus_topology_queue(setup->topology, setup->service->queues[entry->consumer]);
  assert(queue); /* the worker has checked its queues */
  const struct bus_message_type *type = bus_topology_queue_type(queue, entry->envelope.type);
  entry->decoded = true;
  assert(entry->consumer >= 0 && (size_t)entry->consumer < setup->service->queue_count);
  entry->input.envelope = &entry->envelope;
  entry->input.type = type;
  begin_span(turn, entry);
  if (entry->uncut) {
    trace_received(turn, entry);
    return;
  }
  if (bus_uuid_is_nil(&entry->envelope.message_id))
    refuse(entry, BUS_E_DECODE, "message_id is missing or not a UUID");
  else if (!entry->envelope.type.data)
    refuse(entry, BUS_E_DECODE, "type is missing");
  else if (!entry->raw.data)
    refuse(entry, BUS_E_DECODE, "body is missing or over 1 MiB");
  else if (entry->envelope.copied)
    refuse(entry, BUS_E_SENDER, "header CC or BCC: the broker checks no permission for its routing keys");
  else if (!type)
    put_off(turn, entry, BUS_E_UNKNOWN_TYPE, "type is unknown to this version");
  else if (turn->takes_requests && entry->envelope.deadline <= 0)
    refuse(entry, BUS_E_DECODE, "bus-deadline is missing or not a time");
  else if (!may_send(setup, entry, type))
    refuse_sender(turn, entry, type);
  else {
    check_reply_to(turn, entry);
    decode_body(turn, entry, type, arena);
  }
  trace_received(turn, entry);
}
