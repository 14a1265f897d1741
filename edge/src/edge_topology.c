/* The edge's part of the topology: it asks, and each edge listens to what has changed and who is alive. The answer of
 * all services to its questions for trails is defined here. */
#include <bus/alive.h>
#include <bus/topology.h>
#include <bus/trail.h>
#include <inventory_messages.h>
#include <order_messages.h>

static const struct bus_message_type *const types[] = {&bus_alive_type, &bus_trail_type};
static const struct bus_message_type *const events[] = {&order_changed_type, &product_changed_type, &bus_alive_type};

static const struct bus_queue queues[] = {BUS_EVENT_QUEUE("edge.event", events)};

const struct bus_topology_part edge_topology = {.user = {.name = "edge", .asks = true},
                                                .types = types,
                                                .type_count = BUS_COUNT(types),
                                                .queues = queues,
                                                .queue_count = BUS_COUNT(queues)};
