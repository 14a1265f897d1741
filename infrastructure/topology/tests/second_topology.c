/* second-topology: bus-topology of a second system. It is a guest in the order system's virtual host, takes
 * order.confirmed from order-svc, and has a command of its own. */
#include <bus/topology.h>
#include <order_messages.h>

static const struct bus_message_type note_type = BUS_COMMAND("reports.note.v1", &order_ping_schema, "reports");

static const struct bus_message_type *const order_types[] = {&order_confirmed_type};
static const struct bus_topology_part orders = {
    .user = {.name = "order-svc", .elsewhere = true}, .types = order_types, .type_count = BUS_COUNT(order_types)};

static const struct bus_message_type *const types[] = {&note_type};
static const struct bus_message_type *const takes[] = {&note_type, &order_confirmed_type};
static const struct bus_queue queues[] = {BUS_WORK_QUEUE("reports", takes)};
static const struct bus_topology_part reports = BUS_TOPOLOGY_PART("reports", types, queues);

static const struct bus_topology_part *const parts[] = {&orders, &reports};

int main(int argc, char **argv) {
  static const struct bus_topology topology = {.guest = "second",
                                               .parts = parts,
                                               .part_count = BUS_COUNT(parts),
                                               .tiers = bus_default_tiers,
                                               .tier_count = BUS_COUNT(bus_default_tiers),
                                               .query_ttl_ms = 5000};
  return bus_topology_main(argc, argv, &topology);
}
