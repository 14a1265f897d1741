/* bus/topology.h, bus_topology_is_valid: each way to be wrong, by changing one thing of a right one. */
#include <bus/topology.h>

#include <stdio.h>

#include "test.h"
#include "topology_sample.h"

/* A copy of the sample to spoil; types are compared by address, so they stay. */
static struct bus_topology_part spoilt[SAMPLE_PARTS];
static const struct bus_topology_part *parts[SAMPLE_PARTS];
static const struct bus_message_type *types[SAMPLE_PARTS][8];
static struct bus_queue queues[SAMPLE_PARTS][4];
static struct bus_tier tiers[4];
static struct bus_topology topology;

static void begin(void) {
  topology = topology_sample;
  for (size_t i = 0; i < SAMPLE_PARTS; i++) {
    spoilt[i] = *sample_parts[i];
    for (size_t t = 0; t < spoilt[i].type_count; t++)
      types[i][t] = spoilt[i].types[t];
    for (size_t q = 0; q < spoilt[i].queue_count; q++)
      queues[i][q] = spoilt[i].queues[q];
    spoilt[i].types = types[i];
    spoilt[i].queues = queues[i];
    parts[i] = &spoilt[i];
  }
  memcpy(tiers, topology.tiers, topology.tier_count * sizeof *tiers);
  topology.parts = parts;
  topology.tiers = tiers;
}

static void assert_wrong(const char *expected) {
  struct bus_error err = {0};
  assert_false(bus_topology_is_valid(&topology, &err));
  assert_int_equal(err.code, BUS_E_TOPOLOGY);
  assert_string_equal(err.text, expected);
  assert_false(bus_topology_is_valid(&topology, NULL));
}

TEST(topology_sample_is_valid)
{
  struct bus_error err = {0};
  if (!bus_topology_is_valid(&topology_sample, &err))
    fail_msg("%s", err.text);
  static const struct bus_topology empty;
  assert_true(bus_topology_is_valid(&empty, &err));
}

TEST(topology_wrong_user_names)
{
  static const char *const names[] = {"", "a.b", "A", "a b", "a|b", "edge.*"};
  for (size_t i = 0; i < BUS_COUNT(names); i++) {
    char expected[128];
    begin();
    spoilt[SAMPLE_AUDIT].user.name = names[i];
    snprintf(expected, sizeof expected, "user %s: a name is 1 to 64 of a-z 0-9 -", names[i]);
    assert_wrong(expected);
  }
  begin();
  spoilt[SAMPLE_AUDIT].user.name = NULL;
  assert_wrong("user (no name): a name is 1 to 64 of a-z 0-9 -");
  begin();
  spoilt[SAMPLE_AUDIT].user.name = "edge";
  assert_wrong("user edge: is there twice");
}

TEST(topology_wrong_tiers)
{
  begin();
  tiers[1].ttl_ms = 1000;
  assert_wrong("tier 30s: tiers stand shortest first");
  begin();
  tiers[0].ttl_ms = 0;
  assert_wrong("tier 1s: tiers stand shortest first");
  begin();
  tiers[2].name = "1s";
  assert_wrong("tier 1s: is there twice");
  begin();
  tiers[0].name = "1.s";
  assert_wrong("tier 1.s: a name is 1 to 32 of a-z 0-9 -");
  begin();
  topology.tier_count = 0;
  assert_wrong("queue order-svc: a work queue needs retry tiers");
}

static void assert_wrong_type(struct bus_message_type type, const char *problem) {
  static struct bus_message_type added;
  char expected[256];
  begin();
  added = type;
  types[SAMPLE_EDGE][spoilt[SAMPLE_EDGE].type_count++] = &added;
  snprintf(expected, sizeof expected, "type %s: %s", type.type, problem);
  assert_wrong(expected);
}

TEST(topology_wrong_type_names)
{
  static const char *const names[] = {
      "",           "order",
      "order.v",    "order.v0",
      "order.v01",  "order.v1x",
      "order.1",    ".v1",
      "order..v1",  "Order.v1",
      "order.v1.",  "order.*.v1",
      "order.#.v1", "a123456789012345678901234567890123456789012345678901234567890123.v1"};
  for (size_t i = 0; i < BUS_COUNT(names); i++)
    assert_wrong_type((struct bus_message_type){.type = names[i], .exchange = BUS_EXCHANGE_EVENT, .senders = {"edge"}},
                      "a type is at most 64 of a-z 0-9 - . and ends with .v1, .v2, ...");
}

TEST(topology_wrong_types)
{
  assert_wrong_type(
      (struct bus_message_type){.type = "order.get.v1", .exchange = BUS_EXCHANGE_EVENT, .senders = {"edge"}},
      "is there twice");
  assert_wrong_type((struct bus_message_type){.type = "x.v1", .exchange = BUS_EXCHANGE_EVENT, .senders = {"nobody"}},
                    "its sender is no user");
  assert_wrong_type((struct bus_message_type)BUS_EVENT("x.v1", NULL, "order-svc", "nobody"), "its sender is no user");
  assert_wrong_type((struct bus_message_type){.type = "x.v1", .exchange = BUS_EXCHANGE_EVENT}, "has no sender");
  assert_wrong_type((struct bus_message_type){.type = "x.v1", .exchange = BUS_EXCHANGE_CMD, .open = true},
                    "only a query is open to every user who asks, and a notice to every user");
  assert_wrong_type((struct bus_message_type){.type = "x.v1", .exchange = BUS_EXCHANGE_QUERY, .taken_elsewhere = true},
                    "only an event is taken elsewhere");
  assert_wrong_type((struct bus_message_type){.type = "x.v1", .exchange = BUS_EXCHANGE_REPLY, .senders = {"edge"}},
                    "an answer has no senders");
  assert_wrong_type((struct bus_message_type){.type = "x.v1", .exchange = BUS_EXCHANGE_CMD, .senders = {"edge"}},
                    "no queue takes this command");
  assert_wrong_type((struct bus_message_type){.type = "x.v1", .exchange = BUS_EXCHANGE_QUERY, .senders = {"edge"}},
                    "no queue takes this query");
  assert_wrong_type((struct bus_message_type){.type = "x.v1", .exchange = BUS_EXCHANGE_RETRY, .senders = {"edge"}},
                    "a type belongs to bus.cmd, bus.event, bus.query or bus.reply");
}

TEST(topology_command_with_two_receivers)
{
  static const struct bus_message_type *takes[] = {&inventory_reserve, &payment_charge};
  begin();
  queues[SAMPLE_INVENTORY][0].types = takes;
  queues[SAMPLE_INVENTORY][0].type_count = 2;
  assert_wrong("type payment.charge.v1: more than one queue takes this command");
  static const struct bus_message_type *version[] = {&payment_charge_2};
  begin(); /* another version of the same key would go to both as well */
  queues[SAMPLE_INVENTORY][0].types = version;
  assert_wrong("type inventory.reserve.v1: no queue takes this command");
}

/* Without inventory-svc's part the system has a command that no queue takes. */
TEST(topology_without_the_receiver_of_a_command)
{
  begin();
  spoilt[SAMPLE_INVENTORY].queue_count = 0;
  assert_wrong("type inventory.reserve.v1: no queue takes this command");
}

TEST(topology_query_of_one_who_does_not_ask)
{
  begin();
  spoilt[SAMPLE_EDGE].user.asks = false;
  assert_wrong("type order.get.v1: its sender does not ask");
  static const struct bus_message_type get = BUS_QUERY("order.get.v1", NULL, "audit", "order-svc");
  begin();
  types[SAMPLE_ORDER][3] = &get;
  assert_wrong("type order.get.v1: its sender does not ask");
}

TEST(topology_wrong_guest)
{
  begin();
  topology.guest = "a|b";
  assert_wrong("guest a|b: a name is 1 to 64 of a-z 0-9 -");
}

static void assert_wrong_queue_name(const char *name, const char *problem) {
  char expected[256];
  begin();
  queues[SAMPLE_PAYMENT][0].name = name;
  snprintf(expected, sizeof expected, "queue %s: %s", name, problem);
  assert_wrong(expected);
}

TEST(topology_wrong_queue_names)
{
  assert_wrong_queue_name("", "a name is 1 to 64 of a-z 0-9 - .");
  assert_wrong_queue_name("a..b", "a name is 1 to 64 of a-z 0-9 - .");
  assert_wrong_queue_name(".a", "a name is 1 to 64 of a-z 0-9 - .");
  assert_wrong_queue_name("a.", "a name is 1 to 64 of a-z 0-9 - .");
  assert_wrong_queue_name("a_b", "a name is 1 to 64 of a-z 0-9 - .");
  assert_wrong_queue_name("a#", "a name is 1 to 64 of a-z 0-9 - .");
  assert_wrong_queue_name("bus.retry.1s", "bus.*, amq.*, *.reply.* and *.dead are reserved names");
  assert_wrong_queue_name("probe", "is the name of a probe");
  assert_wrong_queue_name("amq.x", "bus.*, amq.*, *.reply.* and *.dead are reserved names");
  assert_wrong_queue_name("order-svc.dead", "bus.*, amq.*, *.reply.* and *.dead are reserved names");
  assert_wrong_queue_name("edge.reply.1", "bus.*, amq.*, *.reply.* and *.dead are reserved names");
  assert_wrong_queue_name("order-svc", "is there twice");
}

TEST(topology_wrong_queues)
{
  begin();
  queues[SAMPLE_ORDER][0].max_bytes = -1;
  assert_wrong("queue order-svc: max_bytes is negative");
  begin();
  topology.query_ttl_ms = 0;
  assert_wrong("queue order-svc.query: a query queue needs a message TTL");
}

TEST(topology_queue_takes_what_it_may_not)
{
  static const struct bus_message_type stranger = {
      .type = "stranger.v1", .exchange = BUS_EXCHANGE_EVENT, .senders = {"edge"}};
  static const struct bus_message_type *strange[] = {&order_get, &stranger}, *event[] = {&order_get, &payment_captured},
                                       *twice[] = {&order_get, &order_get}, *answer[] = {&order_get, &order_answer};
  static const struct {
    const struct bus_message_type *const *types;
    const char *problem;
  } wrong[] = {{strange, "queue order-svc.query: takes a type that the topology does not have"},
               {event, "queue order-svc.query: a work queue takes commands and events, a query queue takes queries"},
               {answer, "queue order-svc.query: a work queue takes commands and events, a query queue takes queries"},
               {twice, "queue order-svc.query: takes a type twice"}};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    begin();
    queues[SAMPLE_ORDER][2].types = wrong[i].types;
    queues[SAMPLE_ORDER][2].type_count = 2;
    assert_wrong(wrong[i].problem);
  }
}

static const struct bus_message_type order_set = BUS_REQUEST("order.set.v1", NULL, "edge");

/* The sample with one more type and one more queue of order-svc. */
static void begin_request(struct bus_queue queue) {
  begin();
  types[SAMPLE_ORDER][spoilt[SAMPLE_ORDER].type_count++] = &order_set;
  queues[SAMPLE_ORDER][spoilt[SAMPLE_ORDER].queue_count++] = queue;
}

TEST(topology_request_queue_takes_queries_that_write)
{
  static const struct bus_message_type *set[] = {&order_set}, *place[] = {&order_place};
  struct bus_error err;
  begin_request((struct bus_queue)BUS_REQUEST_QUEUE("order-svc.request", set));
  if (!bus_topology_is_valid(&topology, &err))
    fail_msg("%s", err.text);
  topology.query_ttl_ms = 0;
  assert_false(bus_topology_is_valid(&topology, &err));
  begin_request((struct bus_queue)BUS_QUERY_QUEUE("order-svc.request", set));
  assert_wrong("queue order-svc.request: a query queue takes queries that read, a request queue queries that write");
  begin_request((struct bus_queue)BUS_REQUEST_QUEUE("order-svc.request", set));
  queues[SAMPLE_ORDER][2].kind = BUS_QUEUE_REQUEST;
  assert_wrong("queue order-svc.query: a query queue takes queries that read, a request queue queries that write");
  begin_request((struct bus_queue)BUS_REQUEST_QUEUE("order-svc.request", set));
  queues[SAMPLE_ORDER][1].kind = BUS_QUEUE_REQUEST;
  queues[SAMPLE_ORDER][1].types = place;
  assert_wrong("queue order-svc.place: a work queue takes commands and events, a query queue takes queries");
}

TEST(topology_only_a_query_writes)
{
  static const struct bus_message_type writing = {
      .type = "order.write.v1", .exchange = BUS_EXCHANGE_CMD, .senders = {"edge"}, .writes = true};
  begin();
  types[SAMPLE_ORDER][spoilt[SAMPLE_ORDER].type_count++] = &writing;
  assert_wrong("type order.write.v1: only a query writes");
}

TEST(topology_wrong_redriver)
{
  begin();
  spoilt[SAMPLE_AUDIT].user.redrives = spoilt[SAMPLE_AUDIT].user.elsewhere = true;
  assert_wrong("user audit: who belongs to another system sends no dead messages again");
  begin();
  spoilt[SAMPLE_PAYMENT].user.redrives = true;
  assert_wrong("user payment-svc: who sends dead messages again owns no queue");
  struct bus_error err;
  begin();
  spoilt[SAMPLE_AUDIT].user.redrives = true;
  assert_true(bus_topology_is_valid(&topology, &err));
}

/* Patterns have a fixed size; a system that outgrows them is told so, and until then permits nothing too much. */
TEST(topology_patterns_that_do_not_fit)
{
  enum { MANY = 60 };
  static struct bus_queue many[MANY];
  static char names[MANY][BUS_NAME_MAX + 1];
  static const struct bus_topology_part one = {.user = {.name = "one"}, .queues = many, .queue_count = MANY};
  static const struct bus_topology_part *const only[] = {&one};
  for (size_t i = 0; i < MANY; i++) {
    snprintf(names[i], sizeof names[i], "one.queue-with-a-rather-long-name-number-%zu", i);
    many[i] = (struct bus_queue){.name = names[i], .kind = BUS_QUEUE_WORK};
  }
  topology = (struct bus_topology){
      .parts = only, .part_count = 1, .tiers = bus_default_tiers, .tier_count = BUS_COUNT(bus_default_tiers)};
  assert_wrong("user one: has more permissions than a pattern holds");
  struct bus_permission permission;
  assert_false(bus_topology_permission(&topology, &one, &permission));
  assert_string_equal(permission.read, "^$");
}
