/* bus/topology.h: types with several senders, queries open to all who ask, and which types need a queue. */
#include <bus/topology.h>

#include "test.h"
#include "topology_sample.h"

static const struct bus_message_type noted = BUS_COMMAND("note.v1", NULL, "edge", "payment-svc"),
                                     asked = {.type = "find.v1", .exchange = BUS_EXCHANGE_QUERY, .open = true},
                                     sold = {.type = "sold.v1",
                                             .exchange = BUS_EXCHANGE_EVENT,
                                             .senders = {"order-svc"},
                                             .taken_elsewhere = true};

/* The sample, where order-svc takes note.v1, find.v1 and publishes sold.v1 too. */
static const struct bus_topology *wider(void) {
  static const struct bus_message_type *const types[] = {&noted, &asked, &sold}, *const notes[] = {&noted},
                                              *const questions[] = {&asked};
  static const struct bus_queue queues[] = {BUS_WORK_QUEUE("notes", notes), BUS_QUERY_QUEUE("notes.query", questions)};
  static const struct bus_topology_part part = BUS_TOPOLOGY_PART("note-svc", types, queues);
  static const struct bus_topology_part *parts[SAMPLE_PARTS + 1];
  static struct bus_topology topology;
  struct bus_error err;
  memcpy(parts, sample_parts, sizeof sample_parts);
  parts[SAMPLE_PARTS] = &part;
  topology = topology_sample;
  topology.parts = parts;
  topology.part_count = SAMPLE_PARTS + 1;
  assert_true(bus_topology_is_valid(&topology, &err));
  return &topology;
}

static void assert_writes(int part, const char *exchange, const char *pattern) {
  struct bus_topic_permission topics[6];
  size_t count;
  assert_true(bus_topology_topic_permissions(wider(), sample_parts[part], topics, &count));
  for (size_t i = 0; i < count; i++)
    if (strcmp(topics[i].exchange, exchange) == 0) {
      assert_string_equal(topics[i].write, pattern);
      return;
    }
  assert_null(pattern);
}

TEST(Q1_topology_each_of_several_senders_may_publish_a_type)
{
  assert_writes(SAMPLE_EDGE, "bus.cmd", "^(order\\.place|order\\.cancel|note)$");
  assert_writes(SAMPLE_PAYMENT, "bus.cmd", "^(note)$");
  assert_writes(SAMPLE_ORDER, "bus.cmd", "^(inventory\\.reserve|payment\\.charge)$");
  assert_true(bus_topology_is_sender(wider(), &noted, BUS_STR("payment-svc")));
  assert_false(bus_topology_is_sender(wider(), &noted, BUS_STR("order-svc")));
  assert_false(bus_topology_is_sender(wider(), &noted, BUS_NO_STR));
}

TEST(Q1_topology_an_open_query_is_for_every_user_who_asks)
{
  assert_writes(SAMPLE_EDGE, "bus.query", "^(order\\.get|find)$");
  assert_writes(SAMPLE_AUDIT, "bus.query", "^(find)$");
  assert_writes(SAMPLE_ORDER, "bus.query", NULL);
  assert_true(bus_topology_is_sender(wider(), &asked, BUS_STR("audit")));
  assert_false(bus_topology_is_sender(wider(), &asked, BUS_STR("order-svc")));
  assert_false(bus_topology_is_sender(wider(), &asked, BUS_STR("nobody")));
}

TEST(topology_names_the_senders_of_a_type)
{
  static const struct bus_message_type many = BUS_COMMAND("x.v1", NULL, "a", "b", "c", "d", "e", "f", "g", "h");
  char text[BUS_SENDERS_TEXT];
  bus_message_senders(&noted, text);
  assert_string_equal(text, "edge, payment-svc");
  bus_message_senders(&many, text);
  assert_string_equal(text, "a, b, c, d, e, f, g, h");
  bus_message_senders(&asked, text);
  assert_string_equal(text, "every user who asks");
  bus_message_senders(&order_answer, text);
  assert_string_equal(text, "");
}

TEST(topology_mandatory_is_what_must_have_a_queue)
{
  assert_true(bus_topology_is_mandatory(&topology_sample, &order_place));
  assert_true(bus_topology_is_mandatory(&topology_sample, &stock_reserved));
  assert_false(bus_topology_is_mandatory(&topology_sample, &order_created)); /* no queue takes it */
  assert_true(bus_topology_is_mandatory(wider(), &sold));                    /* but another system's does */
  assert_false(bus_topology_is_mandatory(&topology_sample, &order_get));
  assert_false(bus_topology_is_mandatory(&topology_sample, &order_answer));
  static const struct bus_message_type next = BUS_EVENT("stock.reserved.v2", NULL, "inventory-svc");
  assert_true(bus_topology_is_mandatory(&topology_sample, &next)); /* the key is bound */
}
