/* After COMMIT: what was decided is published and carried out, what the sweeper claimed is published, and deliveries
 * are settled. */
#include "machine.h"

#include "decode.h"
#include "dropped.h"
#include "points.h"

#define ROOM_PATIENCE (5 * BUS_SECOND)
enum { ROOM_LEAST = 8 /* actions that may still be needed */ };

/* ---- one publication ---- */

static void send(struct bus_pipeline *pipeline, const struct bus_publication *publication, enum bus_sent_kind kind) {
  assert(!bus_uuid_is_nil(&publication->envelope->message_id));
  bool first = pipeline->attempt.published++ == 0;
  window_send(&pipeline->window, &pipeline->turn, publication, kind, NULL, first);
}

static struct bus_publication publication_of(const struct bus_message_type *type, const struct bus_envelope *envelope,
                                             struct bus_str body) {
  return (struct bus_publication){
      .exchange = type->exchange, .key = bus_message_key(type), .envelope = envelope, .body = body};
}

static void send_outbox(struct bus_pipeline *pipeline, const struct bus_message_type *type,
                        const struct bus_envelope *envelope, struct bus_str body) {
  struct bus_publication publication = publication_of(type, envelope, body);
  publication.mandatory = bus_topology_is_mandatory(pipeline->setup.topology, type);
  send(pipeline, &publication, BUS_SENT_OUTBOX);
  if (BUS_BUG("outbox-deleted-before-confirm", "an outbox row counts as confirmed when it is sent"))
    ledger_confirmed(&pipeline->ledger, &envelope->message_id);
}

static void send_notice(struct bus_pipeline *pipeline, const struct outgoing *outgoing) {
  struct bus_publication publication = publication_of(outgoing->type, outgoing->envelope, outgoing->body);
  publication.transient = true;
  send(pipeline, &publication, BUS_SENT_ANSWER);
}

static void send_answer(struct bus_pipeline *pipeline, const struct outgoing *outgoing) {
  struct bus_str address = outgoing->envelope->reply_to;
  if (!bus_topology_is_reply(pipeline->setup.topology, BUS_NO_STR, address)) { /* kept since an earlier version */
    turn_count(&pipeline->turn, BUS_COUNT_ANSWERS_DROPPED, 1);
    return;
  }
  outgoing->envelope->reply_to = BUS_NO_STR;
  const struct bus_publication publication = {
      .exchange = BUS_EXCHANGE_REPLY, .key = address, .envelope = outgoing->envelope, .body = outgoing->body};
  send(pipeline, &publication, BUS_SENT_ANSWER);
}

static void send_outgoing(struct bus_pipeline *pipeline, const struct outgoing *outgoing) {
  if (outgoing->kind == BUS_EFFECT_EMIT) {
    send_outbox(pipeline, outgoing->type, outgoing->envelope, outgoing->body);
    turn_point_if(&pipeline->turn, outgoing->envelope->bundle, BUS_POINT_BUNDLE_PUBLISHED);
  } else if (outgoing->kind == BUS_EFFECT_NOTICE)
    send_notice(pipeline, outgoing);
  else
    send_answer(pipeline, outgoing);
}

/* A planted bug's. */
void publish_early(struct bus_pipeline *pipeline) {
  const struct outgoings *outgoings = &pipeline->attempt.outgoings;
  for (size_t i = 0; i < outgoings->count; i++) {
    const struct outgoing *outgoing = &outgoings->items[i];
    if (outgoing->kind == BUS_EFFECT_EMIT && window_is_open(&pipeline->window) &&
        window_has_room(&pipeline->window, &pipeline->turn, outgoing->body.len))
      send_outbox(pipeline, outgoing->type, outgoing->envelope, outgoing->body);
  }
}

void publish_notice(struct bus_pipeline *pipeline, const struct bus_publication *notice) {
  if (!window_is_open(&pipeline->window) || !window_has_room(&pipeline->window, &pipeline->turn, notice->body.len))
    return; /* a notice that is not sent is lost, as any may be */
  window_send(&pipeline->window, &pipeline->turn, notice, BUS_SENT_ANSWER, NULL, false);
  (void)turn_do(&pipeline->turn, BUS_DO_FLUSH);
}

/* ---- all of a commit ---- */

static void begin_waiting(struct bus_pipeline *pipeline) {
  struct waiting *waiting = &pipeline->waiting;
  if (waiting->phase != PHASE_PUBLISHING)
    waiting->since = pipeline->turn.now;
  waiting->phase = PHASE_PUBLISHING;
}

/* Waits for confirms, or for the next step; not for ever. */
static enum next wait_for_room(struct bus_pipeline *pipeline) {
  begin_waiting(pipeline);
  bool full = turn_room(&pipeline->turn) <= pipeline->actions.room / 2; /* the next step goes on */
  if (full || pipeline->turn.now < machine_bound(pipeline, pipeline->waiting.since + ROOM_PATIENCE))
    return NEXT_WAIT;
  machine_lose_broker(pipeline, "no confirm from the broker for 5 s");
  return NEXT_PUBLISH; /* what is left is due for the sweeper */
}

/* False: it waits for room. Not sent while the connection is closed or paused: an outbox row is then due for the
 * sweeper, an answer is a time-out of the asker's. */
static bool carry_out(struct bus_pipeline *pipeline, const struct outgoing *outgoing) {
  assert((outgoing->kind == BUS_EFFECT_ACTION) == (outgoing->envelope == NULL));
  struct window *window = &pipeline->window;
  if (outgoing->kind == BUS_EFFECT_ACTION) {
    if (turn_room(&pipeline->turn) < ROOM_LEAST)
      return false;
    turn_do(&pipeline->turn, BUS_DO_SERVICE)->service = outgoing->action;
    return true;
  }
  if (!window_is_open(window))
    return true;
  if (!window_has_room(window, &pipeline->turn, outgoing->body.len))
    return false;
  send_outgoing(pipeline, outgoing);
  return true;
}

static void give_new_id(struct bus_pipeline *pipeline, struct swept *swept) {
  if (BUS_BUG("sweeper-gives-new-ids", "what is published again has an id of its own"))
    bus_uuid_v7(&pipeline->ids, pipeline->turn.wall, &swept->envelope.message_id);
}

/* A planted bug's: two rows that are swept together become a bundle that is in no row. */
static void regroup(struct bus_pipeline *pipeline, struct swept *swept) {
  const struct swept *next = swept->next;
  if (!next || next->type != swept->type || next->envelope.bundle || swept->envelope.bundle ||
      !bus_message_bundles(swept->type))
    return;
  const struct bus_bundle_item items[] = {{swept->type, &swept->envelope, swept->body, 0},
                                          {next->type, &next->envelope, next->body, 0}};
  struct bus_envelope envelope;
  struct bus_uuid id;
  bus_uuid_v7(&pipeline->ids, pipeline->turn.wall, &id);
  bus_bundle_envelope(items, BUS_COUNT(items), &id, &envelope);
  if (!bus_bundle_encode(pipeline->setup.service->name, items, BUS_COUNT(items), pipeline->work, &swept->body))
    return;
  swept->envelope = envelope;
  swept->next = next->next;
}

/* False: it waits for room. */
static bool publish_swept(struct bus_pipeline *pipeline) {
  struct upkeep *upkeep = &pipeline->upkeep;
  for (; upkeep->swept; upkeep->swept = upkeep->swept->next) {
    struct swept *swept = upkeep->swept;
    if (!window_is_open(&pipeline->window))
      continue;
    if (!window_has_room(&pipeline->window, &pipeline->turn, swept->body.len))
      return false;
    give_new_id(pipeline, swept);
    if (BUS_BUG("sweeper-bundles-anew", "what is published again is bundled with other rows, under a new id"))
      regroup(pipeline, swept);
    turn_point(&pipeline->turn, BUS_POINT_SWEPT);
    send_outbox(pipeline, swept->type, &swept->envelope, swept->body);
    turn_point_if(&pipeline->turn, swept->envelope.bundle, BUS_POINT_BUNDLE_SWEPT);
    turn_count(&pipeline->turn, BUS_COUNT_SWEPT, 1);
    if (!swept->next)
      turn_point(&pipeline->turn, BUS_POINT_SWEPT_PUBLISHED);
  }
  return true;
}

enum next publish_next(struct bus_pipeline *pipeline) {
  struct attempt *attempt = &pipeline->attempt;
  assert(attempt->outgoings.next <= attempt->outgoings.count);
  struct outgoings *outgoings = &attempt->outgoings;
  for (; outgoings->next < outgoings->count; outgoings->next++)
    if (!carry_out(pipeline, &outgoings->items[outgoings->next]))
      return wait_for_room(pipeline);
  if (attempt->published > 0)
    turn_point(&pipeline->turn, BUS_POINT_PUBLISHED);
  upkeep_committed(&pipeline->upkeep, &pipeline->turn);
  if (!publish_swept(pipeline))
    return wait_for_room(pipeline);
  return NEXT_SETTLE;
}

/* ---- settling ---- */

static void count_message(const struct bus_pipeline *pipeline, const struct entry *entry) {
  static const enum bus_message_outcome outcomes[] = {
      [BUS_DONE] = BUS_MESSAGE_DONE, [BUS_RETRY] = BUS_MESSAGE_RETRIED, [BUS_PARK] = BUS_MESSAGE_PARKED};
  struct bus_pipeline_action *action = turn_do(&pipeline->turn, BUS_DO_COUNT_MESSAGE);
  action->message.type = entry->input.type;
  action->message.duration = pipeline->turn.now - entry->since;
  action->message.entry = entry;
  action->message.outcome = entry->late        ? BUS_MESSAGE_LATE
                            : entry->duplicate ? BUS_MESSAGE_DUPLICATE
                                               : outcomes[entry->ruling.verdict];
}

/* A connection that is gone: its deliveries come again and show as duplicates. */
static bool is_of_this_connection(const struct bus_pipeline *pipeline, const struct entry *entry) {
  return pipeline->window.up && (entry->epoch == pipeline->links.epoch ||
                                 BUS_BUG("old-tags-acked", "tags of an older connection are acked on the new one"));
}

static void settle(struct bus_pipeline *pipeline, struct entry *entry) {
  if (!entry_is_delivery(entry))
    return;
  assert(entry->decoded);
  count_message(pipeline, entry);
  if (!is_of_this_connection(pipeline, entry))
    return;
  assert(!entry->duplicate || entry->ruling.verdict == BUS_DONE);
  bool done = entry->ruling.verdict == BUS_DONE || !decode_retries(&pipeline->turn);
  if (!decode_retries(&pipeline->turn) && (entry->late || entry->ruling.verdict != BUS_DONE))
    dropped_log(&pipeline->dropped, &pipeline->turn, entry);
  if (done || BUS_BUG("retry-acked-before-confirm", "a retried message is acked before its tier has it"))
    acks_settle(&pipeline->acks, entry->tag);
  /* Unsettled, it stays the broker's; a new connection brings it again. */
  if (!done && !holds_add(&pipeline->holds, &pipeline->turn, entry))
    machine_lose_broker(pipeline, "out of memory for a message to retry");
}

enum next publish_settle(struct bus_pipeline *pipeline) {
  struct attempt *attempt = &pipeline->attempt;
  if (turn_room(&pipeline->turn) < attempt->count + ROOM_LEAST) {
    begin_waiting(pipeline);
    return NEXT_WAIT;
  }
  assert(attempt->outgoings.next == attempt->outgoings.count && !pipeline->upkeep.swept);
  for (size_t i = 0; i < attempt->count; i++)
    settle(pipeline, attempt->entries[i]);
  holds_send(&pipeline->holds, &pipeline->turn, &pipeline->window);
  turn_point_if(&pipeline->turn, points_is_element_held(attempt), BUS_POINT_ELEMENT_HELD);
  if (window_is_open(&pipeline->window))
    (void)turn_do(&pipeline->turn, BUS_DO_FLUSH);
  pipeline->waiting.quiet.last_work_at = pipeline->turn.now;
  return batch_next_segment(pipeline);
}

/* ---- what the broker says ---- */

/* Acks from other queues do not end the nacks of this one. */
static void count_nack(struct bus_pipeline *pipeline) {
  if (bus_nacks_add(&pipeline->window.nacks, pipeline->turn.now))
    machine_lose_broker(pipeline, "messages are nacked; a new connection may find their queue's leader");
}

static void close_slip(struct bus_pipeline *pipeline, const struct slip *slip, bool ack) {
  assert(!slip->open && (slip->kind == BUS_SENT_HELD) == (slip->held != NULL));
  const struct turn *turn = &pipeline->turn;
  bool arrived = ack && !slip->returned;
  if (!slip->returned) /* counted already */
    turn_count(turn, ack ? BUS_COUNT_CONFIRMED : BUS_COUNT_NACKED, 1);
  if (arrived)
    bus_rotation_reset(&pipeline->links.hosts);
  if (slip->kind == BUS_SENT_OUTBOX && arrived) {
    ledger_confirmed(&pipeline->ledger, &slip->message_id);
    turn_point_if(turn, turn_room(turn) > ROOM_LEAST, BUS_POINT_CONFIRMED);
    turn_point_if(turn, slip->bundle && turn_room(turn) > ROOM_LEAST, BUS_POINT_BUNDLE_CONFIRMED);
  }
  if (slip->kind == BUS_SENT_OUTBOX && slip->returned)
    ledger_unroutable(&pipeline->ledger, &slip->message_id);
  if (slip->kind == BUS_SENT_HELD && arrived)
    holds_arrived(&pipeline->holds, turn, slip->held, &pipeline->acks);
  else if (slip->kind == BUS_SENT_HELD)
    holds_refused(&pipeline->holds, turn, slip->held, ack ? "returned" : "nacked");
  if (!ack && slip->kind != BUS_SENT_ANSWER)
    count_nack(pipeline);
}

void publish_confirm(struct bus_pipeline *pipeline, uint64_t seq, bool multiple, bool ack) {
  const struct slip *slip;
  bool took = ack || BUS_BUG("nack-counts-as-confirm", "a message that the broker refused counts as confirmed");
  if (!pipeline->window.up)
    return;
  while (pipeline->window.up && (slip = window_confirmed(&pipeline->window, seq, multiple)) != NULL)
    close_slip(pipeline, slip, took);
  window_advance(&pipeline->window);
  pipeline->waiting.quiet.last_work_at = pipeline->turn.now;
}
