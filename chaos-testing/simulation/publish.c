/* Publications and the broker's reactions: confirms, returns, and deliveries that are retried or dead-lettered. */
#include "worker.h"

#include "check.h"

#include <orderbus_topology.h>

bool publish_is_open(const struct world *world, const struct worker *worker) {
  return worker->peer.linked && !world->broker->blocked;
}

static struct bus_str keep(struct world *world, struct bus_str text) {
  return text.data ? world_text(world, text) : BUS_NO_STR;
}

struct message *publish_message(struct world *world, struct worker *worker, const struct bus_effect *effect) {
  struct message *message = world_alloc(world, sizeof *message);
  *message = (struct message){.envelope = effect->envelope, .type = effect->type, .letter = letter_new(world)};
  message->envelope.user_id = bus_str(worker->peer.user);
  message->envelope.reply_to = keep(world, effect->envelope.reply_to);
  message->body = world_text(world, effect->body);
  return message;
}

/* ---- outbox rows and answers ---- */

static void remember(const struct message **list, size_t *count, const struct message *message) {
  if (*count < OPEN_MAX)
    list[(*count)++] = message; /* else the sweeper sends it again */
}

void publish_outbox(struct world *world, struct worker *worker, const struct message *message) {
  if (!publish_is_open(world, worker))
    return; /* the row is due for the sweeper */
  const struct sending sending = {.peer = &worker->peer,
                                  .kind = SENDING_OUTBOX,
                                  .message = message,
                                  .exchange = message->type->exchange,
                                  .mandatory = bus_topology_is_mandatory(&orderbus_topology, message->type)};
  broker_publish(world, &sending);
  if (has_bug(world, BUG_DELETE_EARLY))
    remember(worker->confirmed, &worker->confirmed_count, message);
}

static void publish_answer(struct world *world, struct worker *worker, const struct bus_effect *effect) {
  struct message *message = publish_message(world, worker, effect);
  message->letter->external = true; /* no outbox has it */
  const struct sending sending = {.peer = &worker->peer,
                                  .kind = SENDING_ANSWER,
                                  .message = message,
                                  .exchange = BUS_EXCHANGE_REPLY,
                                  .queue = effect->envelope.reply_to.data[effect->envelope.reply_to.len - 1] - '0'};
  if (publish_is_open(world, worker))
    broker_publish(world, &sending);
}

static const struct message *published_again(struct world *world, struct worker *worker,
                                             const struct message *message) {
  if (!has_bug(world, BUG_NEW_IDS))
    return message;
  struct message *other = world_alloc(world, sizeof *other);
  *other = *message;
  bus_uuid_v7(&worker->ids, worker->transaction.now, &other->envelope.message_id);
  return other;
}

bool publish_committed(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  size_t emitted = 0, dropped = transaction->confirmed_count;
  for (size_t i = dropped; i < worker->confirmed_count; i++)
    worker->confirmed[i - dropped] = worker->confirmed[i];
  worker->confirmed_count -= dropped;
  dropped = transaction->unroutable_count;
  for (size_t i = dropped; i < worker->unroutable_count; i++)
    worker->unroutable[i - dropped] = worker->unroutable[i];
  worker->unroutable_count -= dropped;
  for (const struct bus_effect *effect = transaction->effects.first; effect; effect = effect->next) {
    if (worker_perhaps_crashes(world, worker))
      return false;
    if (effect->kind == BUS_EFFECT_ACTION)
      services[worker->service].act(world, worker, effect->action);
    else if (effect->kind == BUS_EFFECT_ANSWER)
      publish_answer(world, worker, effect);
    else if (!has_bug(world, BUG_PUBLISH_EARLY))
      publish_outbox(world, worker, transaction->emitted[emitted++]);
  }
  for (size_t i = 0; i < transaction->claimed_count; i++)
    publish_outbox(world, worker, published_again(world, worker, transaction->claimed[i]->message));
  world->tally->sweeps += transaction->claimed_count > 0;
  if (transaction->swept)
    worker->sweep_at = world->now + BUS_SECOND;
  if (transaction->ticked)
    worker->due_at = world->now + services[worker->service].due_interval;
  return true;
}

/* ---- retried and parked deliveries ---- */

static void hold(struct world *world, struct worker *worker, const struct item *item) {
  struct held *held = world_alloc(world, sizeof *held);
  bool parks = item->verdict == BUS_PARK;
  *held = (struct held){.message = *item->message,
                        .tag = item->tag,
                        .epoch = item->epoch,
                        .exchange = parks ? BUS_EXCHANGE_DEAD : BUS_EXCHANGE_RETRY,
                        .queue = item->queue,
                        .tier = item->tier,
                        .next = worker->held};
  struct bus_envelope *envelope = &held->message.envelope;
  envelope->sender = bus_topology_sender(&orderbus_topology, worker->peer.user, envelope);
  envelope->user_id = bus_str(worker->peer.user);
  if (envelope->first_failed_at == BUS_NO_TIME)
    envelope->first_failed_at = world->now + worker->peer.wall_offset;
  envelope->attempt += !parks && !item->uncounted;
  TRACE(world, "%s %s m%" PRIu64 ": %s", worker->peer.name, parks ? "parks" : "will retry",
        item->message->letter->number, item->cause.text);
  if (parks)
    check_parked(world, item);
  worker->held = held;
}

static void send_again(struct world *world, void *subject, uint64_t life) {
  struct worker *worker = subject;
  if (worker->peer.up && worker->peer.life == life)
    publish_held(world, worker);
}

static void ack(struct world *world, struct worker *worker) {
  uint64_t tag = worker->peer.linked ? settling_ackable(worker->settling) : 0;
  if (tag > 0)
    broker_ack(world, &worker->peer, tag);
}

void publish_held(struct world *world, struct worker *worker) {
  for (struct held *held = worker->held; held && publish_is_open(world, worker); held = held->next) {
    if (held->sent || held->done)
      continue;
    held->sent = true;
    const struct sending sending = {.peer = &worker->peer,
                                    .kind = SENDING_HELD,
                                    .message = &held->message,
                                    .exchange = held->exchange,
                                    .queue = held->queue,
                                    .tier = held->tier,
                                    .mandatory = true,
                                    .held = held};
    broker_publish(world, &sending);
    if (has_bug(world, BUG_HELD_ACK_EARLY) && held->epoch == worker->peer.epoch) {
      settling_settle(worker->settling, held->tag);
      ack(world, worker);
    }
  }
}

void publish_settle(struct world *world, struct worker *worker, struct item **items, size_t count) {
  uint64_t highest = 0;
  for (size_t i = 0; i < count; i++) {
    struct item *item = items[i];
    bool ours = worker->peer.linked && item->epoch == worker->peer.epoch;
    if (has_bug(world, BUG_OLD_TAGS) && item->message && !ours && worker->peer.linked)
      broker_ack(world, &worker->peer, item->tag);
    if (!item->message || !ours)
      continue; /* of a connection that is gone: it comes again and shows as a duplicate */
    highest = item->tag > highest ? item->tag : highest;
    if (item->verdict == BUS_DONE || item->duplicate)
      settling_settle(worker->settling, item->tag);
    else
      hold(world, worker, item);
  }
  publish_held(world, worker);
  if (has_bug(world, BUG_ACK_GAPS) && highest > 0)
    broker_ack(world, &worker->peer, highest);
  else
    ack(world, worker);
}

/* ---- what the broker says ---- */

static void confirm_held(struct world *world, struct worker *worker, struct held *held, bool arrived) {
  if (!arrived) {
    held->sent = false;
    world_after(world, BUS_SECOND, send_again, worker, worker->peer.life);
    return;
  }
  held->done = true;
  if (held->epoch == worker->peer.epoch)
    settling_settle(worker->settling, held->tag);
  ack(world, worker);
}

void publish_confirm(struct world *world, struct peer *peer, const struct sending *sending) {
  struct worker *worker = peer->owner;
  bool acked = sending->acked || has_bug(world, BUG_CONFIRM_ANY);
  bool returned = sending->returned && !has_bug(world, BUG_DROP_UNROUTABLE);
  if (!peer->up)
    return;
  if (sending->kind == SENDING_HELD)
    confirm_held(world, worker, sending->held, acked && !returned);
  else if (acked && !returned)
    remember(worker->confirmed, &worker->confirmed_count, sending->message);
  else if (returned)
    remember(worker->unroutable, &worker->unroutable_count, sending->message);
  worker->last_work_at = world->now;
  tick_plan(world, worker);
}

void publish_reset(struct world *world, struct worker *worker) {
  (void)world;
  worker->held = NULL;
  settling_reset(worker->settling);
}
