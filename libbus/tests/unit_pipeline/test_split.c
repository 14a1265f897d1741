/* A pipeline over queues in shards: bundles are of one shard, and consumers stay. */
#include "machine.h"
#include "machine_rig.h"

#include <test.h>

enum { MANY = 12, SHARDS = 4, ORDERS = 60 };

static size_t shards = SHARDS;
static struct bus_queue split_queues[2];
static struct bus_topology_part split_part;
static const struct bus_topology_part *split_parts[8];

/* The rig's topology, whose queue things is split. */
static struct bus_topology split_topology(void) {
  struct bus_topology topology = part_rig_topology;
  assert_true(topology.part_count <= BUS_COUNT(split_parts));
  for (size_t i = 0; i < topology.part_count; i++) {
    split_parts[i] = topology.parts[i];
    if (topology.parts[i]->queue_count == 0)
      continue;
    split_part = *topology.parts[i];
    memcpy(split_queues, split_part.queues, sizeof split_queues);
    split_queues[0].sharded = true;
    split_part.queues = split_queues;
    split_parts[i] = &split_part;
  }
  topology.parts = split_parts;
  topology.shards = &shards;
  return topology;
}

TEST(a_bundle_is_of_one_shard)
{
  static const struct body body = {1};
  static const struct bus_uuid orders[] = {{{0}}, {{1, 1}}, {{2, 2}}, {{3, 3}}, {{4, 4}}, {{5, 5}}, {{6, 6}}, {{7, 7}}};
  struct parts *parts = parts_new();
  struct bus_topology topology = split_topology();
  struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
  struct bus_uuid_source ids;
  struct bus_effects effects;
  struct outgoings outgoings;
  const struct bus_input input = {.kind = BUS_INPUT_COMPLETION};
  size_t messages[1 + SHARDS] = {0};
  parts->setup.topology = &topology;
  bus_uuid_source_init(&ids, (const uint64_t[4]){1, 2, 3, 4});
  bus_effects_init(&effects, arena, &ids, 1000, "thing");
  bus_effects_begin(&effects, &input);
  for (size_t i = 0; i < ORDERS; i++)
    bus_emit(&effects, &part_rig_type, &orders[i % BUS_COUNT(orders)], &body);
  assert_int_equal(bus_effects_end(&effects), BUS_DONE);
  assert_true(outgoings_plan(&outgoings, &parts->turn, &effects, BUS_BUNDLE_MAX));
  for (size_t i = 0; i < outgoings.count; i++) {
    size_t shard = bus_shard_of(&outgoings.items[i].envelope->correlation_id, SHARDS);
    assert_int_equal(messages[shard], 0);
    messages[shard] = outgoing_messages(&outgoings.items[i]);
  }
  size_t expected[1 + SHARDS] = {0};
  for (size_t i = 0; i < ORDERS; i++)
    expected[bus_shard_of(&orders[i % BUS_COUNT(orders)], SHARDS)]++;
  assert_memory_equal(messages, expected, sizeof expected);
  bus_arena_free(arena);
  parts_free(parts);
}

/* A cancelled consumer's shard goes to another process, while this one still has messages of it. */
TEST(consumers_of_shards_stay_however_many_messages_a_delivery_holds)
{
  uint8_t ids[MANY];
  struct bus_topology topology = split_topology();
  struct machine *machine = machine_new();
  machine->pipeline->setup.topology = &topology;
  machine_connect(machine);
  for (size_t i = 0; i < MANY; i++)
    ids[i] = (uint8_t)(i + 1);
  machine_deliver_bundle(machine, 1, ids, MANY);
  machine_tick(machine, 0);
  assert_null(machine_action(machine, BUS_DO_CANCEL, 0));
  machine_done(machine, ids, MANY);
  machine_committed(machine);
  machine_tick(machine, 70 * BUS_SECOND);
  assert_null(machine_action(machine, BUS_DO_CANCEL, 0));
  machine_free(machine);
}
