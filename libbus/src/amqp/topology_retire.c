/* Deletes the shards of queues beyond the topology's number, once nothing lies in them. */
#include "topology_retire.h"

#include <inttypes.h>
#include <stdio.h>

struct retiring {
  struct bus_amqp *amqp;
  const struct bus_topology *topology;
  size_t found, busy;
};

typedef bool visit_function(struct retiring *retiring, const struct bus_declaration *queue,
                            const struct bus_queue_state *state, struct bus_error *err);

static bool look(struct retiring *retiring, const struct bus_declaration *queue, const struct bus_queue_state *state,
                 struct bus_error *err) {
  (void)err; /* it only counts */
  retiring->found++;
  if (state->ready == 0 && state->consumers == 0)
    return true;
  retiring->busy++;
  (void)printf("in use: queue %s: %" PRId64 " messages, %" PRId64 " consumers\n", queue->name, state->ready,
               state->consumers);
  return true;
}

static bool delete_one(struct retiring *retiring, const struct bus_declaration *queue,
                       const struct bus_queue_state *state, struct bus_error *err) {
  (void)state; /* it was looked at before */
  (void)printf("deleted: queue %s\n", queue->name);
  return bus_amqp_remove(retiring->amqp, queue, err);
}

/* The shards of a queue beyond the number, up to the first that does not exist. */
static bool each_of_queue(struct retiring *retiring, const struct bus_queue *queue, visit_function *visit,
                          struct bus_error *err) {
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE};
  struct bus_queue_state state;
  for (size_t i = bus_topology_is_split(retiring->topology, queue) ? bus_topology_shards(retiring->topology) : 0;
       i < BUS_SHARDS_MAX; i++) {
    bus_topology_shard(queue, i, d.name);
    if (!bus_amqp_queue_state(retiring->amqp, d.name, &state, err))
      return err->code == BUS_E_TOPOLOGY;
    if (!visit(retiring, &d, &state, err))
      return false;
  }
  return true;
}

static bool each(struct retiring *retiring, visit_function *visit, struct bus_error *err) {
  const struct bus_queue *queue;
  for (size_t i = 0; (queue = bus_topology_queue_at(retiring->topology, i)); i++)
    if (queue->sharded && bus_topology_is_own(retiring->topology, queue) && !each_of_queue(retiring, queue, visit, err))
      return false;
  return true;
}

bool topology_retire(struct bus_amqp *amqp, const struct bus_topology *topology, bool *ret_done,
                     struct bus_error *err) {
  struct retiring retiring = {.amqp = amqp, .topology = topology};
  if (!each(&retiring, look, err))
    return false;
  *ret_done = retiring.busy == 0;
  if (!*ret_done)
    (void)printf("nothing was deleted: %zu of them are in use\n", retiring.busy);
  else if (!each(&retiring, delete_one, err))
    return false;
  else
    (void)printf("retired: %zu\n", retiring.found);
  return true;
}
