/* The edge's part of the topology: it asks, and owns neither types nor queues. */
#include <bus/topology.h>

const struct bus_topology_part edge_topology = {.user = {.name = "edge", .asks = true}};
