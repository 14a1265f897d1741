/* The least service: it reads no queue, but has a part of a topology, configuration, logs, health and metrics. */
#include <bus/service.h>

static const struct bus_message_type greet = BUS_COMMAND("consumer.greet.v1", NULL, "consumer");
static const struct bus_message_type *const types[] = {&greet};
static const struct bus_queue queues[] = {BUS_WORK_QUEUE("consumer", types)};
static const struct bus_topology_part part = BUS_TOPOLOGY_PART("consumer", types, queues);
static const struct bus_topology_part *const parts[] = {&part};

int main(int argc, char **argv) {
  static const struct bus_topology topology = {
      .parts = parts, .part_count = 1, .tiers = bus_default_tiers, .tier_count = BUS_COUNT(bus_default_tiers)};
  static const struct bus_program program = {
      .name = "consumer", .summary = "Reads no queue.", .default_port = "8099", .topology = &topology};
  return bus_service_main(argc, argv, &program);
}
