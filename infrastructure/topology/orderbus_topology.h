/* The order system's topology: one table from which declarations, permissions and routing come. */
#ifndef ORDERBUS_TOPOLOGY_H
#define ORDERBUS_TOPOLOGY_H

#include <bus/topology.h>

extern const struct bus_topology orderbus_topology;

#endif
