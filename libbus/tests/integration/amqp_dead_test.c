/* The operator's program bus-dead against a real broker: what it shows, sends again and takes away, and what stays. */
#include "amqp_fixture.h"
#include "amqp_program.h"

#include <orderbus_topology.h>

#include <stdio.h>

#define HISTORY                                                                                                        \
  "2026-03-01T12:00:00.000Z 0 inventory-svc/1.2.0 BUS_E_LATER not yet\n"                                               \
  "2026-03-01T12:00:30.250Z 1 inventory-svc/1.2.0 BUS_E_DB_DATA SQLSTATE 23514: \x1b[31mred"

static struct output output;

static void dead(const char *url, const char *verb, const char *queue, const char *more) {
  const char *const words[] = {"bus-dead", verb, queue, queue ? more : NULL, NULL};
  run_program(&output, BUS_DEAD, words, url, "");
}

static struct link *service; /* inventory-svc's, which dead-letters */

/* The whole topology in a virtual host of its own, with everybody's permissions; the administrator's link. */
static struct link *begin(const char **ret_url, const char **ret_operator) {
  static char vhost[64], url[512], operator_url[512];
  (void)snprintf(url, sizeof url, "%s", fresh_vhost(vhost, sizeof vhost));
  struct link *link = link_open(url);
  assert_true(apply_topology(link, &orderbus_topology));
  import_permissions(&orderbus_topology, vhost);
  (void)snprintf(operator_url, sizeof operator_url, "%s", url_of("operator", vhost));
  service = link_open(url_of("inventory-svc", vhost));
  assert_true(bus_amqp_confirm(service->amqp, &service->err));
  *ret_url = url;
  *ret_operator = operator_url;
  return link;
}

static void end(struct link *link) {
  link_close(service);
  link_close(link);
}

static void park_envelope(const struct bus_envelope *envelope, const char *body, char id[BUS_UUID_TEXT]) {
  const struct bus_publication publication = {.exchange = BUS_EXCHANGE_DEAD,
                                              .key = BUS_STR("inventory-svc"),
                                              .mandatory = true,
                                              .envelope = envelope,
                                              .body = bus_str(body)};
  uint64_t seq;
  size_t before = link_count(service, SEEN_ACK);
  assert_true(bus_amqp_publish(service->amqp, &publication, &seq, &service->err));
  link_await(service, SEEN_ACK, before + 1, 5000);
  bus_uuid_format(&envelope->message_id, id);
}

/* sender: whom the service names as the one who sent it. */
static void park_of(const char *sender, const char *body, char id[BUS_UUID_TEXT]) {
  struct bus_envelope envelope = {.type = BUS_STR("inventory.release.v1"),
                                  .message_id = next_id(),
                                  .correlation_id = {{0x77}},
                                  .sender = bus_str(sender),
                                  .timestamp = bus_wall_clock(),
                                  .attempt = 1,
                                  .first_failed_at = bus_wall_clock(),
                                  .history = BUS_STR(HISTORY)};
  park_envelope(&envelope, body, id);
}

static void park(const char *body, char id[BUS_UUID_TEXT]) {
  park_of("order-svc", body, id);
}

static int64_t depth(struct link *link, const char *queue, int64_t expected) {
  int64_t found = -1;
  for (int i = 0; i < 100 && found != expected; i++) { /* what a consumer gives back is there a moment later */
    assert_true(bus_amqp_queue_depth(link->amqp, queue, &found, &link->err));
    if (found != expected)
      assert_true(link_pump_for(link, 50));
  }
  return found;
}

TEST(dead_lists_and_shows_what_lies_there_and_leaves_it)
{
  const char *url, *operator;
  char ids[2][BUS_UUID_TEXT], line[256];
  struct link *link = begin(&url, &operator);
  park("{\"order_id\":\"01890000-0000-7000-8000-000000000001\"}", ids[0]);
  park("{\"order_id\":\"01890000-0000-7000-8000-000000000002\"}", ids[1]);
  dead(operator, "list", NULL, NULL);
  assert_int_equal(output.status, 0);
  assert_says(&output, "inventory-svc 2\n");
  assert_says(&output, "\norder-svc 0\norder-svc.place 0\npayment-svc 0\n");
  for (int i = 0; i < 3; i++) { /* looking changes nothing */
    dead(operator, "list", "inventory-svc", NULL);
    assert_int_equal(output.status, 0);
    (void)snprintf(line, sizeof line,
                   "%s 2026-03-01T12:00:30.250Z inventory.release.v1 order-svc 77000000-0000-0000-0000-000000000000 1 "
                   "BUS_E_DB_DATA SQLSTATE 23514: ?[31mred\n%s ",
                   ids[0], ids[1]);
    assert_says(&output, line);
    assert_int_equal(depth(link, "inventory-svc.dead", 2), 2);
  }
  dead(operator, "show", "inventory-svc", ids[1]);
  assert_int_equal(output.status, 0);
  assert_says(&output, "  try 2026-03-01T12:00:00.000Z 0 inventory-svc/1.2.0 BUS_E_LATER not yet\n");
  assert_says(&output, "  body {\"order_id\":\"01890000-0000-7000-8000-000000000002\"}\n");
  assert_null(strstr(output.text, ids[0]));
  end(link);
}

TEST(dead_replays_one_as_a_new_message_to_its_queue)
{
  const char *url, *operator;
  char ids[2][BUS_UUID_TEXT], causation[BUS_UUID_TEXT], new[BUS_UUID_TEXT];
  struct link *link = begin(&url, &operator);
  park("{\"n\":1}", ids[0]);
  park("{\"n\":2}", ids[1]);
  dead(operator, "replay", "inventory-svc", ids[1]);
  assert_says(&output, "1 sent again\n");
  assert_int_equal(output.status, 0);
  link_consume(link, "inventory-svc", 0, 10);
  link_await(link, SEEN_DELIVERY, 1, 5000);
  const struct bus_delivery *delivery = &link_nth(link, SEEN_DELIVERY, 0)->delivery;
  bus_uuid_format(&delivery->envelope.causation_id, causation);
  bus_uuid_format(&delivery->envelope.message_id, new);
  assert_string_equal(causation, ids[1]);
  assert_says(&output, new);
  assert_true(bus_str_is(delivery->body, "{\"n\":2}"));
  assert_true(bus_str_is(delivery->envelope.user_id, "operator"));
  assert_true(bus_str_is(delivery->envelope.sender, "order-svc"));
  assert_int_equal(delivery->envelope.attempt, 0);
  assert_null(delivery->envelope.history.data);
  assert_int_equal(depth(link, "inventory-svc.dead", 1), 1);
  end(link);
}

/* The inventory would take a release from the operator as from order-svc. */
TEST(dead_replays_no_forged_message_not_even_under_all)
{
  enum { FORGED = 150 };
  const char *url, *operator;
  char forged[BUS_UUID_TEXT], good[BUS_UUID_TEXT], line[BUS_UUID_TEXT + 100];
  struct link *link = begin(&url, &operator);
  for (int i = 0; i < FORGED; i++)
    park_of("edge", "{}", forged);
  park("{}", good);
  dead(operator, "list", "inventory-svc", forged);
  assert_says(&output, "inventory.release.v1 edge! 77000000");
  dead(operator, "replay", "inventory-svc", forged);
  (void)snprintf(line, sizeof line,
                 "%s is not sent again: sender edge may not send inventory.release.v1: order-svc may\n", forged);
  assert_says(&output, line);
  assert_int_equal(output.status, 1);
  dead(operator, "replay", "inventory-svc", "--all");
  assert_says(&output, line);
  assert_says(&output, good);
  assert_says(&output, "1 sent again\n");
  assert_int_equal(output.status, 1);
  assert_int_equal(depth(link, "inventory-svc.dead", FORGED), FORGED);
  assert_int_equal(depth(link, "inventory-svc", 1), 1);
  end(link);
}

/* One whose elements cannot be told apart, and one that a service of an older release could not cut. */
TEST(dead_replays_a_bundle_whole)
{
  static const char bodies[2][300] = {
      "[]",
      "[{\"specversion\":\"1.0\",\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"source\":\"/order-svc\",\"type\":"
      "\"inventory.release.v1\",\"data\":{\"order_id\":\"01890000-0000-7000-8000-000000000001\"}}]"};
  const char *url, *operator;
  char ids[2][BUS_UUID_TEXT], new[BUS_UUID_TEXT], line[256];
  struct link *link = begin(&url, &operator);
  for (int i = 0; i < 2; i++) {
    const struct bus_envelope envelope = {.type = BUS_STR("inventory.release.v1"),
                                          .message_id = next_id(),
                                          .sender = BUS_STR("order-svc"),
                                          .history = BUS_STR(HISTORY),
                                          .bundle = true,
                                          .bundle_count = 3 - 2 * i};
    park_envelope(&envelope, bodies[i], ids[i]);
  }
  dead(operator, "list", "inventory-svc", NULL);
  (void)snprintf(line, sizeof line, "%s 2026-03-01T12:00:30.250Z inventory.release.v1 order-svc bundle:3 1 ", ids[0]);
  assert_says(&output, line);
  dead(operator, "show", "inventory-svc", NULL);
  assert_says(&output, "  application/cloudevents-batch+json, bus-count 3; cannot be cut: bundle: the array is empty");
  assert_says(&output, "  application/cloudevents-batch+json, bus-count 1; its elements can be cut\n");
  assert_says(&output, bodies[1]);
  dead(operator, "replay", "inventory-svc", "01890a5d-ac96-774b-bcce-b302099a8057"); /* of an element */
  assert_int_equal(output.status, 1);
  dead(operator, "replay", "inventory-svc", ids[1]);
  assert_says(&output, "1 sent again\n");
  link_consume(link, "inventory-svc", 0, 10);
  link_await(link, SEEN_DELIVERY, 1, 5000);
  const struct bus_delivery *delivery = &link_nth(link, SEEN_DELIVERY, 0)->delivery;
  bus_uuid_format(&delivery->envelope.message_id, new);
  assert_string_not_equal(new, ids[1]);
  assert_true(delivery->envelope.bundle && delivery->envelope.bundle_count == 1);
  assert_true(bus_str_is(delivery->envelope.sender, "order-svc") && bus_str_is(delivery->body, bodies[1]));
  assert_int_equal(depth(link, "inventory-svc.dead", 1), 1);
  end(link);
}

TEST(dead_replays_all_in_order)
{
  enum { N = 250 };
  const char *url, *operator;
  char id[BUS_UUID_TEXT], body[32];
  struct link *link = begin(&url, &operator);
  for (int i = 0; i < N; i++) {
    (void)snprintf(body, sizeof body, "{\"n\":%d}", i);
    park(body, id);
  }
  dead(operator, "replay", "inventory-svc", "--all");
  assert_says(&output, "250 sent again\n");
  assert_int_equal(output.status, 0);
  assert_int_equal(depth(link, "inventory-svc.dead", 0), 0);
  link_consume(link, "inventory-svc", 0, N);
  link_await(link, SEEN_DELIVERY, N, 10000);
  for (size_t i = 0; i < N; i++) {
    (void)snprintf(body, sizeof body, "{\"n\":%zu}", i);
    assert_true(bus_str_is(link_nth(link, SEEN_DELIVERY, i)->delivery.body, body));
  }
  end(link);
}

TEST(dead_keeps_what_the_broker_does_not_take)
{
  const char *url, *operator;
  char id[BUS_UUID_TEXT], path[160];
  struct link *link = begin(&url, &operator);
  park("{}", id);
  (void)snprintf(path, sizeof path, "queues/%s/bus.retry.1s.inventory-svc", strrchr(url, '/') + 1);
  assert_int_equal(manage("DELETE", path, NULL, NULL, 0), 204);
  dead(operator, "replay", "inventory-svc", "--all");
  assert_says(&output, "returned: no queue is bound to bus.retry.operator for 1s.inventory-svc");
  assert_says(&output, "0 sent again\n");
  assert_int_equal(output.status, 1);
  assert_int_equal(depth(link, "inventory-svc.dead", 1), 1);
  end(link);
}

TEST(dead_drops_what_is_named_and_shows_it)
{
  const char *url, *operator;
  char ids[3][BUS_UUID_TEXT];
  struct link *link = begin(&url, &operator);
  for (int i = 0; i < 3; i++)
    park("{\"once\":true}", ids[i]);
  dead(operator, "drop", "inventory-svc", ids[1]);
  assert_says(&output, "  body {\"once\":true}\n");
  assert_says(&output, "1 dropped\n");
  assert_int_equal(output.status, 0);
  assert_int_equal(depth(link, "inventory-svc.dead", 2), 2);
  dead(operator, "drop", "inventory-svc", ids[1]);
  assert_says(&output, " is not there\n");
  assert_int_equal(output.status, 1);
  dead(operator, "drop", "inventory-svc", "--all");
  assert_says(&output, "2 dropped\n");
  assert_int_equal(depth(link, "inventory-svc.dead", 0), 0);
  end(link);
}

TEST(dead_is_the_operators_alone)
{
  const char *url, *operator;
  char id[BUS_UUID_TEXT], vhost[64];
  struct link *link = begin(&url, &operator);
  park("{}", id);
  (void)snprintf(vhost, sizeof vhost, "%s", strrchr(url, '/') + 1);
  dead(url_of("inventory-svc", vhost), "list", "inventory-svc", NULL);
  assert_says(&output, "403");
  assert_int_equal(output.status, 2);
  assert_int_equal(depth(link, "inventory-svc.dead", 1), 1);
  end(link);
}

TEST(dead_says_what_is_wrong_with_its_call)
{
  dead(test_url(), "list", "nowhere", NULL);
  assert_says(&output, "no such work queue");
  assert_int_equal(output.status, 2);
  dead(test_url(), "list", "order-svc.query", NULL);
  assert_int_equal(output.status, 2);
  dead(test_url(), "replay", "inventory-svc", NULL);
  assert_says(&output, "--all");
  assert_int_equal(output.status, 2);
  dead(test_url(), "drop", "inventory-svc", "no-uuid");
  assert_says(&output, "an id is a UUID");
  assert_int_equal(output.status, 2);
  dead(NULL, "list", NULL, NULL);
  assert_says(&output, "RABBITMQ_URL");
  assert_int_equal(output.status, 2);
  dead("amqp://u:hunter2@127.0.0.1:1/v", "list", NULL, NULL);
  assert_null(strstr(output.text, "hunter2"));
  assert_int_equal(output.status, 2);
  dead(NULL, "explode", NULL, NULL);
  assert_int_equal(output.status, 2);
  dead(NULL, "--help", NULL, NULL);
  assert_says(&output, "usage: bus-dead");
  assert_int_equal(output.status, 0);
}
