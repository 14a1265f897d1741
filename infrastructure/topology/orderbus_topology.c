/* Composes the system's topology of the parts of its services, which the build lists, and of the operator's. */
#include "orderbus_topology.h"

#define PART(name) extern const struct bus_topology_part name##_topology;
#include "parts.inc"
#undef PART

/* Operators send dead messages again (bus-dead), and products (bus-send). */
static const struct bus_topology_part operator_topology = {.user = {.name = "operator", .redrives = true}};

#define PART(name) &name##_topology,
static const struct bus_topology_part *const parts[] = {
#include "parts.inc"
    &operator_topology,
};

static size_t shards = 1;

const struct bus_topology orderbus_topology = {
    .parts = parts,
    .part_count = BUS_COUNT(parts),
    .tiers = bus_default_tiers,
    .tier_count = BUS_COUNT(bus_default_tiers),
    .query_ttl_ms = 5000,
    .title = "orderbus",
    .version = ORDERBUS_VERSION,
    .correlation = "order_id",
    .shards = &shards,
};
