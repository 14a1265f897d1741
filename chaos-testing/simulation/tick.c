/* Periodic work: due rows become inputs, the sweeper takes unconfirmed rows, confirmed rows are deleted, new orders
 * wait while too many are open. It is planned from due times, so that idle time costs no events. */
#include "worker.h"

#include "check.h"
#include "table_orders.h"

#define QUIET (200 * BUS_MILLISECOND)
enum { DUE_MAX = 32 };

static bus_time later(bus_time a, bus_time b) {
  return a > b ? a : b;
}

static bus_time sooner(bus_time a, bus_time b) {
  return a < b ? a : b;
}

/* When, by the world's clock. */
static bus_time outbox_due(const struct world *world, const struct worker *worker) {
  bus_time first = INT64_MAX;
  if (has_bug(world, BUG_SWEEP_NEVER))
    return first;
  for (const struct outgoing *outgoing = worker->database->outbox; outgoing; outgoing = outgoing->next)
    if (!has_bug(world, BUG_SWEEP_HIGH_WATER) ||
        bus_uuid_compare(&outgoing->message->envelope.message_id, &worker->high_water) > 0)
      first = sooner(first, outgoing->next_attempt_at);
  return first == INT64_MAX ? first : first - worker->database->clock_offset;
}

static bus_time rows_due(const struct worker *worker) {
  bus_time first = worker->database->store->due_at(worker->database);
  return first == INT64_MAX ? first : first - worker->database->clock_offset;
}

static bool deadlines_wait(struct world *world, struct worker *worker) {
  return worker->service != SERVICE_PAYMENT && !worker_is_settled(world, worker);
}

static bus_time sweep_next(const struct world *world, const struct worker *worker) {
  bus_time due = publish_is_open(world, worker) ? outbox_due(world, worker) : INT64_MAX;
  return due == INT64_MAX ? due : later(due, worker->sweep_at);
}

static bus_time due_next(struct world *world, struct worker *worker) {
  bus_time due = has_bug(world, BUG_NO_DEADLINE) && worker->service == SERVICE_ORDER ? INT64_MAX : rows_due(worker);
  if (worker->service == SERVICE_ORDER && worker->peer.paused_queues)
    due = worker->due_at;
  if (due == INT64_MAX)
    return due;
  due = later(due, worker->due_at);
  return deadlines_wait(world, worker) && !worker->peer.paused_queues ? later(due, worker->connected_at + BUS_MINUTE)
                                                                      : due;
}

static bus_time quiet_next(const struct worker *worker) {
  return worker->confirmed_count || worker->unroutable_count ? worker->last_work_at + QUIET : INT64_MAX;
}

bool tick_is_due(struct world *world, struct worker *worker) {
  return sweep_next(world, worker) <= world->now || due_next(world, worker) <= world->now ||
         quiet_next(worker) <= world->now;
}

static void tick(struct world *world, void *subject, uint64_t at) {
  struct worker *worker = subject;
  if ((uint64_t)worker->tick_at != at || peer_waits(world, &worker->peer, tick, subject, at))
    return;
  worker->tick_at = 0;
  worker_wake(world, worker);
  if (!worker->waking)
    tick_plan(world, worker);
}

void tick_plan(struct world *world, struct worker *worker) {
  if (!worker->peer.up || !worker->session || worker->busy)
    return; /* planned again afterwards */
  bus_time next = sooner(sooner(sweep_next(world, worker), due_next(world, worker)), quiet_next(worker));
  if (next == INT64_MAX || (worker->tick_at != 0 && worker->tick_at <= next))
    return;
  worker->tick_at = later(next, world->now + BUS_MILLISECOND);
  world_at(world, worker->tick_at, tick, worker, (uint64_t)worker->tick_at);
}

void tick_plan_all(struct world *world, const struct database *database) {
  for (size_t i = 0; i < world->worker_count; i++)
    if (world->workers[i].database == database)
      tick_plan(world, &world->workers[i]);
}

/* ---- with a transaction ---- */

static void sweep(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  transaction->swept = true;
  for (struct outgoing *outgoing = worker->database->outbox; outgoing; outgoing = outgoing->next) {
    const struct bus_uuid *id = &outgoing->message->envelope.message_id;
    if (outgoing->next_attempt_at > transaction->now || (outgoing->locker && outgoing->locker != worker))
      continue;
    if (has_bug(world, BUG_SWEEP_HIGH_WATER)) {
      if (bus_uuid_compare(id, &worker->high_water) <= 0)
        continue;
      worker->high_water = *id;
    }
    if (transaction->claimed_count == OPEN_MAX)
      break;
    outgoing->locker = worker;
    transaction->claimed[transaction->claimed_count++] = outgoing;
  }
}

/* New orders wait in their queue. */
static void look_at_gate(struct world *world, struct worker *worker) {
  unsigned place = 1U << QUEUE_PLACE;
  const struct order_limits limits = {world->plan.max_open_sagas, world->plan.max_late_sagas};
  if (worker->service != SERVICE_ORDER)
    return;
  struct order_load load = orders_load(worker->database, services_order_policy(), &limits, worker->transaction.now);
  if (has_bug(world, BUG_UNDONE_COUNT))
    load.open += orders_in(worker->database, ORDER_COMPENSATING);
  bool shut = order_intake_is_full(&load, &limits);
  check_intake(world, worker, shut);
  if (shut == (worker->peer.paused_queues != 0))
    return;
  worker->peer.paused_queues = shut ? place : 0;
  broker_dispatch(world);
}

static void push_due(struct world *world, struct worker *worker) {
  struct bus_uuid due[2 * DUE_MAX];
  struct due_room room = services[worker->service].due_room(world, worker);
  if (worker->pushed > 0)
    return; /* the last ones still wait */
  room.most = room.most < DUE_MAX ? room.most : DUE_MAX;
  room.repeated = room.repeated < DUE_MAX ? room.repeated : DUE_MAX;
  size_t count = worker->database->store->find_due(worker->database, worker->transaction.now, room, due);
  for (size_t i = 0; i < count; i++)
    worker_push(world, worker, BUS_INPUT_DEADLINE, &due[i], sizeof due[i]);
}

void tick_add(struct world *world, struct worker *worker) {
  struct transaction *transaction = &worker->transaction;
  if (sweep_next(world, worker) <= world->now)
    sweep(world, worker);
  if (services[worker->service].due_interval == 0 || world->now < worker->due_at)
    return;
  transaction->ticked = true;
  look_at_gate(world, worker);
  if (!deadlines_wait(world, worker) && !(has_bug(world, BUG_NO_DEADLINE) && worker->service == SERVICE_ORDER))
    push_due(world, worker);
}
