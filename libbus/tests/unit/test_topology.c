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
#define TIER(tier, ttl)                                                                                                \
  "queue bus.retry." tier " x-queue-type=quorum x-message-ttl=" ttl                                                    \
  " x-dead-letter-exchange=bus.back x-dead-letter-strategy=at-least-once x-overflow=reject-publish\n"
#define BACK(queue)                                                                                                    \
  "bind " queue " bus.back 1s." queue "\nbind " queue " bus.back 30s." queue "\nbind " queue " bus.back 10m." queue    \
  "\nbind " queue ".dead bus.dead " queue "\n"

TEST(topology_golden_declarations)
{
  printed[0] = '\0';
  assert_true(bus_topology_each(&topology_sample, print_declaration, NULL));
  assert_string_equal(printed, "exchange bus.cmd\n"
                               "exchange bus.event\n"
                               "exchange bus.query\n"
                               "exchange bus.reply\n"
                               "exchange bus.retry\n"
                               "exchange bus.dead\n"
                               "exchange bus.back\n"                                                     /**/
                      WORK("order-svc") "\n" DEAD("order-svc")                                           /**/
                      WORK("order-svc.place") " x-max-length-bytes=1073741824\n" DEAD("order-svc.place") /**/
                      WORK("inventory-svc") "\n" DEAD("inventory-svc")                                   /**/
                      WORK("payment-svc") "\n" DEAD("payment-svc")                                       /**/
                      "queue order-svc.query x-queue-type=classic x-message-ttl=5000\n"                  /**/
                      TIER("1s", "1000") TIER("30s", "30000") TIER("10m", "600000")                      /**/
                      "bind bus.retry.1s bus.retry 1s.#\n"
                      "bind bus.retry.30s bus.retry 30s.#\n"
                      "bind bus.retry.10m bus.retry 10m.#\n"
                      "bind order-svc bus.event stock.reserved\n"
                      "bind order-svc bus.event payment.captured\n"
                      "bind order-svc bus.cmd order.cancel\n" BACK("order-svc")              /**/
                      "bind order-svc.place bus.cmd order.place\n" BACK("order-svc.place")   /**/
                      "bind inventory-svc bus.cmd inventory.reserve\n" BACK("inventory-svc") /**/
                      "bind payment-svc bus.cmd payment.charge\n" BACK("payment-svc")        /**/
                      "bind order-svc.query bus.query order.get\n");
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

static void assert_permission(int user, const char *configure, const char *write, const char *read) {
  struct bus_permission permission;
  bus_topology_permission(&topology_sample, &sample_users[user], &permission);
  assert_string_equal(permission.configure, configure);
  assert_string_equal(permission.write, write);
  assert_string_equal(permission.read, read);
}

TEST(topology_golden_permissions)
{
  assert_permission(SAMPLE_EDGE, "^(edge\\.reply\\..*)$", "^(bus\\.cmd|bus\\.query|edge\\.reply\\..*)$",
                    "^(bus\\.reply|edge\\.reply\\..*)$");
  assert_permission(SAMPLE_ORDER, "^$", "^(bus\\.cmd|bus\\.event|bus\\.reply|bus\\.retry|bus\\.dead)$",
                    "^(order-svc|order-svc\\.place|order-svc\\.query)$");
  assert_permission(SAMPLE_INVENTORY, "^$", "^(bus\\.event|bus\\.reply|bus\\.retry|bus\\.dead)$", "^(inventory-svc)$");
  assert_permission(SAMPLE_PAYMENT, "^$", "^(bus\\.event|bus\\.reply|bus\\.retry|bus\\.dead)$", "^(payment-svc)$");
  assert_permission(SAMPLE_AUDIT, "^(audit\\.reply\\..*)$", "^(audit\\.reply\\..*)$",
                    "^(bus\\.reply|audit\\.reply\\..*)$");
}

/* "exchange write read" a line. */
static void assert_topics(int user, const char *expected) {
  struct bus_topic_permission topics[6];
  size_t count = bus_topology_topic_permissions(&topology_sample, &sample_users[user], topics);
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
                              "bus.retry ^(1s|30s|10m)\\.(order-svc|order-svc\\.place)$ ^$\n"
                              "bus.dead ^(order-svc|order-svc\\.place)$ ^$\n");
  assert_topics(SAMPLE_INVENTORY, "bus.event ^(stock\\.reserved)$ ^$\n"
                                  "bus.reply ^(edge\\.reply\\..*|audit\\.reply\\..*)$ ^$\n"
                                  "bus.retry ^(1s|30s|10m)\\.(inventory-svc)$ ^$\n"
                                  "bus.dead ^(inventory-svc)$ ^$\n");
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
static bool may_publish(const struct bus_user *user, const char *exchange, const char *key) {
  struct bus_permission permission;
  struct bus_topic_permission topics[6];
  bus_topology_permission(&topology_sample, user, &permission);
  if (!matches(permission.write, exchange))
    return false;
  size_t count = bus_topology_topic_permissions(&topology_sample, user, topics);
  for (size_t i = 0; i < count; i++)
    if (strcmp(topics[i].exchange, exchange) == 0)
      return matches(topics[i].write, key);
  return true;
}

TEST(Q1_topology_only_the_sender_may_publish_a_type)
{
  for (size_t t = 0; t < topology_sample.type_count; t++) {
    const struct bus_message_type *type = topology_sample.types[t];
    char key[BUS_KEY_MAX];
    snprintf(key, sizeof key, "%.*s", (int)bus_message_key(type).len, type->type);
    for (size_t u = 0; type->sender && u < SAMPLE_USERS; u++) {
      bool own = strcmp(type->sender, sample_users[u].name) == 0;
      if (may_publish(&sample_users[u], bus_exchange_name(type->exchange), key) != own)
        fail_msg("%s %s", sample_users[u].name, type->type);
    }
  }
}

TEST(Q1_topology_payment_commands_come_from_the_order_service_alone)
{
  assert_true(may_publish(&sample_users[SAMPLE_ORDER], "bus.cmd", "payment.charge"));
  assert_false(may_publish(&sample_users[SAMPLE_INVENTORY], "bus.cmd", "payment.charge"));
  assert_false(may_publish(&sample_users[SAMPLE_EDGE], "bus.cmd", "payment.charge"));
  assert_false(may_publish(&sample_users[SAMPLE_ORDER], "bus.cmd", "paymentXcharge"));
  assert_false(may_publish(&sample_users[SAMPLE_ORDER], "bus.cmd", "payment.charge.x"));
  assert_false(may_publish(&sample_users[SAMPLE_ORDER], "bus.cmd", "x.payment.charge"));
}

TEST(Q1_topology_who_does_not_ask_sends_no_queries)
{
  struct bus_user edge = {"edge", false, false};
  struct bus_permission permission;
  bus_topology_permission(&topology_sample, &edge, &permission);
  assert_string_equal(permission.configure, "^$");
  assert_string_equal(permission.write, "^(bus\\.cmd)$");
  assert_string_equal(permission.read, "^$");
}

/* Dead queues are read, and what lay there goes back through the shortest tier; nothing else. */
TEST(Q1_topology_who_sends_dead_messages_again_does_no_more)
{
  static const struct bus_user operator= {.name = "operator", .redrives = true};
  struct bus_permission permission;
  bus_topology_permission(&topology_sample, &operator, & permission);
  assert_string_equal(permission.configure, "^$");
  assert_string_equal(permission.write, "^(bus\\.retry)$");
  assert_string_equal(permission.read, "^(order-svc\\.dead|order-svc\\.place\\.dead|inventory-svc\\.dead|"
                                       "payment-svc\\.dead)$");
  assert_true(may_publish(&operator, "bus.retry", "1s.payment-svc"));
  assert_true(may_publish(&operator, "bus.retry", "1s.order-svc.place"));
  assert_false(may_publish(&operator, "bus.retry", "10m.payment-svc"));
  assert_false(may_publish(&operator, "bus.retry", "1s.order-svc.query"));
  assert_false(may_publish(&operator, "bus.dead", "payment-svc"));
  assert_false(may_publish(&operator, "bus.cmd", "payment.charge"));
}

TEST(Q1_topology_nobody_goes_round_the_exchanges)
{
  for (size_t u = 0; u < SAMPLE_USERS; u++) {
    assert_false(may_publish(&sample_users[u], "amq.default", "payment-svc"));
    assert_false(may_publish(&sample_users[u], "", "payment-svc"));
    assert_false(may_publish(&sample_users[u], "bus.back", "1s.payment-svc"));
    assert_false(may_publish(&sample_users[u], "busXcmd", "payment.charge"));
    assert_false(may_publish(&sample_users[u], "amq.topic", "x"));
  }
}

TEST(Q1_topology_every_writable_exchange_has_a_topic_permission)
{
  for (size_t u = 0; u < SAMPLE_USERS; u++)
    for (int e = BUS_EXCHANGE_CMD; e <= BUS_EXCHANGE_BACK; e++)
      assert_false(may_publish(&sample_users[u], bus_exchange_name((enum bus_exchange)e), "no.such.key"));
}

TEST(Q1_topology_retry_and_dead_keys_are_of_own_queues)
{
  const struct bus_user *order = &sample_users[SAMPLE_ORDER];
  static const char *const tiers[] = {"1s", "30s", "10m"};
  for (size_t q = 0; q < topology_sample.queue_count; q++) {
    const struct bus_queue *queue = &topology_sample.queues[q];
    bool own = queue->kind == BUS_QUEUE_WORK && strcmp(queue->service, "order-svc") == 0;
    assert_int_equal(may_publish(order, "bus.dead", queue->name), own);
    for (size_t t = 0; t < BUS_COUNT(tiers); t++) {
      char key[BUS_KEY_MAX];
      snprintf(key, sizeof key, "%s.%s", tiers[t], queue->name);
      assert_int_equal(may_publish(order, "bus.retry", key), own);
    }
  }
  assert_false(may_publish(order, "bus.retry", "1s.order-svcXplace"));
  assert_false(may_publish(order, "bus.retry", "2s.order-svc"));
  assert_false(may_publish(order, "bus.retry", "order-svc"));
  assert_false(may_publish(order, "bus.dead", "order-svc.dead"));
}

TEST(Q1_topology_answers_go_to_askers_only)
{
  const struct bus_user *order = &sample_users[SAMPLE_ORDER];
  assert_true(may_publish(order, "bus.reply", "edge.reply.0a1b"));
  assert_true(may_publish(order, "bus.reply", "audit.reply.1"));
  assert_false(may_publish(order, "bus.reply", "payment-svc.reply.1"));
  assert_false(may_publish(order, "bus.reply", "edgeXreply.1"));
  assert_false(may_publish(order, "bus.reply", "edge.query"));
  assert_false(may_publish(&sample_users[SAMPLE_EDGE], "bus.reply", "edge.reply.1"));
}

/* Binding needs write on the queue, read on the exchange, and topic read for the key. */
static bool may_bind(const struct bus_user *user, const char *queue, const char *exchange, const char *key) {
  struct bus_permission permission;
  struct bus_topic_permission topics[6];
  bus_topology_permission(&topology_sample, user, &permission);
  if (!matches(permission.write, queue) || !matches(permission.read, exchange))
    return false;
  size_t count = bus_topology_topic_permissions(&topology_sample, user, topics);
  for (size_t i = 0; i < count; i++)
    if (strcmp(topics[i].exchange, exchange) == 0)
      return matches(topics[i].read, key);
  return true;
}

TEST(Q1_topology_an_asker_binds_its_own_answers_only)
{
  const struct bus_user *edge = &sample_users[SAMPLE_EDGE];
  assert_true(may_bind(edge, "edge.reply.1", "bus.reply", "edge.reply.1"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.reply", "audit.reply.1"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.reply", "#"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.reply", "*.reply.1"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.cmd", "payment.charge"));
  assert_false(may_bind(edge, "edge.reply.1", "bus.event", "#"));
  assert_false(may_bind(edge, "audit.reply.1", "bus.reply", "edge.reply.1"));
  assert_false(may_bind(&sample_users[SAMPLE_ORDER], "order-svc", "bus.cmd", "payment.charge"));
}

TEST(topology_lookups)
{
  assert_ptr_equal(bus_topology_type(&topology_sample, BUS_STR("payment.charge.v2")), &payment_charge_2);
  assert_null(bus_topology_type(&topology_sample, BUS_STR("payment.charge.v3")));
  assert_null(bus_topology_type(&topology_sample, BUS_NO_STR));
  assert_string_equal(bus_topology_queue(&topology_sample, "order-svc.place")->name, "order-svc.place");
  assert_null(bus_topology_queue(&topology_sample, "order-svc.dead"));
}

TEST(topology_default_tiers)
{
  assert_string_equal(bus_default_tiers[0].name, "1s");
  assert_true(bus_default_tiers[1].ttl_ms == 30000);
  assert_true(bus_default_tiers[2].ttl_ms == 600000);
}
