/* A worker's life: starting, connecting, crashing, and what arrives. */
#include "worker.h"

#include "psp.h"

#include <stdio.h>

static void start(struct world *world, void *subject, uint64_t life);

/* ---- connections ---- */

static void on_link(struct world *world, struct peer *peer, bool up) {
  struct worker *worker = peer->owner;
  worker->settled = false;
  worker->connected_at = world->now;
  publish_reset(world, worker);
  size_t kept = 0;
  for (size_t i = 0; i < worker->item_count; i++)
    if (!worker->items[i]->message) /* deliveries come again by themselves */
      worker->items[kept++] = worker->items[i];
  worker->item_count = kept;
  stall_forget(worker);
  if (up)
    worker_wake(world, worker);
  tick_plan(world, worker);
}

static void on_wake(struct world *world, struct peer *peer) {
  struct worker *worker = peer->owner;
  if (!peer->up)
    return;
  publish_held(world, worker);
  worker_wake(world, worker);
  tick_plan(world, worker);
}

static void connect_session(struct world *world, void *subject, uint64_t life) {
  struct worker *worker = subject;
  if (!worker->peer.up || worker->peer.life != life || worker->session)
    return;
  if (!worker->database->up) {
    world_after(world, random_between(&world->random, BUS_SECOND / 5, 2 * BUS_SECOND), connect_session, worker, life);
    return;
  }
  worker->session = true;
  worker->settled = false;
  worker->connected_at = world->now;
  TRACE(world, "%s connects to its database", worker->peer.name);
  if (worker->busy)
    attempt_begin(world, worker);
  else
    worker_wake(world, worker);
  if (worker->session)
    tick_plan(world, worker);
}

void worker_session_dies(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  if (!worker->session)
    return;
  worker->session = false;
  bool open = transaction->open;
  if (open && transaction->sent && random_chance(&world->random, PPM / 2)) {
    (void)attempt_apply(world, worker); /* whatever came of it: nobody is told */
    world->tally->unknown_commits++;
  }
  transaction->open = transaction->sent = false;
  transaction->serial++;
  database_unlock(worker->database, worker);
  TRACE(world, "%s loses its database%s", worker->peer.name, open ? " in a transaction" : "");
  if (!worker->peer.up)
    return;
  world_after(world, random_between(&world->random, BUS_SECOND / 10, BUS_SECOND), connect_session, worker,
              worker->peer.life);
  if (open && has_bug(world, BUG_LOST_IS_FAILED) && worker->busy)
    batch_outcome(world, worker, COMMIT_DONE);
}

/* ---- what arrives ---- */

static void on_delivery(struct world *world, struct peer *peer, const struct message *message, int queue, uint64_t tag,
                        bool redelivered) {
  struct worker *worker = peer->owner;
  if (worker->item_count == ITEMS_MAX)
    world_violate(world, "%s has %d inputs waiting", peer->name, ITEMS_MAX);
  struct item *item = world_alloc(world, sizeof *item);
  *item = (struct item){.message = message,
                        .envelope = message->envelope,
                        .queue = queue,
                        .tag = tag,
                        .epoch = peer->epoch,
                        .redelivered = redelivered};
  item->input.kind = BUS_INPUT_DELIVERY;
  item->envelope.redelivered = redelivered;
  worker->items[worker->item_count++] = item;
  settling_received(worker->settling, tag);
  if (!worker->first_seen) {
    worker->first_seen = true;
    worker->suspect = redelivered;
  }
  worker_wake(world, worker);
}

void worker_push(struct world *world, struct worker *worker, enum bus_input_kind kind, const void *body, size_t size) {
  if (worker->item_count == ITEMS_MAX)
    return; /* it will be found again */
  struct item *item = world_alloc(world, sizeof *item);
  void *copy = world_alloc(world, size);
  memcpy(copy, body, size);
  item->input.kind = kind;
  item->input.body = copy;
  worker->items[worker->item_count++] = item;
  worker->pushed++;
}

static void no_reply(struct world *world, struct peer *peer, const struct message *message) {
  (void)world, (void)peer, (void)message; /* workers ask nobody */
}

/* ---- its turn ---- */

static void take_turn(struct world *world, void *subject, uint64_t life) {
  struct worker *worker = subject;
  if (worker->peer.life != life || !worker->peer.up || peer_waits(world, &worker->peer, take_turn, subject, life))
    return;
  worker->waking = false;
  if (!worker->busy && worker->session)
    batch_begin(world, worker);
}

void worker_wake(struct world *world, struct worker *worker) {
  if (worker->waking || worker->busy || !worker->peer.up || !worker->session)
    return;
  if (!stall_has_work(world, worker) && !tick_is_due(world, worker))
    return;
  worker->waking = true;
  world_after(world, random_wait(&world->random, world->plan.latency / 4 + 1), take_turn, worker, worker->peer.life);
}

bool worker_is_settled(struct world *world, struct worker *worker) {
  if (stall_holds_deadlines(worker))
    return worker->settled = false;
  bool seen_empty = worker->peer.linked && worker->item_count == worker->pushed;
  for (int queue = 0; queue < QUEUES; queue++)
    if (services[worker->service].queues >> queue & 1 && broker_has(world->broker, queue))
      seen_empty = false;
  if (seen_empty || world->now >= worker->connected_at + BUS_MINUTE)
    worker->settled = true;
  return worker->settled;
}

/* ---- its life ---- */

static void start(struct world *world, void *subject, uint64_t life) {
  struct worker *worker = subject;
  uint64_t seed[4];
  if (worker->peer.up || worker->peer.life != life)
    return;
  for (size_t i = 0; i < 4; i++)
    seed[i] = random_next(&world->random);
  bus_uuid_source_init(&worker->ids, seed);
  caller_init(world, worker);
  worker->peer.up = true;
  TRACE(world, "%s starts", worker->peer.name);
  connect_session(world, worker, life);
  peer_connect(world, &worker->peer);
}

void worker_crash(struct world *world, struct worker *worker, int64_t downtime) {
  struct peer *peer = &worker->peer;
  if (!peer->up)
    return;
  TRACE(world, "%s crashes", peer->name);
  world->tally->crashes++;
  peer->up = false;
  peer->life++;
  peer->paused_until = 0;
  worker_session_dies(world, worker);
  worker->item_count = worker->pushed = 0;
  peer_break(world, peer);
  worker->busy = worker->waking = false;
  stall_reset(worker);
  worker->segment_count = 0;
  worker->confirmed_count = worker->unroutable_count = 0;
  worker->suspect_counted = (struct bus_uuid){{0}};
  worker->first_seen = worker->suspect = false;
  worker->budget = (struct order_budget){.spent = 0};
  worker->high_water = (struct bus_uuid){{0}};
  worker->tick_at = 0;
  peer->paused_queues = 0;
  worker->sweep_at = worker->due_at = world->now;
  world_after(world, downtime, start, worker, peer->life);
}

bool worker_perhaps_crashes(struct world *world, struct worker *worker) {
  if (world->quiet || !random_chance(&world->random, world->plan.crash_ppm))
    return false;
  worker_crash(world, worker, random_between(&world->random, BUS_SECOND / 10, world->plan.downtime_max));
  return true;
}

/* The server closes a connection without heartbeats. */
static void no_heartbeat(struct world *world, void *subject, uint64_t epoch) {
  struct worker *worker = subject;
  if (worker->peer.epoch == epoch && worker->peer.paused_until > world->now)
    peer_break(world, &worker->peer);
}

void worker_pause(struct world *world, struct worker *worker, int64_t duration) {
  if (!worker->peer.up)
    return;
  TRACE(world, "%s stands still", worker->peer.name);
  worker->peer.paused_until = world->now + duration;
  world_after(world, 10 * BUS_SECOND, no_heartbeat, worker, worker->peer.epoch);
}

static void init(struct world *world, struct worker *worker, int service, int64_t number) {
  char name[32];
  (void)snprintf(name, sizeof name, "%s/%" PRId64, service_names[service], number); /* fits */
  worker->service = service;
  worker->database = &world->databases[service];
  worker->settling = settling_new(world);
  worker->peer = (struct peer){.name = world_text(world, bus_str(name)).data,
                               .user = service_names[service],
                               .queues = services[service].queues,
                               .prefetch = (size_t)world->plan.batch_max * 2,
                               .owner = worker,
                               .on_delivery = on_delivery,
                               .on_reply = no_reply,
                               .on_confirm = publish_confirm,
                               .on_link = on_link,
                               .on_wake = on_wake};
}

void workers_init(struct world *world, struct bus_arena *const *scratch) {
  world->workers = world_alloc(world, WORKERS_MAX * sizeof *world->workers);
  for (int service = 0; service < SERVICES; service++)
    for (int64_t number = 0; number < world->plan.workers[service]; number++) {
      struct worker *worker = &world->workers[world->worker_count];
      worker->index = world->worker_count;
      worker->work = scratch[world->worker_count++];
      init(world, worker, service, number);
    }
  for (size_t i = 0; i < world->worker_count; i++)
    start(world, &world->workers[i], 0);
}

struct peer *peer_of_worker(struct world *world, size_t index) {
  return &world->workers[index].peer;
}
