/* Connections to the broker, and what happens to the broker as a whole. */
#include "broker.h"

/* ---- connections ---- */

bool peer_connect(struct world *world, struct peer *peer) {
  if (!world->broker->up || peer->linked)
    return false;
  peer->linked = true;
  peer->epoch++;
  peer->next_tag = peer->next_seq = 0;
  peer->reading = 0;
  peer->open = NULL;
  peer->open_end = &peer->open;
  peer->out_at = peer->in_at = world->now;
  TRACE(world, "%s connects to the broker", peer->name);
  peer->on_link(world, peer, true);
  if (world->broker->blocked)
    peer->on_blocked(world, peer, true);
  return true;
}

void peer_break(struct world *world, struct peer *peer) {
  if (!peer->linked)
    return;
  peer->linked = false;
  peer->epoch++;
  TRACE(world, "%s loses the broker", peer->name);
  broker_requeue(world, peer);
  peer->on_link(world, peer, false);
  broker_dispatch(world);
}

bool peer_waits(struct world *world, const struct peer *peer, event_run *run, void *subject, uint64_t detail) {
  if (peer->paused_until <= world->now)
    return false;
  world_at(world, peer->paused_until, run, subject, detail);
  return true;
}

/* ---- what happens to the broker ---- */

static void broker_returns(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  world->broker->up = true;
  TRACE(world, "broker is back");
}

void broker_outage(struct world *world, int64_t duration) {
  if (!world->broker->up)
    return;
  world->broker->up = false;
  TRACE(world, "broker goes away");
  for (size_t i = 0; i < world->worker_count; i++)
    peer_break(world, peer_of_worker(world, i));
  for (int i = 0; i < EDGES; i++)
    peer_break(world, peer_of_edge(world, i));
  world_after(world, duration, broker_returns, NULL, 0);
}

static void say_blocked(struct world *world, bool blocked) {
  world->broker->blocked = blocked;
  TRACE(world, blocked ? "broker takes no publications" : "broker takes publications again");
  for (size_t i = 0; i < world->worker_count; i++)
    if (peer_of_worker(world, i)->linked)
      peer_of_worker(world, i)->on_blocked(world, peer_of_worker(world, i), blocked);
}

static void unblock(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  say_blocked(world, false);
}

void broker_block(struct world *world, int64_t duration) {
  if (world->broker->blocked)
    return;
  world->broker->blocked_until = world->now + duration;
  say_blocked(world, true);
  world_after(world, duration, unblock, NULL, 0);
}

static void bind_again(struct world *world, void *subject, uint64_t queue) {
  (void)subject;
  world->broker->queues[queue].bound = true;
  TRACE(world, "queue %s is bound again", queue_names[queue]);
}

void broker_unbind(struct world *world, int queue, int64_t duration) {
  if (!world->broker->queues[queue].bound)
    return;
  world->broker->queues[queue].bound = false;
  TRACE(world, "queue %s is bound to nothing", queue_names[queue]);
  world_after(world, duration, bind_again, NULL, (uint64_t)queue);
}
