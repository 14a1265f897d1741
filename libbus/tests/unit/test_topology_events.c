/* bus/topology.h: event queues, one for each process of their user, and notices, which only they take. */
#include <bus/topology.h>

#include <stdio.h>

#include "test.h"

static const struct bus_message_type noticed = BUS_NOTICE("order.noticed.v1", NULL, "order-svc");
static const struct bus_message_type created = BUS_EVENT("order.created.v1", NULL, "order-svc");
static const struct bus_message_type alive = {
    .type = "service.alive.v1", .exchange = BUS_EXCHANGE_EVENT, .open = true, .notice = true};
static const struct bus_message_type place = BUS_COMMAND("order.place.v1", NULL, "edge");

static const struct bus_message_type *const order_types[] = {&noticed, &created, &alive, &place};
static const struct bus_message_type *const commands[] = {&place};
static const struct bus_message_type *const events[] = {&noticed, &created, &alive};
static struct bus_queue order_queues[] = {BUS_WORK_QUEUE("order-svc", commands)};
static struct bus_queue edge_queues[] = {BUS_EVENT_QUEUE("edge.event", events)};
static const struct bus_topology_part order = BUS_TOPOLOGY_PART("order-svc", order_types, order_queues),
                                      edge = {.user = {.name = "edge"}, .queues = edge_queues, .queue_count = 1},
                                      operator= {.user = {.name = "operator", .redrives = true}};
static const struct bus_topology_part *const parts[] = {&order, &edge, &operator};
static const struct bus_topology topology = {
    .parts = parts, .part_count = 3, .tiers = bus_default_tiers, .tier_count = 3, .query_ttl_ms = 5000};

enum { TEXT = 4096 };

static bool print(void *context, const struct bus_declaration *d) {
  char *text = context;
  size_t len = strlen(text);
  len += (size_t)snprintf(text + len, TEXT - len, "%d %s %s %s%s", (int)d->kind, d->name, d->exchange, d->key,
                          d->exclusive ? " exclusive" : "");
  for (size_t i = 0; i < d->argument_count; i++)
    len += (size_t)snprintf(text + len, TEXT - len, " %s=%s%d", d->arguments[i].name,
                            d->arguments[i].text ? d->arguments[i].text : "", (int)d->arguments[i].number);
  (void)snprintf(text + len, TEXT - len, "\n");
  return true;
}

static void assert_wrong(const char *expected) {
  struct bus_error err = {0};
  assert_false(bus_topology_is_valid(&topology, &err));
  assert_string_equal(err.text, expected);
}

TEST(topology_events_come_to_a_queue_of_each_process)
{
  char text[TEXT] = "";
  struct bus_error err = {0};
  if (!bus_topology_is_valid(&topology, &err))
    fail_msg("%s", err.text);
  assert_true(bus_topology_each_of_events(&edge_queues[0], "7-1", print, text));
  assert_string_equal(text, "1 edge.event.7-1   exclusive x-queue-type=classic0 x-max-length=10000 "
                            "x-overflow=drop-head0\n"
                            "2 edge.event.7-1 bus.event order.noticed\n"
                            "2 edge.event.7-1 bus.event order.created\n"
                            "2 edge.event.7-1 bus.event service.alive\n");
  text[0] = '\0';
  assert_true(bus_topology_each(&topology, print, text)); /* at deployment there is none */
  assert_null(strstr(text, "edge.event"));
  assert_true(bus_topology_is_instance(&edge_queues[0], BUS_STR("edge.event.7-1")));
  assert_false(bus_topology_is_instance(&edge_queues[0], BUS_STR("edge.event.")));
  assert_false(bus_topology_is_instance(&edge_queues[0], BUS_STR("edge.eventX7")));
  assert_false(bus_topology_is_instance(&order_queues[0], BUS_STR("order-svc.7")));
}

TEST(topology_no_event_must_have_an_event_queue)
{
  assert_false(bus_topology_is_mandatory(&topology, &created));
  assert_false(bus_topology_is_mandatory(&topology, &noticed));
}

TEST(Q1_topology_who_listens_binds_the_keys_of_its_events_alone)
{
  struct bus_permission permission;
  struct bus_topic_permission topics[6];
  size_t count;
  assert_true(bus_topology_permission(&topology, &edge, &permission));
  assert_string_equal(permission.configure, "^(edge\\.event\\..+)$");
  assert_string_equal(permission.write, "^(bus\\.cmd|bus\\.event|edge\\.event\\..+)$");
  assert_string_equal(permission.read, "^(bus\\.event|edge\\.event\\..+)$");
  assert_true(bus_topology_topic_permissions(&topology, &edge, topics, &count));
  assert_int_equal(count, 2);
  assert_string_equal(topics[1].exchange, "bus.event");
  assert_string_equal(topics[1].write, "^(service\\.alive)$");
  assert_string_equal(topics[1].read, "^(order\\.noticed|order\\.created|service\\.alive)$");
  assert_true(bus_topology_topic_permissions(&topology, &order, topics, &count));
  assert_string_equal(topics[0].read, "^$");
}

TEST(Q1_topology_an_open_notice_is_for_every_user_but_who_redrives)
{
  assert_true(bus_topology_is_sender(&topology, &alive, BUS_STR("edge")));
  assert_true(bus_topology_is_sender(&topology, &alive, BUS_STR("order-svc")));
  assert_false(bus_topology_is_sender(&topology, &alive, BUS_STR("operator")));
  assert_false(bus_topology_is_sender(&topology, &alive, BUS_STR("other")));
  assert_false(bus_topology_is_sender(&topology, &noticed, BUS_STR("edge")));
}

TEST(topology_wrong_event_queues)
{
  static const struct bus_message_type *const command[] = {&place}, *const notice[] = {&place, &noticed};
  const struct bus_queue right = edge_queues[0], work = order_queues[0];
  edge_queues[0].max_length = 0;
  assert_wrong("queue edge.event: an event queue needs a max_length");
  edge_queues[0].max_length = right.max_length;
  edge_queues[0].name = "edges.event";
  assert_wrong("queue edges.event: the name of an event queue begins with its user's and a dot");
  edge_queues[0] = right;
  edge_queues[0].types = command;
  edge_queues[0].type_count = 1;
  assert_wrong("queue edge.event: an event queue takes events");
  edge_queues[0] = right;
  order_queues[0].max_length = 5;
  assert_wrong("queue order-svc: only an event queue has a max_length");
  order_queues[0] = work;
  order_queues[0].types = notice;
  order_queues[0].type_count = 2;
  assert_wrong("queue order-svc: only an event queue takes a notice");
  order_queues[0] = work;
}
