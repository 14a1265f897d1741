/* Which shards of its queues a worker reads, and since when: its own at once, the others as a stand-by. RabbitMQ makes
 * the first consumer of a shard the active one and 3.10 knows no priorities there, so the order of subscribing is what
 * spreads shards over workers. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdio.h>

static const struct bus_queue *row_of(const struct bus_worker *worker, size_t queue) {
  return bus_topology_queue(worker->topology, worker->service->queues[queue]);
}

void shards_init(struct bus_worker *worker) {
  for (size_t i = 0; i < QUEUES_MAX; i++)
    worker->shards.standby_at[i] = INT64_MAX;
}

/* ---- what the broker has ---- */

static bool refuse_number(const struct bus_worker *worker, const char *name, struct bus_error *err) {
  return bus_fail(err, BUS_E_TOPOLOGY,
                  "QUEUE_SHARDS is %zu, but the broker has the queue %s: set the number that bus-topology apply was "
                  "given; if that is %zu, delete the shards beyond it by bus-topology retire (docs/scaling.md)",
                  bus_topology_shards(worker->topology), name, bus_topology_shards(worker->topology));
}

bool shards_check(struct bus_worker *worker, size_t queue, struct bus_error *err) {
  const struct bus_queue *row = row_of(worker, queue);
  size_t shards = bus_topology_is_split(worker->topology, row) ? bus_topology_shards(worker->topology) : 0;
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE};
  struct bus_error absent;
  if (!row->sharded || worker->topology->shards == NULL)
    return true;
  for (size_t i = 0; i < shards; i++) {
    bus_topology_shard(row, i, d.name);
    if (!bus_amqp_declare(worker->broker.consuming, &d, true, err))
      return bus_error_wrap(err, "QUEUE_SHARDS is %zu: set the number that bus-topology apply was given, or apply it",
                            shards);
  }
  bus_topology_shard(row, shards, d.name);
  if (bus_amqp_declare(worker->broker.consuming, &d, true, &absent))
    return refuse_number(worker, d.name, err);
  if (absent.code == BUS_E_TOPOLOGY)
    return true;
  *err = absent;
  return false;
}

/* ---- reading ---- */

/* The shards of the mask. prefetch bounds what all queues of a row together deliver. */
static bool read_shards(struct bus_worker *worker, size_t queue, uint32_t mask, struct bus_error *err) {
  size_t shards = bus_topology_shards(worker->topology);
  char name[BUS_KEY_MAX];
  bool good = true;
  for (size_t i = 0; i < shards && good; i++) {
    if (!(mask >> i & 1))
      continue;
    bus_topology_shard(row_of(worker, queue), i, name);
    good = bus_amqp_consume(worker->broker.consuming, name, (int)queue, worker->shards.prefetch, false, err);
  }
  return good;
}

static uint32_t own_shards(const struct bus_worker *worker) {
  uint32_t all = UINT32_MAX >> (BUS_SHARDS_MAX - bus_topology_shards(worker->topology));
  return worker->settings.reads_all_shards ? all : worker->settings.own_shards & all;
}

bool shards_consume(struct bus_worker *worker, size_t queue, int prefetch, struct bus_error *err) {
  const struct bus_queue *row = row_of(worker, queue);
  struct shards *shards = &worker->shards;
  if (!bus_topology_is_split(worker->topology, row))
    return bus_amqp_consume(worker->broker.consuming, row->name, (int)queue, prefetch, false, err);
  int each = prefetch / (int)(1 + bus_topology_shards(worker->topology));
  shards->prefetch = each > 0 ? each : 1;
  shards->standby_at[queue] = bus_monotonic() + worker->settings.standby_ms * BUS_MILLISECOND;
  return bus_amqp_consume(worker->broker.consuming, row->name, (int)queue, shards->prefetch, false, err) &&
         read_shards(worker, queue, own_shards(worker), err);
}

void shards_cancelled(struct bus_worker *worker, size_t queue) {
  worker->shards.standby_at[queue] = INT64_MAX;
}

void shards_stand_by(struct bus_worker *worker) {
  int64_t now = shards_next(worker) < INT64_MAX ? bus_monotonic() : 0;
  struct bus_error err;
  for (size_t i = 0; i < worker->service->queue_count; i++) {
    if (worker->shards.standby_at[i] > now || !broker_stands(&worker->broker))
      continue;
    worker->shards.standby_at[i] = INT64_MAX;
    if (!read_shards(worker, i, ~own_shards(worker), &err))
      broker_lose(worker, &err);
    bus_log(BUS_DEBUG, "standing by for the other shards", BUS_F_STR("queue", worker->service->queues[i]));
  }
}

int64_t shards_next(const struct bus_worker *worker) {
  int64_t next = INT64_MAX;
  for (size_t i = 0; i < worker->service->queue_count; i++)
    if (worker->shards.standby_at[i] < next)
      next = worker->shards.standby_at[i];
  return next;
}
