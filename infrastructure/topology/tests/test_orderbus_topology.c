/* The composed topology: it is valid, and the events that a queue must take are those of the saga. */
#include <test.h>

#include "orderbus_topology.h"

TEST(the_composed_topology_is_valid)
{
  struct bus_error err = {.text = ""};
  if (!bus_topology_is_valid(&orderbus_topology, &err))
    fail_msg("%s", err.text);
}

TEST(commands_and_events_that_a_service_reads_are_mandatory)
{
  const struct bus_message_type *type;
  for (size_t i = 0; (type = bus_topology_type_at(&orderbus_topology, i)); i++) {
    bool is_fact = strncmp(type->type, "stock.", 6) == 0 || strncmp(type->type, "payment.", 8) == 0 ||
                   strncmp(type->type, "order.", 6) == 0;
    bool is_read = type->exchange == BUS_EXCHANGE_EVENT && is_fact && !type->notice;
    bool expected = type->exchange == BUS_EXCHANGE_CMD || is_read;
    if (bus_topology_is_mandatory(&orderbus_topology, type) != expected)
      fail_msg("%s is %smandatory", type->type, expected ? "not " : "");
  }
}
