/* Every message that travels, by its type, and every entry of an order's event log: bodies come through decoding and
 * encoding unchanged. The first byte chooses. */
#include "fuzz.h"

#include <order_fact.h>

#include "orderbus_topology.h"

static void fact(enum order_fact_type type, struct bus_str json, struct bus_arena *arena) {
  struct order_fact before, after;
  struct bus_problems problems;
  struct bus_str text, again;
  if (!order_fact_decode(type, json, arena, &before, &problems)) {
    FUZZ_CHECK(problems.count > 0);
    return;
  }
  FUZZ_CHECK(before.type == type && order_fact_find(bus_str(order_fact_name(type))) == type);
  FUZZ_CHECK(order_fact_encode(&before, arena, &text));
  FUZZ_CHECK(order_fact_decode(type, text, arena, &after, &problems));
  FUZZ_CHECK(order_fact_encode(&after, arena, &again) && bus_str_equal(text, again));
}

static size_t type_count(void) {
  size_t count = 0;
  while (bus_topology_type_at(&orderbus_topology, count))
    count++;
  return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bus_str rest = fuzz_input(data, size);
  size_t choice = fuzz_byte(&rest) % (type_count() + FACT_TYPES);
  struct bus_arena *arena = bus_arena_new((size_t)64 << 20);
  const struct bus_message_type *type = bus_topology_type_at(&orderbus_topology, choice);
  if (type)
    (void)fuzz_codec(type->schema, rest, BUS_IGNORE_UNKNOWN, arena); /* it checks */
  else
    fact((enum order_fact_type)(choice - type_count()), rest, arena);
  bus_arena_free(arena);
  return 0;
}
