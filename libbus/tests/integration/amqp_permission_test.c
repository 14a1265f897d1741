/* Tests what each user of the order system may do at the broker, and what is refused. Security rows Q1 and Q2. */
#include "amqp_fixture.h"
#include "connection.h"

#include <orderbus_topology.h>

#include <stdio.h>

/* One virtual host with the whole topology and everybody's permissions. */
static const char *vhost(void) {
  static char name[64];
  if (name[0] == '\0') {
    struct link *link = link_open(fresh_vhost(name, sizeof name));
    assert_true(apply_topology(link, &orderbus_topology));
    import_permissions(&orderbus_topology, name);
    link_close(link);
  }
  return name;
}

static struct link *open_as(const char *user) {
  const char *name = vhost();
  return link_open(url_of(user, name));
}

/* BUS_OK: confirmed; else why the channel was closed. */
static enum bus_errc publish_as(const char *user, enum bus_exchange exchange, const char *key) {
  struct link *link = open_as(user);
  enum bus_errc code = BUS_OK;
  assert_true(bus_amqp_confirm(link->amqp, &link->err));
  link_publish(link, exchange, key, false, NULL);
  int64_t until = bus_monotonic() + 5 * BUS_SECOND;
  while (link_count(link, SEEN_ACK) == 0 && bus_monotonic() < until)
    if (!link_pump_for(link, 10)) {
      code = link->err.code;
      break;
    }
  if (code == BUS_OK)
    assert_int_equal(link_count(link, SEEN_ACK), 1);
  link_close(link);
  return code;
}

static void may(const char *user, enum bus_exchange exchange, const char *key) {
  enum bus_errc code = publish_as(user, exchange, key);
  if (code != BUS_OK)
    fail_msg("%s may not publish %s %s: %s", user, bus_exchange_name(exchange), key, bus_error_name(code));
}

static void may_not(const char *user, enum bus_exchange exchange, const char *key) {
  enum bus_errc code = publish_as(user, exchange, key);
  if (code != BUS_E_AMQP_REFUSED)
    fail_msg("%s may publish %s %s: %s", user, bus_exchange_name(exchange), key, bus_error_name(code));
}

TEST(permission_Q1_commands_belong_to_their_sender)
{
  may("order-svc", BUS_EXCHANGE_CMD, "payment.charge");
  may("order-svc", BUS_EXCHANGE_CMD, "inventory.reserve");
  may_not("inventory-svc", BUS_EXCHANGE_CMD, "payment.charge");
  may_not("edge", BUS_EXCHANGE_CMD, "payment.charge");
  may("edge", BUS_EXCHANGE_CMD, "order.place");
  may("edge", BUS_EXCHANGE_CMD, "order.cancel");
  may_not("order-svc", BUS_EXCHANGE_CMD, "order.place");
  may_not("payment-svc", BUS_EXCHANGE_CMD, "order.cancel");
}

TEST(permission_Q1_every_type_of_the_table)
{
  char key[BUS_KEY_MAX];
  const struct bus_message_type *type;
  for (size_t t = 0; (type = bus_topology_type_at(&orderbus_topology, t)); t++) {
    struct bus_str text = bus_message_key(type);
    (void)snprintf(key, sizeof key, "%.*s", (int)text.len, text.data);
    for (size_t p = 0; p < orderbus_topology.part_count && type->exchange != BUS_EXCHANGE_REPLY; p++) {
      const char *user = orderbus_topology.parts[p]->user.name;
      if (bus_topology_is_sender(&orderbus_topology, type, bus_str(user)))
        may(user, type->exchange, key);
      else
        may_not(user, type->exchange, key);
    }
  }
}

TEST(permission_Q1_keys_are_matched_whole_and_dots_are_dots)
{
  may_not("order-svc", BUS_EXCHANGE_CMD, "payment.charge.x");
  may_not("order-svc", BUS_EXCHANGE_CMD, "x.payment.charge");
  may_not("order-svc", BUS_EXCHANGE_CMD, "paymentXcharge");
  may_not("edge", BUS_EXCHANGE_CMD, "");
  may_not("order-svc", BUS_EXCHANGE_DEAD, "order-svcXplace");
}

TEST(permission_Q1_retries_and_parking_are_for_own_queues)
{
  may("order-svc", BUS_EXCHANGE_RETRY, "1s.order-svc");
  may("order-svc", BUS_EXCHANGE_RETRY, "10m.order-svc.place");
  may_not("order-svc", BUS_EXCHANGE_RETRY, "1s.payment-svc");
  may("payment-svc", BUS_EXCHANGE_DEAD, "payment-svc");
  may_not("payment-svc", BUS_EXCHANGE_DEAD, "order-svc");
  may_not("payment-svc", BUS_EXCHANGE_BACK, "1s.payment-svc");
  may_not("edge", BUS_EXCHANGE_RETRY, "1s.order-svc");
}

TEST(permission_Q1_dead_messages_are_an_operators_and_go_back_only)
{
  may("operator", BUS_EXCHANGE_RETRY, "1s.payment-svc");
  may_not("operator", BUS_EXCHANGE_RETRY, "10m.payment-svc");
  may_not("operator", BUS_EXCHANGE_RETRY, "1s.payment-svc.query");
  may_not("operator", BUS_EXCHANGE_DEAD, "payment-svc");
  may_not("operator", BUS_EXCHANGE_CMD, "payment.charge");
  static const char *const users[] = {"operator", "payment-svc", "edge"};
  static const char *const queues[] = {"payment-svc.dead", "payment-svc"};
  for (size_t u = 0; u < BUS_COUNT(users); u++)
    for (size_t q = 0; q < BUS_COUNT(queues); q++) {
      struct link *link = open_as(users[u]);
      bool reads = bus_amqp_consume(link->amqp, queues[q], 0, 1, false, &link->err);
      assert_int_equal(reads, u == q); /* the operator the dead one, payment-svc its own */
      link_close(link);
    }
}

TEST(permission_Q1_answers_go_to_askers_alone)
{
  may("order-svc", BUS_EXCHANGE_REPLY, "edge.reply.1");
  may("payment-svc", BUS_EXCHANGE_REPLY, "edge.reply.1");
  may_not("edge", BUS_EXCHANGE_REPLY, "edge.reply.1");
  may_not("order-svc", BUS_EXCHANGE_REPLY, "order-svc");
}

TEST(permission_Q1_nobody_writes_the_default_exchange)
{
  for (size_t p = 0; p < orderbus_topology.part_count; p++) {
    struct link *link = open_as(orderbus_topology.parts[p]->user.name);
    amqp_basic_properties_t none = {._flags = 0};
    assert_int_equal(amqp_basic_publish(link->amqp->state, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes("payment-svc"),
                                        0, 0, &none, amqp_cstring_bytes("{}")),
                     AMQP_STATUS_OK);
    assert_int_equal(link_await_failure(link, 5000), BUS_E_AMQP_REFUSED);
    link_close(link);
  }
}

TEST(permission_Q1_services_read_their_own_queues_alone)
{
  const struct bus_queue *queue;
  for (size_t p = 0; p < orderbus_topology.part_count; p++)
    for (size_t q = 0; (queue = bus_topology_queue_at(&orderbus_topology, q)); q++) {
      if (queue->kind == BUS_QUEUE_EVENT) /* each process has its own */
        continue;
      const char *user = orderbus_topology.parts[p]->user.name;
      bool own = bus_topology_owner(&orderbus_topology, queue) == orderbus_topology.parts[p];
      struct link *link = open_as(user);
      bool reads = bus_amqp_consume(link->amqp, queue->name, 0, 1, false, &link->err);
      if (reads != own)
        fail_msg("%s %s read %s", user, reads ? "may" : "may not", queue->name);
      if (!reads)
        assert_int_equal(link->err.code, BUS_E_AMQP_REFUSED);
      link_close(link);
    }
}

TEST(permission_Q1_services_configure_nothing_but_look)
{
  struct link *link = open_as("order-svc");
  struct bus_declaration queue = queue_of("order-svc"), exchange = exchange_of(BUS_EXCHANGE_EVENT);
  assert_true(bus_amqp_declare(link->amqp, &queue, true, &link->err));
  assert_true(bus_amqp_declare(link->amqp, &exchange, true, &link->err));
  assert_true(bus_amqp_ping(link->amqp, &link->err));
  assert_false(bus_amqp_declare(link->amqp, &queue, false, &link->err));
  assert_int_equal(link->err.code, BUS_E_AMQP_REFUSED);
  link_close(link);
}

TEST(permission_Q1_edge_has_reply_queues_of_its_own_name_alone)
{
  static const char *const others[] = {"order-svc.reply.1", "edge", "edgeXreply.1", "x.edge.reply.1"};
  struct link *link = open_as("edge");
  assert_true(bus_amqp_reply_queue(link->amqp, "edge.reply.1", &link->err));
  assert_true(bus_amqp_consume(link->amqp, "edge.reply.1", 0, 10, true, &link->err));
  link_close(link);
  for (size_t i = 0; i < BUS_COUNT(others); i++) {
    link = open_as("edge");
    assert_false(bus_amqp_reply_queue(link->amqp, others[i], &link->err));
    assert_int_equal(link->err.code, BUS_E_AMQP_REFUSED);
    link_close(link);
  }
  link = open_as("order-svc");
  assert_false(bus_amqp_reply_queue(link->amqp, "edge.reply.2", &link->err));
  assert_int_equal(link->err.code, BUS_E_AMQP_REFUSED);
  link_close(link);
}

static const struct bus_queue *event_queue(void) {
  return bus_topology_queue(&orderbus_topology, "edge.event");
}

TEST(permission_Q1_edge_has_event_queues_of_its_own_name_alone)
{
  struct bus_queue renamed = *event_queue();
  struct link *link = open_as("edge"), *second = open_as("edge"), *other = open_as("order-svc");
  assert_true(bus_amqp_event_queue(link->amqp, event_queue(), "7-1", &link->err));
  assert_true(bus_amqp_consume(link->amqp, "edge.event.7-1", 0, 10, false, &link->err));
  assert_false(bus_amqp_consume(second->amqp, "edge.event.7-1", 0, 10, false, &second->err)); /* another's */
  assert_false(bus_amqp_event_queue(other->amqp, event_queue(), "7-2", &other->err));
  assert_int_equal(other->err.code, BUS_E_AMQP_REFUSED);
  link_close(other);
  link_close(second);
  link_close(link);
  renamed.name = "order-svc.event";
  link = open_as("edge");
  assert_false(bus_amqp_event_queue(link->amqp, &renamed, "7-3", &link->err));
  assert_int_equal(link->err.code, BUS_E_AMQP_REFUSED);
  link_close(link);
}

TEST(permission_Q1_edge_binds_the_keys_of_its_events_alone)
{
  static const struct {
    enum bus_exchange exchange;
    const char *key;
  } refused[] = {{BUS_EXCHANGE_EVENT, "#"},
                 {BUS_EXCHANGE_EVENT, "order.*"},
                 {BUS_EXCHANGE_EVENT, "payment.captured"},
                 {BUS_EXCHANGE_CMD, "payment.charge"}};
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    char name[32]; /* of its own: the queue of a connection that is closed may live on for a moment */
    (void)snprintf(name, sizeof name, "edge.event.spy-%zu", i);
    struct link *link = open_as("edge");
    assert_true(bus_amqp_event_queue(link->amqp, event_queue(), name + strlen("edge.event."), &link->err));
    struct bus_declaration binding = binding_of(refused[i].exchange, refused[i].key, name);
    assert_false(bus_amqp_declare(link->amqp, &binding, false, &link->err));
    assert_int_equal(link->err.code, BUS_E_AMQP_REFUSED);
    link_close(link);
  }
}

TEST(permission_Q1_edge_cannot_listen_in_on_commands_and_events)
{
  static const enum bus_exchange exchanges[] = {BUS_EXCHANGE_CMD, BUS_EXCHANGE_EVENT, BUS_EXCHANGE_QUERY,
                                                BUS_EXCHANGE_DEAD};
  for (size_t i = 0; i < BUS_COUNT(exchanges); i++) {
    struct link *link = open_as("edge");
    char queue[32]; /* one of its own: the last one may not be gone yet */
    (void)snprintf(queue, sizeof queue, "edge.reply.spy-%zu", i);
    assert_true(bus_amqp_reply_queue(link->amqp, queue, &link->err));
    struct bus_declaration binding = binding_of(exchanges[i], "#", queue);
    assert_false(bus_amqp_declare(link->amqp, &binding, false, &link->err));
    assert_int_equal(link->err.code, BUS_E_AMQP_REFUSED);
    link_close(link);
  }
}

/* A reply queue of another edge is known to nobody, but its answers would come to who binds its key. */
TEST(permission_Q1_edge_cannot_listen_in_on_another_edges_answers)
{
  struct link *link = open_as("edge");
  assert_true(bus_amqp_reply_queue(link->amqp, "edge.reply.binder", &link->err));
  struct bus_declaration binding = binding_of(BUS_EXCHANGE_REPLY, "order-svc.reply.1", "edge.reply.binder");
  assert_false(bus_amqp_declare(link->amqp, &binding, false, &link->err));
  assert_int_equal(link->err.code, BUS_E_AMQP_REFUSED);
  link_close(link);
}

TEST(permission_Q2_a_forged_user_is_refused_by_the_broker)
{
  struct link *link = open_as("edge");
  link->amqp->sender.user = BUS_STR("order-svc");
  link_publish(link, BUS_EXCHANGE_CMD, "order.place", true, NULL);
  assert_int_equal(link_await_failure(link, 5000), BUS_E_AMQP_CONNECTION);
  assert_non_null(strstr(link->err.text, "406"));
  link_close(link);
}
