/* The operator's program bus-send against a real broker: what it sends, what it refuses, and what it says. */
#include "amqp_fixture.h"
#include "amqp_program.h"

#include <orderbus_topology.h>

#include <stdio.h>

/* bus-send with the URL in its environment, and `input` as its standard input. */
static void send_lines(struct output *ret, const char *url, const char *argument, const char *input) {
  run_program(ret, BUS_SEND, (const char *const[]){"bus-send", argument, NULL}, url, input);
}

#define RELEASE(tail) "{\"order_id\":\"01890000-0000-7000-8000-0000000000" tail "\"}\n"

static struct link *apply_in(char *vhost, size_t size, const char **ret_url) {
  *ret_url = fresh_vhost(vhost, size);
  struct link *link = link_open(*ret_url);
  assert_true(apply_topology(link, &orderbus_topology));
  return link;
}

TEST(send_publishes_each_line_with_a_whole_envelope)
{
  static struct output output;
  char vhost[64];
  const char *url;
  struct link *link = apply_in(vhost, sizeof vhost, &url);
  send_lines(&output, url, "inventory.release.v1", RELEASE("01") "\n  \n" RELEASE("02") RELEASE("03"));
  assert_says(&output, "3 confirmed, 0 returned, 0 nacked, 0 lines refused, 0 unknown\n");
  assert_int_equal(output.status, 0);
  link_consume(link, "inventory-svc", 0, 10);
  link_await(link, SEEN_DELIVERY, 3, 5000);
  const struct bus_delivery *delivery = &link_nth(link, SEEN_DELIVERY, 1)->delivery;
  assert_int_equal(delivery->envelope.correlation_id.bytes[15], 2);
  assert_int_equal(delivery->envelope.message_id.bytes[6] >> 4, 7);
  assert_true(bus_str_is(delivery->envelope.type, "inventory.release.v1"));
  assert_true(bus_str_is(delivery->envelope.app_id, bus_amqp_user(link->amqp)));
  assert_true(bus_trace_is_set(&delivery->envelope.trace));
  assert_true(bus_str_is(delivery->body, "{\"order_id\":\"01890000-0000-7000-8000-000000000002\"}"));
  link_close(link);
}

TEST(send_names_line_and_field_and_sends_nothing_of_a_wrong_line)
{
  static struct output output;
  char vhost[64];
  const char *url;
  struct link *link = apply_in(vhost, sizeof vhost, &url);
  send_lines(&output, url, "inventory.put-product.v1",
             "{\"product_id\":\"A\",\"name\":\"a\",\"price\":1,\"currency\":\"EUR\"}\n"
             "{\"product_id\":\"B\",\"name\":\"b\",\"price\":-1,\"currency\":\"EUR\"}\n"
             "{\"product_id\":\"C\",\"name\":\"c\",\"price\":1,\"currency\":\"EUR\",\"colour\":\"red\"}\n"
             "not json\n"
             "{\"product_id\":\"D\",\"name\":\"d\",\"price\":1,\"currency\":\"EUR\"}");
  assert_says(&output, "line 2: price ");
  assert_says(&output, "line 3: colour ");
  assert_says(&output, "line 4: ");
  assert_says(&output, "2 confirmed, 0 returned, 0 nacked, 3 lines refused, 0 unknown\n");
  assert_int_equal(output.status, 1);
  link_consume(link, "inventory-svc", 0, 10);
  link_await(link, SEEN_DELIVERY, 2, 5000);
  assert_true(link_pump_for(link, 100));
  assert_int_equal(link_count(link, SEEN_DELIVERY), 2);
  link_close(link);
}

TEST(send_says_what_no_queue_takes)
{
  static struct output output;
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  declare_exchanges(link);
  link_close(link);
  send_lines(&output, url, "inventory.release.v1", RELEASE("01") RELEASE("02"));
  assert_says(&output, "line 1: returned: no queue is bound to bus.cmd for inventory.release");
  assert_says(&output, "0 confirmed, 2 returned, 0 nacked");
  assert_int_equal(output.status, 1);
}

TEST(send_says_what_a_full_queue_refuses)
{
  static struct output output;
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  struct bus_declaration queue = queue_of("full"), binding = binding_of(BUS_EXCHANGE_CMD, "inventory.release", "full");
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-max-length", NULL, 1, false};
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-overflow", "reject-publish", 0, false};
  declare_exchanges(link);
  declare(link, &queue);
  declare(link, &binding);
  link_close(link);
  send_lines(&output, url, "inventory.release.v1", RELEASE("01"));
  assert_int_equal(output.status, 0);
  send_lines(&output, url, "inventory.release.v1", RELEASE("02"));
  assert_says(&output, "line 1: nacked: a queue is full");
  assert_int_equal(output.status, 1);
}

TEST(send_says_what_permissions_refuse)
{
  static struct output output;
  char vhost[64];
  const char *url;
  struct link *link = apply_in(vhost, sizeof vhost, &url);
  import_permissions(&orderbus_topology, vhost);
  send_lines(&output, url_of("inventory-svc", vhost), "inventory.release.v1", RELEASE("01"));
  assert_says(&output, "refused by permissions: ");
  assert_says(&output, "403");
  assert_int_equal(output.status, 1);
  send_lines(&output, url_of("operator", vhost), "inventory.put-product.v1",
             "{\"product_id\":\"A\",\"name\":\"a\",\"price\":1,\"currency\":\"EUR\"}\n");
  assert_says(&output, "1 confirmed");
  assert_int_equal(output.status, 0);
  link_close(link);
}

TEST(send_carries_many_lines_through_its_window)
{
  enum { N = 2000 };
  static struct output output;
  static char input[N * 64];
  char vhost[64];
  const char *url;
  struct link *link = apply_in(vhost, sizeof vhost, &url);
  size_t len = 0;
  for (int i = 0; i < N; i++)
    len += (size_t)snprintf(input + len, sizeof input - len, "{\"order_id\":\"01890000-0000-7000-8000-%012d\"}\n", i);
  send_lines(&output, url, "inventory.release.v1", input);
  assert_says(&output, "2000 confirmed, 0 returned");
  assert_int_equal(output.status, 0);
  link_close(link);
}

TEST(send_says_what_is_wrong_with_its_call)
{
  static struct output output;
  send_lines(&output, "amqp://u:hunter2@127.0.0.1:1/v", "inventory.release.v1", "");
  assert_int_equal(output.status, 2);
  assert_null(strstr(output.text, "hunter2"));
  send_lines(&output, "amqp://127.0.0.1", "inventory.release.v1", "");
  assert_int_equal(output.status, 2);
  send_lines(&output, test_url(), "inventory.explode.v1", "");
  assert_says(&output, "no such command or event");
  assert_int_equal(output.status, 2);
  send_lines(&output, test_url(), "order.get.v1", ""); /* a query: nobody would take the answer */
  assert_int_equal(output.status, 2);
  send_lines(&output, NULL, "inventory.release.v1", "");
  assert_says(&output, "RABBITMQ_URL");
  assert_int_equal(output.status, 2);
  send_lines(&output, NULL, "--types", "");
  assert_says(&output, "inventory.put-product.v1 operator\n");
  assert_int_equal(output.status, 0);
  send_lines(&output, NULL, "--help", "");
  assert_says(&output, "usage: bus-send");
  assert_int_equal(output.status, 0);
  send_lines(&output, NULL, "--nonsense", "");
  assert_int_equal(output.status, 2);
}
