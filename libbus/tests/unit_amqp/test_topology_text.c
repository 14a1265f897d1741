/* A topology as text: lines, JSON, and the comparison with what a broker lists. */
#include "topology_text.h"

#include "test.h"

#include <stdlib.h>

static const struct bus_message_type place = BUS_COMMAND("order.place.v1", NULL, "edge");
static const struct bus_message_type *const types[] = {&place};
static const struct bus_queue queues[] = {BUS_WORK_QUEUE("order-svc", types)};
static const struct bus_message_type reserved = BUS_EVENT("stock.reserved.v1", NULL, "order-svc");
static const struct bus_message_type *const heard[] = {&reserved};
static const struct bus_queue listening[] = {BUS_EVENT_QUEUE("audit.event", heard)};
static const struct bus_topology_part edge = {.user = {.name = "edge", .asks = true}},
                                      audit = {.user = {.name = "audit"}, .queues = listening, .queue_count = 1},
                                      order = BUS_TOPOLOGY_PART("order-svc", types, queues);
static const struct bus_topology_part *const parts[] = {&edge, &order, &audit};
static const struct bus_topology topology = {
    .parts = parts, .part_count = 3, .tiers = bus_default_tiers, .tier_count = 1, .query_ttl_ms = 1000};

static char *printed(void (*print)(FILE *out)) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  print(out);
  fclose(out);
  return text;
}

static void print_queue(FILE *out) {
  struct bus_declaration d = {
      .kind = BUS_DECLARE_QUEUE,
      .name = "q",
      .arguments = {{.name = "x-queue-type", .text = "quorum"}, {.name = "x-message-ttl", .number = 1000}},
      .argument_count = 2};
  topology_print_declaration(out, &d);
}

static void print_binding(FILE *out) {
  struct bus_declaration d = {.kind = BUS_DECLARE_BINDING, .name = "q", .exchange = "bus.cmd", .key = "a.b"};
  topology_print_declaration(out, &d);
}

static void print_definitions(FILE *out) {
  topology_print_definitions(out, &topology, "a\"b", 1 << 30);
}

TEST(topology_text_has_one_line_for_each)
{
  char *queue = printed(print_queue), *binding = printed(print_binding);
  assert_string_equal(queue, "queue q x-queue-type=quorum x-message-ttl=1000");
  assert_string_equal(binding, "binding bus.cmd a.b -> q");
  free(queue);
  free(binding);
}

TEST(topology_text_definitions_are_json_and_escaped)
{
  char *text = printed(print_definitions);
  assert_non_null(strstr(text, "\"vhost\":\"a\\\"b\""));
  assert_non_null(strstr(text, "\"configure\":\"^(edge\\\\.reply\\\\."));
  assert_non_null(strstr(text, "\"topic_permissions\""));
  assert_non_null(strstr(text, "\"exchange\":\"bus.cmd\""));
  assert_non_null(strstr(text, "{\"vhost\":\"a\\\"b\", \"name\":\"bus-stored\""));
  assert_non_null(strstr(text, "\"max-connections\""));
  free(text);
}

static void print_split_exchange(FILE *out) {
  const struct bus_declaration d = {.kind = BUS_DECLARE_EXCHANGE,
                                    .name = "bus.shard.q",
                                    .headers = true,
                                    .arguments = {{.name = "alternate-exchange", .text = "bus.rest.q"}},
                                    .argument_count = 1};
  topology_print_declaration(out, &d);
}

static void print_shard(FILE *out) {
  const struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE,
                                    .name = "q.00",
                                    .arguments = {{.name = "x-single-active-consumer", .number = 1, .flag = true}},
                                    .argument_count = 1};
  topology_print_declaration(out, &d);
}

static struct bus_topology split(size_t *shards) {
  static struct bus_queue queue;
  static struct bus_topology_part part;
  static const struct bus_topology_part *const split_parts[] = {&edge, &part};
  queue = queues[0];
  queue.sharded = true;
  part = order;
  part.queues = &queue;
  struct bus_topology of_split = topology;
  of_split.parts = split_parts;
  of_split.part_count = 2;
  of_split.shards = shards;
  return of_split;
}

static void print_split_definitions(FILE *out) {
  size_t four = 4;
  const struct bus_topology of_four = split(&four);
  topology_print_definitions(out, &of_four, "v", INT64_C(7) << 30);
}

/* A work queue, its dead queue, one tier and four shards hold an equal part each. */
TEST(topology_text_bounds_shards_as_other_queues)
{
  char *exchange = printed(print_split_exchange), *shard = printed(print_shard);
  char *text = printed(print_split_definitions);
  assert_string_equal(exchange, "exchange bus.shard.q type=headers alternate-exchange=bus.rest.q");
  assert_string_equal(shard, "queue q.00 x-single-active-consumer=true");
  assert_non_null(strstr(text, "\"pattern\":\"^(bus\\\\.retry\\\\.[0-9a-z-]+\\\\.)?(order-svc(\\\\.[0-9][0-9])?)"
                               "(\\\\.dead)?$\", \"definition\":{\"max-length-bytes\":1073741824,"));
  assert_non_null(strstr(text, "\"read\":\"^(order-svc(\\\\.[0-9][0-9])?)$\""));
  free(exchange);
  free(shard);
  free(text);
}

TEST(topology_text_finds_a_binding_by_its_whole_line)
{
  struct bus_declaration d = {.kind = BUS_DECLARE_BINDING, .name = "q", .exchange = "bus.cmd", .key = "a.b"};
  assert_true(bus_topology_lists_binding("source\tdest\tkey\nbus.cmd\tq\ta.b\n", &d));
  assert_true(bus_topology_lists_binding("bus.cmd\tq\ta.b", &d));
  assert_true(bus_topology_lists_binding("bus.cmd\tq\ta.b\r\n", &d));
  assert_false(bus_topology_lists_binding("bus.cmd\tq\ta.b.c\n", &d));
  assert_false(bus_topology_lists_binding("xbus.cmd\tq\ta.b\n", &d));
  assert_false(bus_topology_lists_binding("", &d));
}

enum { ALL = 256 };

static void keep(void *context, struct bus_str line) {
  char *all = context;
  size_t len = strlen(all);
  (void)snprintf(all + len, ALL - len, "%.*s;", (int)line.len, line.data);
}

TEST(topology_text_finds_bindings_that_are_not_ours)
{
  char all[ALL] = "";
  bus_topology_each_foreign_binding("source_name\tdestination_name\trouting_key\n"
                                    "\torder-svc\torder-svc\n"          /* the default exchange's own */
                                    "bus.cmd\torder-svc\torder.place\n" /* ours */
                                    "bus.cmd\tspy\torder.place\n"
                                    "bus.reply\tedge.reply.1\tedge.reply.1\n"
                                    "other\torder-svc\tx\n"
                                    "bus.event\taudit.event.7-1\tstock.reserved\n" /* a process's of audit */
                                    "bus.event\taudit.event.7-1\torder.place\n"
                                    "bus.event\torder-svc\tstock.gone\n",
                                    &topology, keep, all);
  assert_string_equal(all, "bus.cmd\tspy\torder.place;bus.event\taudit.event.7-1\torder.place;"
                           "bus.event\torder-svc\tstock.gone;");
}
