/* bus/topology.h: golden declarations and permissions, and what the permissions mean to a broker. */
#include <bus/topology.h>

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>

#include "test.h"
#include "topology_sample.h"

static char printed[16384];

static void print(const char *text) {
  size_t len = strlen(printed);
  snprintf(printed + len, sizeof printed - len, "%s", text);
}

/* One declaration a line. */
static bool print_declaration(void *context, const struct bus_declaration *d) {
  static const char *const kinds[] = {"exchange ", "queue ", "bind "};
  (void)context;
  print(kinds[d->kind]);
  print(d->name);
  if (d->kind == BUS_DECLARE_BINDING) {
    print(" ");
    print(d->exchange);
    print(" ");
    print(d->key);
  }
  for (size_t i = 0; i < d->argument_count; i++) {
    char text[256];
    const struct bus_declare_argument *a = &d->arguments[i];
    if (a->text)
      snprintf(text, sizeof text, " %s=%s", a->name, a->text);
    else
      snprintf(text, sizeof text, " %s=%" PRId64, a->name, a->number);
    print(text);
  }
  print("\n");
  return true;
}

#define WORK(queue)                                                                                                    \
  "queue " queue " x-queue-type=quorum x-dead-letter-exchange=bus.dead x-dead-letter-routing-key=" queue               \
  " x-dead-letter-strategy=at-least-once x-overflow=reject-publish x-delivery-limit=100000"
#define DEAD(queue) "queue " queue ".dead x-queue-type=quorum x-delivery-limit=100000\n"
#define TIER(tier, ttl, queue)                                                                                         \
  "queue bus.retry." tier "." queue " x-queue-type=quorum x-message-ttl=" ttl                                          \
  " x-dead-letter-exchange=bus.back x-dead-letter-routing-key=" tier "." queue                                         \
  " x-dead-letter-strategy=at-least-once x-overflow=reject-publish\n"
#define AROUND(queue) DEAD(queue) TIER("1s", "1000", queue) TIER("30s", "30000", queue) TIER("10m", "600000", queue)
#define BACK(tier, queue, service)                                                                                     \
  "bind bus.retry." tier "." queue " bus.retry." service " " tier "." queue "\nbind " queue " bus.back " tier          \
  "." queue "\n"
#define WAYS(queue, service)                                                                                           \
  BACK("1s", queue, service)                                                                                           \
  BACK("30s", queue, service)                                                                                          \
  BACK("10m", queue, service)                                                                                          \
  "bind " queue ".dead bus.dead." service " " queue "\nbind " queue ".dead bus.dead " queue "\n"

TEST(topology_golden_declarations)
{
  printed[0] = '\0';
  assert_true(bus_topology_each(&topology_sample, print_declaration, NULL));
  assert_string_equal(printed, "exchange bus.cmd\n"
                               "exchange bus.event\n"
                               "exchange bus.query\n"
                               "exchange bus.reply\n"
                               "exchange bus.retry.order-svc\n"
                               "exchange bus.dead.order-svc\n"
                               "exchange bus.retry.inventory-svc\n"
                               "exchange bus.dead.inventory-svc\n"
                               "exchange bus.retry.payment-svc\n"
                               "exchange bus.dead.payment-svc\n"
                               "exchange bus.dead\n"
                               "exchange bus.back\n"                                                       /**/
                      WORK("order-svc") "\n" AROUND("order-svc")                                           /**/
                      WORK("order-svc.place") " x-max-length-bytes=1073741824\n" AROUND("order-svc.place") /**/
                      "queue order-svc.query x-queue-type=classic x-message-ttl=5000\n"                    /**/
                      WORK("inventory-svc") "\n" AROUND("inventory-svc")                                   /**/
                      WORK("payment-svc") "\n" AROUND("payment-svc")                                       /**/
                      "bind order-svc bus.event stock.reserved\n"
                      "bind order-svc bus.event payment.captured\n"
                      "bind order-svc bus.cmd order.cancel\n" WAYS("order-svc", "order-svc")                  /**/
                      "bind order-svc.place bus.cmd order.place\n" WAYS("order-svc.place", "order-svc")       /**/
                      "bind order-svc.query bus.query order.get\n"                                            /**/
                      "bind inventory-svc bus.cmd inventory.reserve\n" WAYS("inventory-svc", "inventory-svc") /**/
                      "bind payment-svc bus.cmd payment.charge\n" WAYS("payment-svc", "payment-svc"));
}

/* A redriving user reaches the shortest tier of each work queue. */
TEST(topology_golden_redriver)
{
  static const struct bus_topology_part operator= {.user = {.name = "operator", .redrives = true}};
  const struct bus_topology_part *parts[SAMPLE_PARTS + 1];
  struct bus_topology topology = topology_sample;
  const struct bus_queue *queue;
  memcpy(parts, sample_parts, sizeof sample_parts);
  parts[SAMPLE_PARTS] = &operator;
  topology.parts = parts;
  topology.part_count = SAMPLE_PARTS + 1;
  printed[0] = '\0';
  assert_true(bus_topology_each(&topology, print_declaration, NULL));
  assert_non_null(strstr(printed, "exchange bus.retry.operator\n"));
  assert_null(strstr(printed, "bus.dead.operator"));
  for (size_t q = 0; (queue = bus_topology_queue_at(&topology, q)); q++) {
    char line[3 * BUS_KEY_MAX];
    snprintf(line, sizeof line, "bind bus.retry.1s.%s bus.retry.operator 1s.%s\n", queue->name, queue->name);
    assert_int_equal(strstr(printed, line) != NULL, queue->kind == BUS_QUEUE_WORK);
  }
  assert_null(strstr(printed, "bus.retry.operator 30s."));
}

struct countdown {
  int left, seen;
};

static bool stop_at(void *context, const struct bus_declaration *d) {
  struct countdown *countdown = context;
  (void)d;
  countdown->seen++;
  return --countdown->left > 0;
}

TEST(topology_each_stops_where_it_is_told)
{
  struct countdown all = {.left = 1000};
  assert_true(bus_topology_each(&topology_sample, stop_at, &all));
  for (int n = 1; n <= all.seen; n++) {
    struct countdown countdown = {.left = n};
    assert_false(bus_topology_each(&topology_sample, stop_at, &countdown));
    assert_int_equal(countdown.seen, n);
  }
}

static void assert_permission(int part, const char *configure, const char *write, const char *read) {
  struct bus_permission permission;
  assert_true(bus_topology_permission(&topology_sample, sample_parts[part], &permission));
  assert_string_equal(permission.configure, configure);
  assert_string_equal(permission.write, write);
  assert_string_equal(permission.read, read);
}

TEST(topology_golden_permissions)
{
  assert_permission(SAMPLE_EDGE, "^(edge\\.reply\\..*)$", "^(bus\\.cmd|bus\\.query|edge\\.reply\\..*)$",
                    "^(bus\\.reply|edge\\.reply\\..*)$");
  assert_permission(SAMPLE_ORDER, "^$",
                    "^(bus\\.cmd|bus\\.event|bus\\.reply|bus\\.retry\\.order-svc|bus\\.dead\\.order-svc)$",
                    "^(order-svc|order-svc\\.place|order-svc\\.query)$");
  assert_permission(SAMPLE_INVENTORY, "^$",
                    "^(bus\\.event|bus\\.reply|bus\\.retry\\.inventory-svc|bus\\.dead\\.inventory-svc)$",
                    "^(inventory-svc)$");
  assert_permission(SAMPLE_PAYMENT, "^$",
                    "^(bus\\.event|bus\\.reply|bus\\.retry\\.payment-svc|bus\\.dead\\.payment-svc)$",
                    "^(payment-svc)$");
  assert_permission(SAMPLE_AUDIT, "^(audit\\.reply\\..*)$", "^(audit\\.reply\\..*)$",
                    "^(bus\\.reply|audit\\.reply\\..*)$");
}

/* "exchange write read" a line. */
static void assert_topics(int part, const char *expected) {
  struct bus_topic_permission topics[6];
  size_t count;
  assert_true(bus_topology_topic_permissions(&topology_sample, sample_parts[part], topics, &count));
  printed[0] = '\0';
  for (size_t i = 0; i < count; i++) {
    print(topics[i].exchange);
    print(" ");
    print(topics[i].write);
    print(" ");
    print(topics[i].read);
    print("\n");
  }
  assert_string_equal(printed, expected);
}

TEST(topology_golden_topic_permissions)
{
  assert_topics(SAMPLE_EDGE, "bus.cmd ^(order\\.place|order\\.cancel)$ ^$\n"
                             "bus.query ^(order\\.get)$ ^$\n"
                             "bus.reply ^$ ^(edge\\.reply\\..*)$\n");
  assert_topics(SAMPLE_ORDER, "bus.cmd ^(inventory\\.reserve|payment\\.charge)$ ^$\n"
                              "bus.event ^(order\\.created)$ ^$\n"
                              "bus.reply ^(edge\\.reply\\..*|audit\\.reply\\..*)$ ^$\n"
                              "bus.retry.order-svc ^(1s|30s|10m)\\.(order-svc|order-svc\\.place)$ ^$\n"
                              "bus.dead.order-svc ^(order-svc|order-svc\\.place)$ ^$\n");
  assert_topics(SAMPLE_INVENTORY, "bus.event ^(stock\\.reserved)$ ^$\n"
                                  "bus.reply ^(edge\\.reply\\..*|audit\\.reply\\..*)$ ^$\n"
                                  "bus.retry.inventory-svc ^(1s|30s|10m)\\.(inventory-svc)$ ^$\n"
                                  "bus.dead.inventory-svc ^(inventory-svc)$ ^$\n");
  assert_topics(SAMPLE_AUDIT, "bus.reply ^$ ^(audit\\.reply\\..*)$\n");
}

static bool matches(const char *pattern, const char *text) {
  regex_t regex;
  assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
  bool found = regexec(&regex, text, 0, NULL, 0) == 0;
  regfree(&regex);
  return found;
}

/* As RabbitMQ decides: write on the exchange, and its topic permission where there is one; none there allows. */
static bool may_publish(const struct bus_topology_part *part, const char *exchange, const char *key) {
  struct bus_permission permission;
  struct bus_topic_permission topics[6];
  assert_true(bus_topology_permission(&topology_sample, part, &permission));
  if (!matches(permission.write, exchange))
    return false;
  size_t count;
  assert_true(bus_topology_topic_permissions(&topology_sample, part, topics, &count));
  for (size_t i = 0; i < count; i++)
    if (strcmp(topics[i].exchange, exchange) == 0)
      return matches(topics[i].write, key);
  return true;
}

TEST(Q1_topology_only_the_sender_may_publish_a_type)
{
  const struct bus_message_type *type;
  for (size_t t = 0; (type = bus_topology_type_at(&topology_sample, t)); t++) {
    char key[BUS_KEY_MAX];
    snprintf(key, sizeof key, "%.*s", (int)bus_message_key(type).len, type->type);
    for (size_t p = 0; type->senders[0] && p < SAMPLE_PARTS; p++) {
      bool own = strcmp(type->senders[0], sample_parts[p]->user.name) == 0;
      if (may_publish(sample_parts[p], bus_exchange_name(type->exchange), key) != own)
        fail_msg("%s %s", sample_parts[p]->user.name, type->type);
    }
  }
}

TEST(Q1_topology_payment_commands_come_from_the_order_service_alone)
{
  assert_true(may_publish(sample_parts[SAMPLE_ORDER], "bus.cmd", "payment.charge"));
  assert_false(may_publish(sample_parts[SAMPLE_INVENTORY], "bus.cmd", "payment.charge"));
  assert_false(may_publish(sample_parts[SAMPLE_EDGE], "bus.cmd", "payment.charge"));
  assert_false(may_publish(sample_parts[SAMPLE_ORDER], "bus.cmd", "paymentXcharge"));
  assert_false(may_publish(sample_parts[SAMPLE_ORDER], "bus.cmd", "payment.charge.x"));
  assert_false(may_publish(sample_parts[SAMPLE_ORDER], "bus.cmd", "x.payment.charge"));
}

TEST(Q1_topology_who_does_not_ask_sends_no_queries)
{
  struct bus_topology_part edge = {.user = {.name = "edge"}};
  struct bus_permission permission;
  assert_true(bus_topology_permission(&topology_sample, &edge, &permission));
  assert_string_equal(permission.configure, "^$");
  assert_string_equal(permission.write, "^(bus\\.cmd)$");
  assert_string_equal(permission.read, "^$");
}

/* Dead queues are read, and what lay there goes back through the shortest tier; nothing else. */
TEST(Q1_topology_who_sends_dead_messages_again_does_no_more)
{
  static const struct bus_topology_part operator= {.user = {.name = "operator", .redrives = true}};
  struct bus_permission permission;
  assert_true(bus_topology_permission(&topology_sample, &operator, & permission));
  assert_string_equal(permission.configure, "^$");
  assert_string_equal(permission.write, "^(bus\\.retry\\.operator)$");
  assert_string_equal(permission.read, "^(order-svc\\.dead|order-svc\\.place\\.dead|inventory-svc\\.dead|"
                                       "payment-svc\\.dead)$");
  assert_true(may_publish(&operator, "bus.retry.operator", "1s.payment-svc"));
  assert_true(may_publish(&operator, "bus.retry.operator", "1s.order-svc.place"));
  assert_true(may_publish(&operator, "bus.retry.operator", "1s.probe"));
  assert_false(may_publish(&operator, "bus.retry.operator", "30s.probe"));
  assert_false(may_publish(sample_parts[SAMPLE_PAYMENT], "bus.retry.payment-svc", "1s.probe"));
  assert_false(may_publish(&operator, "bus.retry.operator", "10m.payment-svc"));
  assert_false(may_publish(&operator, "bus.retry.operator", "1s.order-svc.query"));
  assert_false(may_publish(&operator, "bus.retry.payment-svc", "1s.payment-svc"));
  assert_false(may_publish(&operator, "bus.dead", "payment-svc"));
  assert_false(may_publish(&operator, "bus.cmd", "payment.charge"));
}

TEST(Q1_topology_nobody_goes_round_the_exchanges)
{
  for (size_t u = 0; u < SAMPLE_PARTS; u++) {
    assert_false(may_publish(sample_parts[u], "amq.default", "payment-svc"));
    assert_false(may_publish(sample_parts[u], "", "payment-svc"));
    assert_false(may_publish(sample_parts[u], "bus.back", "1s.payment-svc"));
    assert_false(may_publish(sample_parts[u], "busXcmd", "payment.charge"));
    assert_false(may_publish(sample_parts[u], "amq.topic", "x"));
  }
}

TEST(Q1_topology_every_writable_exchange_has_a_topic_permission)
{
  for (size_t u = 0; u < SAMPLE_PARTS; u++)
    for (int e = BUS_EXCHANGE_CMD; e <= BUS_EXCHANGE_BACK; e++) {
      char name[BUS_KEY_MAX];
      bus_exchange_of((enum bus_exchange)e, bus_str(sample_parts[u]->user.name), name);
      assert_false(may_publish(sample_parts[u], name, "no.such.key"));
    }
}

struct reach {
  const struct bus_topology_part *part;
  char exchange[BUS_KEY_MAX];
};

static bool leads_to_own_queue(void *context, const struct bus_declaration *d) {
  const struct reach *reach = context;
  char dead[BUS_KEY_MAX];
  if (d->kind != BUS_DECLARE_BINDING || strcmp(d->exchange, reach->exchange) != 0)
    return true;
  for (size_t q = 0; q < reach->part->queue_count; q++) {
    const struct bus_queue *queue = &reach->part->queues[q];
    snprintf(dead, sizeof dead, "%s.dead", queue->name);
    size_t name = strlen(queue->name), len = strlen(d->name);
    bool tier = strncmp(d->name, "bus.retry.", 10) == 0 && len > name &&
                strcmp(d->name + len - name, queue->name) == 0 && d->name[len - name - 1] == '.';
    if (tier || strcmp(d->name, dead) == 0)
      return true;
  }
  return false;
}

/* CC and BCC name any key of the exchange that a message is published to. */
TEST(Q1_topology_retry_and_dead_exchanges_lead_to_their_writers_queues_alone)
{
  for (size_t u = 0; u < SAMPLE_PARTS; u++)
    for (int e = BUS_EXCHANGE_RETRY; e <= BUS_EXCHANGE_DEAD; e++) {
      struct reach reach = {.part = sample_parts[u]};
      bus_exchange_of((enum bus_exchange)e, bus_str(reach.part->user.name), reach.exchange);
      assert_true(bus_topology_each(&topology_sample, leads_to_own_queue, &reach));
      for (size_t other = 0; other < SAMPLE_PARTS; other++)
        if (other != u)
          assert_false(may_publish(sample_parts[other], reach.exchange, "1s.order-svc"));
    }
}

static bool has_fixed_dead_letter_key(void *context, const struct bus_declaration *d) {
  bool exchange = false, key = false;
  (void)context;
  for (size_t i = 0; i < d->argument_count; i++) {
    exchange |= strcmp(d->arguments[i].name, "x-dead-letter-exchange") == 0;
    key |= strcmp(d->arguments[i].name, "x-dead-letter-routing-key") == 0;
  }
  return exchange == key;
}

/* Without a key of its own a queue dead-letters by the message's keys, those of CC and BCC among them. */
TEST(Q1_topology_every_queue_dead_letters_by_a_fixed_key)
{ assert_true(bus_topology_each(&topology_sample, has_fixed_dead_letter_key, NULL)); }

TEST(Q1_topology_retry_and_dead_keys_are_of_own_queues)
{
  const struct bus_topology_part *order = sample_parts[SAMPLE_ORDER];
  static const char *const tiers[] = {"1s", "30s", "10m"};
  const struct bus_queue *queue;
  for (size_t q = 0; (queue = bus_topology_queue_at(&topology_sample, q)); q++) {
    bool own = queue->kind == BUS_QUEUE_WORK && bus_topology_owner(&topology_sample, queue) == order;
    assert_int_equal(may_publish(order, "bus.dead.order-svc", queue->name), own);
    for (size_t t = 0; t < BUS_COUNT(tiers); t++) {
      char key[BUS_KEY_MAX];
      snprintf(key, sizeof key, "%s.%s", tiers[t], queue->name);
      assert_int_equal(may_publish(order, "bus.retry.order-svc", key), own);
    }
  }
  assert_false(may_publish(order, "bus.retry.order-svc", "1s.order-svcXplace"));
  assert_false(may_publish(order, "bus.retry.order-svc", "2s.order-svc"));
  assert_false(may_publish(order, "bus.retry.order-svc", "order-svc"));
  assert_false(may_publish(order, "bus.dead.order-svc", "order-svc.dead"));
}

TEST(Q1_topology_answers_go_to_askers_only)
{
  const struct bus_topology_part *order = sample_parts[SAMPLE_ORDER];
  assert_true(may_publish(order, "bus.reply", "edge.reply.0a1b"));
  assert_true(may_publish(order, "bus.reply", "audit.reply.1"));
  assert_false(may_publish(order, "bus.reply", "payment-svc.reply.1"));
  assert_false(may_publish(order, "bus.reply", "edgeXreply.1"));
  assert_false(may_publish(order, "bus.reply", "edge.query"));
  assert_false(may_publish(sample_parts[SAMPLE_EDGE], "bus.reply", "edge.reply.1"));
}

/* Binding needs write on the queue, read on the exchange, and topic read for the key. */
static bool may_bind(const struct bus_topology_part *part, const char *queue, const char *exchange, const char *key) {
  struct bus_permission permission;
  struct bus_topic_permission topics[6];
  assert_true(bus_topology_permission(&topology_sample, part, &permission));
  if (!matches(permission.write, queue) || !matches(permission.read, exchange))
    return false;
  size_t count;
  assert_true(bus_topology_topic_permissions(&topology_sample, part, topics, &count));
  for (size_t i = 0; i < count; i++)
    if (strcmp(topics[i].exchange, exchange) == 0)
      return matches(topics[i].read, key);
  return true;
}

TEST(Q1_topology_an_asker_binds_its_own_answers_only)
{
  const struct bus_topology_part *edge = sample_parts[SAMPLE_EDGE];
  assert_true(may_bind(edge, "edge.reply.1", "bus.reply", "edge.reply.1"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.reply", "audit.reply.1"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.reply", "#"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.reply", "*.reply.1"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.cmd", "payment.charge"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.event", "#"));
  assert_false(may_bind(edge, "audit.reply.1", "bus.reply", "edge.reply.1"));
  assert_false(may_bind(sample_parts[SAMPLE_ORDER], "order-svc", "bus.cmd", "payment.charge"));
}

TEST(topology_answers_go_to_who_asked)
{
  const struct bus_str edge = BUS_STR("edge");
  assert_true(bus_topology_is_reply(&topology_sample, edge, BUS_STR("edge.reply.0a1b")));
  assert_true(bus_topology_is_reply(&topology_sample, BUS_NO_STR, BUS_STR("edge.reply.0a1b")));
  assert_true(bus_topology_is_reply(&topology_sample, BUS_NO_STR, BUS_STR("audit.reply.1")));
  static const char *const wrong[] = {"audit.reply.1", "edge.reply.", "edge.reply",   "edgeXreply.1",
                                      "edge",          "order-svc",   "xedge.reply.1"};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    assert_false(bus_topology_is_reply(&topology_sample, edge, bus_str(wrong[i])));
  assert_false(bus_topology_is_reply(&topology_sample, BUS_STR("order-svc"), BUS_STR("edge.reply.1")));
  assert_false(bus_topology_is_reply(&topology_sample, BUS_STR("order-svc"), BUS_STR("order-svc.reply.1")));
  assert_false(bus_topology_is_reply(&topology_sample, BUS_STR("-"), BUS_STR("edge.reply.1")));
  assert_false(bus_topology_is_reply(&topology_sample, BUS_NO_STR, BUS_STR("payment-svc.reply.1")));
  assert_false(bus_topology_is_reply(&topology_sample, BUS_NO_STR, BUS_NO_STR));
}

TEST(topology_lookups)
{
  assert_ptr_equal(bus_topology_type(&topology_sample, BUS_STR("payment.charge.v2")), &payment_charge_2);
  assert_null(bus_topology_type(&topology_sample, BUS_STR("payment.charge.v3")));
  assert_null(bus_topology_type(&topology_sample, BUS_NO_STR));
  assert_string_equal(bus_topology_queue(&topology_sample, "order-svc.place")->name, "order-svc.place");
  assert_null(bus_topology_queue(&topology_sample, "order-svc.dead"));
  const struct bus_queue *charges = bus_topology_queue(&topology_sample, "payment-svc"), stranger = *charges;
  assert_ptr_equal(bus_topology_owner(&topology_sample, charges), sample_parts[SAMPLE_PAYMENT]);
  assert_null(bus_topology_owner(&topology_sample, &stranger));
}

TEST(topology_enumerates_all_parts)
{
  assert_ptr_equal(bus_topology_type_at(&topology_sample, 0), &order_place);
  assert_ptr_equal(bus_topology_type_at(&topology_sample, 5), &inventory_reserve);
  assert_ptr_equal(bus_topology_type_at(&topology_sample, 9), &payment_captured);
  assert_null(bus_topology_type_at(&topology_sample, 10));
  assert_string_equal(bus_topology_queue_at(&topology_sample, 4)->name, "payment-svc");
  assert_null(bus_topology_queue_at(&topology_sample, 5));
}

TEST(topology_default_tiers)
{
  assert_string_equal(bus_default_tiers[0].name, "1s");
  assert_true(bus_default_tiers[1].ttl_ms == 30000);
  assert_true(bus_default_tiers[2].ttl_ms == 600000);
}
