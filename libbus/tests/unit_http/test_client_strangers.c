/* The client for URLs that strangers choose: addresses that it may not connect to, and answers that it cuts. */
#include <stdio.h>

#include "client_driver.h"
#include "odd_server.h"
#include "test.h"

struct asked {
  int times;
  bool allows;
  struct bus_address last;
};

static bool note(void *context, const struct bus_address *address) {
  struct asked *asked = context;
  asked->times++;
  asked->last = *address;
  return asked->allows;
}

static int served;

static void serve(int fd, const char *request) {
  (void)request;
  served++;
  odd_send(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 12\r\n\r\nhello, world");
}

/* Calls a server at this host, twice. */
static struct driven *call(const char *host, struct asked *asked, bool cuts) {
  static struct driven driven;
  char url[64];
  struct odd_server *server = odd_server_start(serve);
  struct bus_http_client *client = driven_client((struct bus_http_client_settings){
      .connect_timeout_ms = 500, .max_response = 5, .cut_response = cuts, .may_connect = note, .context = asked});
  served = 0;
  snprintf(url, sizeof url, "http://%s:%d/x", host, odd_server_port(server));
  for (int i = 0; i < 2; i++) {
    driven_start(client, "POST", url, "{}", &driven);
    drive(client, DRIVE_ROOM, 5000);
  }
  bus_http_client_free(client);
  odd_server_stop(server);
  return &driven;
}

TEST(p6_an_address_that_is_refused_is_not_connected_to)
{
  static const char *const hosts[] = {"127.0.0.1", "localhost"};
  struct bus_address loopback;
  assert_true(bus_address_parse(BUS_STR("127.0.0.1"), &loopback));
  for (size_t i = 0; i < BUS_COUNT(hosts); i++) {
    struct asked asked = {.allows = false};
    struct driven *driven = call(hosts[i], &asked, true);
    assert_int_equal(driven->outcome, BUS_HTTP_NOT_SENT);
    assert_string_equal(driven->error, "the address may not be connected to");
    assert_int_equal(served, 0);
    assert_true(asked.times >= 2);
    if (i == 0) /* localhost may be ::1, too */
      assert_memory_equal(&asked.last, &loopback, sizeof loopback);
  }
}

TEST(p6_each_connect_asks)
{
  struct asked asked = {.allows = true};
  struct driven *driven = call("127.0.0.1", &asked, true);
  assert_int_equal(driven->status, 200);
  assert_int_equal(served, 2);
  assert_int_equal(asked.times, 2);
}

TEST(p6_a_long_answer_is_cut)
{
  struct asked asked = {.allows = true};
  struct driven *driven = call("127.0.0.1", &asked, true);
  assert_int_equal(driven->outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven->status, 200);
  assert_string_equal(driven->body, "hello");
  driven = call("127.0.0.1", &asked, false);
  assert_int_equal(driven->outcome, BUS_HTTP_UNKNOWN);
}
