/* How many messages a queue of the topology has, and where: ready, between tries, dead-lettered. Passive declarations
 * need no permission on the queues. */
#include <bus/amqp.h>

#include <stdio.h>

static bool add_tiers(struct bus_amqp *amqp, const struct bus_topology *topology, const struct bus_queue *queue,
                      struct bus_queue_depths *depths, struct bus_error *err) {
  char name[BUS_KEY_MAX];
  for (size_t i = 0; i < topology->tier_count; i++) {
    int64_t depth;
    (void)snprintf(name, sizeof name, "bus.retry.%s.%s", topology->tiers[i].name, queue->name);
    if (!bus_amqp_queue_depth(amqp, name, &depth, err))
      return false;
    depths->retrying += depth;
    depths->tier = depth > 0 ? &topology->tiers[i] : depths->tier;
  }
  return true;
}

static bool add_state(struct bus_amqp *amqp, const char *queue, struct bus_queue_depths *depths,
                      struct bus_error *err) {
  struct bus_queue_state state;
  if (!bus_amqp_queue_state(amqp, queue, &state, err))
    return false;
  depths->ready += state.ready;
  depths->consumers += state.consumers;
  return true;
}

static bool add_shards(struct bus_amqp *amqp, const struct bus_topology *topology, const struct bus_queue *queue,
                       struct bus_queue_depths *depths, struct bus_error *err) {
  char name[BUS_KEY_MAX];
  for (size_t i = 0; bus_topology_is_split(topology, queue) && i < bus_topology_shards(topology); i++) {
    bus_topology_shard(queue, i, name);
    if (!add_state(amqp, name, depths, err))
      return false;
  }
  return true;
}

bool bus_amqp_queue_depths(struct bus_amqp *amqp, const struct bus_topology *topology, const struct bus_queue *queue,
                           struct bus_queue_depths *ret, struct bus_error *err) {
  struct bus_queue_depths depths = {.tier = NULL};
  char name[BUS_KEY_MAX];
  if (!add_state(amqp, queue->name, &depths, err) || !add_shards(amqp, topology, queue, &depths, err))
    return false;
  (void)snprintf(name, sizeof name, "%s.dead", queue->name);
  if (queue->kind == BUS_QUEUE_WORK &&
      !(bus_amqp_queue_depth(amqp, name, &depths.dead, err) && add_tiers(amqp, topology, queue, &depths, err)))
    return false;
  *ret = depths;
  return true;
}
