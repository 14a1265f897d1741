/* Decodes an order.confirmed, and names a type of each service. */
#include <inventory_messages.h>
#include <order_messages.h>
#include <payment_messages.h>
#include <user_messages.h>

#include <stdio.h>

int main(int argc, char **argv) {
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct order_event order;
  char id[BUS_UUID_TEXT];
  if (argc != 2 || !arena ||
      !bus_decode(order_confirmed_type.schema, bus_str(argv[1]), BUS_IGNORE_UNKNOWN, arena, &order, NULL))
    return 1;
  bus_uuid_format(&order.order_id, id);
  printf("%s %s\n", order_confirmed_type.type, id);
  bus_arena_free(arena);
  return 0;
}
