/* Publishing to a real broker: confirms, returns, nacks, refusals, and what stands on the wire. */
#include "amqp_fixture.h"
#include "connection.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>

static struct link *open_confirming(void) {
  struct link *link = link_open(test_url());
  declare_exchanges(link);
  assert_true(bus_amqp_confirm(link->amqp, &link->err));
  return link;
}

TEST(publish_mandatory_return_comes_before_its_confirm)
{
  struct link *link = open_confirming();
  struct bus_uuid id;
  uint64_t seq = link_publish(link, BUS_EXCHANGE_CMD, "nobody.takes.this", true, &id);
  link_await(link, SEEN_ACK, 1, 5000);
  assert_int_equal(link->count, 2);
  assert_int_equal(link->seen[0].kind, SEEN_RETURN);
  assert_true(bus_uuid_equal(&link->seen[0].message_id, &id));
  assert_int_equal(link->seen[1].kind, SEEN_ACK);
  assert_int_equal(link->seen[1].seq, seq);
  link_close(link);
}

TEST(publish_unroutable_without_mandatory_is_confirmed_and_gone)
{
  struct link *link = open_confirming();
  link_publish(link, BUS_EXCHANGE_CMD, "nobody.takes.this", false, NULL);
  link_await(link, SEEN_ACK, 1, 5000);
  assert_int_equal(link_count(link, SEEN_RETURN), 0);
  link_close(link);
}

TEST(publish_into_a_full_queue_is_nacked)
{
  struct link *link = open_confirming();
  const char *name = fresh_name("full");
  struct bus_declaration queue = queue_of(name), binding = binding_of(BUS_EXCHANGE_CMD, name, name);
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-max-length", NULL, 1, false};
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-overflow", "reject-publish", 0, false};
  declare(link, &queue);
  declare(link, &binding);
  uint64_t first = link_publish(link, BUS_EXCHANGE_CMD, name, true, NULL);
  link_await(link, SEEN_ACK, 1, 5000);
  uint64_t second = link_publish(link, BUS_EXCHANGE_CMD, name, true, NULL);
  link_await(link, SEEN_NACK, 1, 5000);
  assert_int_equal(link_nth(link, SEEN_ACK, 0)->seq, first);
  assert_int_equal(link_nth(link, SEEN_NACK, 0)->seq, second);
  link_close(link);
}

TEST(publish_confirms_cover_every_message_with_fewer_frames)
{
  enum { N = 2000 };
  struct link *link = open_confirming();
  const char *name = fresh_name("many");
  bool confirmed[N + 1] = {false};
  declare_bound_queue(link, BUS_EXCHANGE_EVENT, name);
  for (int i = 0; i < N; i++)
    link_publish(link, BUS_EXCHANGE_EVENT, name, true, NULL);
  size_t covered = 0, looked = 0;
  uint64_t low = 1;
  int64_t until = bus_monotonic() + 20 * BUS_SECOND;
  while (covered < N && bus_monotonic() < until) {
    assert_true(link_pump_for(link, 20));
    for (; looked < link->count; looked++) {
      const struct seen *seen = &link->seen[looked];
      assert_int_equal(seen->kind, SEEN_ACK);
      for (uint64_t seq = seen->multiple ? low : seen->seq; seq <= seen->seq; seq++) {
        covered += !confirmed[seq];
        confirmed[seq] = true;
      }
      while (low <= N && confirmed[low])
        low++;
    }
  }
  assert_int_equal(covered, N);
  assert_true(link->count < N / 2);
  link_close(link);
}

TEST(publish_sequence_numbers_begin_at_one_on_each_connection)
{
  for (int i = 0; i < 2; i++) {
    struct link *link = open_confirming();
    assert_int_equal(link_publish(link, BUS_EXCHANGE_EVENT, "x", false, NULL), 1);
    assert_int_equal(link_publish(link, BUS_EXCHANGE_EVENT, "x", false, NULL), 2);
    link_close(link);
  }
}

TEST(publish_with_a_forged_user_closes_the_channel)
{
  struct link *link = open_confirming();
  link->amqp->sender.user = BUS_STR("someone-else");
  link_publish(link, BUS_EXCHANGE_EVENT, "x", false, NULL);
  assert_int_equal(link_await_failure(link, 5000), BUS_E_AMQP_CONNECTION);
  assert_non_null(strstr(link->err.text, "406"));
  link_close(link);
}

TEST(publish_to_a_missing_exchange_is_a_matter_of_topology)
{
  char vhost[64];
  struct link *link = link_open(fresh_vhost(vhost, sizeof vhost));
  link_publish(link, BUS_EXCHANGE_CMD, "x", true, NULL);
  assert_int_equal(link_await_failure(link, 5000), BUS_E_TOPOLOGY);
  assert_non_null(strstr(link->err.text, "404"));
  link_close(link);
}

/* ---- on the wire ---- */

static void assert_text(const cJSON *object, const char *name, const char *text) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
  if (!cJSON_IsString(item) || strcmp(item->valuestring, text) != 0)
    fail_msg("%s is %s, not %s", name, cJSON_IsString(item) ? item->valuestring : "absent", text);
}

static cJSON *message_as_the_broker_has_it(const char *vhost, const char *queue) {
  static char path[256], answer[65536];
  (void)snprintf(path, sizeof path, "queues/%s/%s/get", vhost, queue);
  assert_int_equal(manage("POST", path, "{\"count\":1,\"ackmode\":\"ack_requeue_true\",\"encoding\":\"auto\"}", answer,
                          sizeof answer),
                   200);
  return cJSON_Parse(answer);
}

static void assert_properties(const cJSON *properties, const char *user, const char *id, const char *causation) {
  char source[128];
  (void)snprintf(source, sizeof source, "/%s", user);
  assert_text(properties, "type", "order.place.v1");
  assert_text(properties, "message_id", id);
  assert_text(properties, "user_id", user);
  assert_text(properties, "app_id", user);
  assert_text(properties, "content_type", "application/json");
  assert_text(properties, "reply_to", "edge.reply.1");
  assert_int_equal(cJSON_GetObjectItemCaseSensitive(properties, "delivery_mode")->valueint, 2);
  assert_int_equal(cJSON_GetObjectItemCaseSensitive(properties, "timestamp")->valueint, 1700000000);
  const cJSON *headers = cJSON_GetObjectItemCaseSensitive(properties, "headers");
  assert_text(headers, "traceparent", "00-01000000000000000000000000000000-0200000000000000-01");
  assert_text(headers, "causation-id", causation);
  assert_int_equal(cJSON_GetObjectItemCaseSensitive(headers, "bus-attempt")->valueint, 2);
  assert_text(headers, "bus-first-failed", "2023-11-14T22:13:20.000Z");
  assert_text(headers, "bus-cause", "because");
  assert_text(headers, "bus-cause-class", "BUS_E_DECODE");
  assert_text(headers, "cloudEvents:specversion", "1.0");
  assert_text(headers, "cloudEvents:id", id);
  assert_text(headers, "cloudEvents:source", source);
  assert_text(headers, "cloudEvents:type", "order.place.v1");
}

TEST(publish_envelope_reaches_the_broker_as_designed)
{
  char vhost[64], id[BUS_UUID_TEXT], causation[BUS_UUID_TEXT];
  struct link *link = link_open(fresh_vhost(vhost, sizeof vhost));
  declare_bound_queue(link, BUS_EXCHANGE_EVENT, "wire");
  assert_true(bus_amqp_confirm(link->amqp, &link->err));
  struct bus_envelope envelope = {.type = BUS_STR("order.place.v1"),
                                  .message_id = next_id(),
                                  .correlation_id = next_id(),
                                  .causation_id = next_id(),
                                  .reply_to = BUS_STR("edge.reply.1"),
                                  .timestamp = 1700000000 * BUS_SECOND,
                                  .attempt = 2,
                                  .first_failed_at = 1700000000 * BUS_SECOND,
                                  .trace = {.trace_id = {1}, .span_id = {2}, .flags = 1}};
  struct bus_publication publication = {.exchange = BUS_EXCHANGE_EVENT,
                                        .key = BUS_STR("wire"),
                                        .mandatory = true,
                                        .envelope = &envelope,
                                        .body = BUS_STR("{\"a\":1}"),
                                        .cause = BUS_STR("because"),
                                        .cause_class = BUS_STR("BUS_E_DECODE")};
  uint64_t seq;
  assert_true(bus_amqp_publish(link->amqp, &publication, &seq, &link->err));
  link_await(link, SEEN_ACK, 1, 5000);
  bus_uuid_format(&envelope.message_id, id);
  bus_uuid_format(&envelope.causation_id, causation);
  cJSON *messages = message_as_the_broker_has_it(vhost, "wire");
  const cJSON *message = cJSON_GetArrayItem(messages, 0);
  assert_text(message, "payload", "{\"a\":1}");
  assert_properties(cJSON_GetObjectItemCaseSensitive(message, "properties"), bus_amqp_user(link->amqp), id, causation);
  cJSON_Delete(messages);
  link_close(link);
}

/* ---- the connection as the broker sees it ---- */

static const cJSON *connection_named(const cJSON *connections, const char *name) {
  const cJSON *connection;
  cJSON_ArrayForEach(connection, connections) {
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(connection, "client_properties");
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(properties, "connection_name");
    if (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0)
      return properties;
  }
  return NULL;
}

TEST(publish_connection_announces_what_it_understands)
{
  static const char *const capabilities[] = {"consumer_cancel_notify", "connection.blocked", "publisher_confirms",
                                             "basic.nack"};
  static char answer[1 << 20];
  const char *name = fresh_name("named");
  struct link *link = link_open_as(test_url(), name, 60);
  const cJSON *properties = NULL;
  cJSON *connections = NULL;
  for (int i = 0; i < 100 && properties == NULL; i++) { /* the API's view is some seconds old */
    cJSON_Delete(connections);
    assert_true(link_pump_for(link, 200));
    assert_int_equal(manage("GET", "connections", NULL, answer, sizeof answer), 200);
    connections = cJSON_Parse(answer);
    properties = connection_named(connections, name);
  }
  assert_non_null(properties);
  assert_text(properties, "product", "orderbus");
  const cJSON *announced = cJSON_GetObjectItemCaseSensitive(properties, "capabilities");
  for (size_t i = 0; i < BUS_COUNT(capabilities); i++)
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(announced, capabilities[i])));
  cJSON_Delete(connections);
  link_close(link);
}

TEST(publish_wrong_password_is_refused_for_good)
{
  char url[512];
  const char *at = strchr(test_url(), '@');
  (void)snprintf(url, sizeof url, "amqp://admin:wr0ng-password%s", at);
  struct bus_amqp_settings settings = {.url = url};
  struct bus_amqp *amqp;
  struct bus_error err;
  assert_false(bus_amqp_open(&settings, &amqp, &err));
  assert_int_equal(err.code, BUS_E_AMQP_REFUSED);
  assert_non_null(strstr(err.text, "403"));
  assert_null(strstr(err.text, "wr0ng"));
}

TEST(publish_missing_vhost_is_refused_for_good)
{
  char url[512];
  size_t host = strcspn(strchr(test_url(), '@'), "/") + (size_t)(strchr(test_url(), '@') - test_url());
  (void)snprintf(url, sizeof url, "%.*s/no-such-vhost", (int)host, test_url());
  struct bus_amqp_settings settings = {.url = url};
  struct bus_amqp *amqp;
  struct bus_error err;
  assert_false(bus_amqp_open(&settings, &amqp, &err));
  assert_int_equal(err.code, BUS_E_AMQP_REFUSED);
}
