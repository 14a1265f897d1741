/* Every message that travels, by its type, and every entry of an order's event log: bodies come through decoding and
 * encoding unchanged. The input begins with the name of the type or entry and a space. */
#include "fuzz.h"

#include <order.h>

#include "orderbus_topology.h"

static void fact(enum order_fact_type type, struct bus_str json, struct bus_arena *arena) {
  struct order_fact before, after;
  struct bus_problems problems;
  struct bus_str text, again;
  if (!order_fact_decode(type, json, arena, &before, &problems)) {
    FUZZ_CHECK(problems.count > 0);
    return;
  }
  FUZZ_CHECK(before.type == type && order_fact_find(bus_str(order_fact_names[type])) == type);
  FUZZ_CHECK(order_fact_encode(&before, arena, &text));
  FUZZ_CHECK(order_fact_decode(type, text, arena, &after, &problems));
  FUZZ_CHECK(order_fact_encode(&after, arena, &again) && bus_str_equal(text, again));
}

/* The input up to the first space, which is taken off as well. */
static struct bus_str take_name(struct bus_str *rest) {
  struct bus_str name = {rest->data, 0};
  while (name.len < rest->len && name.data[name.len] != ' ')
    name.len++;
  size_t taken = name.len < rest->len ? name.len + 1 : name.len;
  *rest = (struct bus_str){rest->data + taken, rest->len - taken};
  return name;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bus_str rest = fuzz_input(data, size), name = take_name(&rest);
  const struct bus_message_type *type = bus_topology_type(&orderbus_topology, name);
  enum order_fact_type entry = order_fact_find(name);
  struct bus_arena *arena = bus_arena_new((size_t)64 << 20);
  if (type)
    (void)fuzz_codec(type->schema, rest, BUS_IGNORE_UNKNOWN, arena); /* it checks */
  else if (entry < FACT_TYPES)
    fact(entry, rest, arena);
  bus_arena_free(arena);
  return 0;
}
