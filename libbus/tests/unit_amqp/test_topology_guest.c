/* A topology that knows users of another system: it declares and permits nothing that is theirs. */
#include "topology_text.h"

#include "test.h"

#include <stdlib.h>

static const struct bus_message_type place = BUS_COMMAND("order.place.v1", NULL, "edge", "shop"),
                                     confirmed = BUS_EVENT("order.confirmed.v1", NULL, "order-svc"),
                                     note = BUS_COMMAND("shop.note.v1", NULL, "shop");
static const struct bus_message_type *const order_types[] = {&place, &confirmed}, *const order_takes[] = {&place},
                                            *const shop_types[] = {&note}, *const shop_takes[] = {&note, &confirmed};
static const struct bus_queue order_queues[] = {BUS_WORK_QUEUE("order-svc", order_takes)},
                              shop_queues[] = {BUS_WORK_QUEUE("shop", shop_takes)};
static const struct bus_topology_part edge = {.user = {.name = "edge", .asks = true, .elsewhere = true}},
                                      order = {.user = {.name = "order-svc", .elsewhere = true},
                                               .types = order_types,
                                               .type_count = 2,
                                               .queues = order_queues,
                                               .queue_count = 1},
                                      shop = {.user = {.name = "shop", .asks = true},
                                              .types = shop_types,
                                              .type_count = 1,
                                              .queues = shop_queues,
                                              .queue_count = 1},
                                      operator= {.user = {.name = "shop-operator", .redrives = true}};
static const struct bus_topology_part *const parts[] = {&edge, &order, &shop, &operator};
static const struct bus_topology guest = {.guest = "shops",
                                          .parts = parts,
                                          .part_count = BUS_COUNT(parts),
                                          .tiers = bus_default_tiers,
                                          .tier_count = 1,
                                          .query_ttl_ms = 1000};

static bool print_line(void *context, const struct bus_declaration *d) {
  topology_print_declaration(context, d);
  (void)fputc('\n', context);
  return true;
}

/* The declarations, or the definitions. */
static char *printed(const struct bus_topology *topology, bool definitions) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (definitions)
    topology_print_definitions(out, topology, "v", INT64_C(1) << 30);
  else
    assert_true(bus_topology_each(topology, print_line, out));
  (void)fclose(out);
  return text;
}

TEST(topology_guest_is_valid)
{
  struct bus_error err = {.text = ""};
  if (!bus_topology_is_valid(&guest, &err))
    fail_msg("%s", err.text);
}

TEST(topology_guest_declares_no_queue_of_another_system)
{
  char *text = printed(&guest, false);
  assert_non_null(strstr(text, "queue shop "));
  assert_non_null(strstr(text, "binding bus.event order.confirmed -> shop\n"));
  assert_null(strstr(text, "queue order-svc"));
  assert_null(strstr(text, "bus.retry.order-svc"));
  assert_null(strstr(text, "bus.dead.order-svc"));
  assert_null(strstr(text, "-> order-svc"));
  assert_null(strstr(text, "bus.retry.1s.order-svc"));
  free(text);
}

TEST(Q1_topology_guest_permits_its_own_users_alone)
{
  char *text = printed(&guest, true);
  assert_null(strstr(text, "\"user\":\"order-svc\""));
  assert_null(strstr(text, "\"user\":\"edge\""));
  assert_non_null(strstr(text, "\"user\":\"shop\""));
  /* what it sends to the other system, and where it answers */
  assert_non_null(strstr(text, "\"exchange\":\"bus.cmd\", \"write\":\"^(order\\\\.place|shop\\\\.note)$\""));
  assert_non_null(
      strstr(text, "\"exchange\":\"bus.reply\", \"write\":\"^(edge\\\\.reply\\\\..*|shop\\\\.reply\\\\..*)$\""));
  /* its operator reads its own dead queues */
  assert_non_null(strstr(text, "\"read\":\"^(shop\\\\.dead)$\""));
  assert_null(strstr(text, "order-svc\\\\.dead"));
  free(text);
}

TEST(topology_guest_leaves_the_hosts_limits_alone)
{
  char *text = printed(&guest, true);
  assert_null(strstr(text, "vhost-limits"));
  assert_null(strstr(text, "\"name\":\"bus-stored\""));
  assert_non_null(strstr(text, "\"name\":\"bus-stored.shops\""));
  assert_non_null(strstr(text, "\"pattern\":\"^(bus\\\\.retry\\\\.[0-9a-z-]+\\\\.)?(shop)(\\\\.dead)?$\""));
  free(text);
}

static void count(void *context, struct bus_str line) {
  (void)line;
  ++*(int *)context;
}

TEST(topology_guest_takes_no_offence_at_the_hosts_bindings)
{
  struct bus_topology host = guest;
  int found = 0;
  bus_topology_each_foreign_binding("bus.cmd\torder-svc\torder.cancel\n", &guest, count, &found);
  assert_int_equal(found, 0);
  host.guest = NULL;
  bus_topology_each_foreign_binding("bus.cmd\torder-svc\torder.cancel\n", &host, count, &found);
  assert_int_equal(found, 1);
}

/* A host gives each user of another system as much room as an asker. */
TEST(topology_host_has_room_for_its_guests)
{
  static const struct bus_topology_part lone = {.user = {.name = "order-svc"}},
                                        other = {.user = {.name = "shop", .elsewhere = true}};
  static const struct bus_topology_part *const two[] = {&lone, &other};
  struct bus_topology host = {.parts = two, .part_count = 1};
  char *alone = printed(&host, true);
  host.part_count = 2;
  char *together = printed(&host, true);
  assert_non_null(strstr(alone, "\"max-connections\":200, \"max-queues\":100}"));
  assert_non_null(strstr(together, "\"max-connections\":300, \"max-queues\":200}"));
  free(alone);
  free(together);
}
