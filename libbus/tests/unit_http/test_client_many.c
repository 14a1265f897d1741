/* The client with several calls at once, and what it costs to wait. */
#include <bus/clock.h>

#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_driver.h"
#include "fixture.h"
#include "odd_server.h"
#include "test.h"

static void hang(int fd, const char *request) {
  char c;
  (void)request;
  while (recv(fd, &c, 1, 0) > 0)
    continue;
}

TEST(a_free_cuts_what_is_under_way)
{
  static struct driven driven[5];
  struct odd_server *server = odd_server_start(hang);
  struct bus_http_client *client = driven_client_quick();
  for (size_t i = 0; i < BUS_COUNT(driven); i++)
    driven_start(client, "POST", driven_url(odd_server_port(server), "/"), "{}", &driven[i]);
  drive(client, DRIVE_ROOM, 100);
  bus_http_client_free(client);
  bus_http_client_free(NULL);
  for (size_t i = 0; i < BUS_COUNT(driven); i++)
    assert_int_equal(driven[i].done, 0);
  odd_server_stop(server);
}

static atomic_bool may_answer;

static void answer_late(int fd, const char *request) {
  (void)request;
  while (!atomic_load(&may_answer))
    usleep(5000);
  odd_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
}

static void run_many(size_t room, int max_connections, int expected_connections) {
  static struct driven driven[20];
  struct odd_server *server = odd_server_start(answer_late);
  struct bus_http_client *client = driven_client((struct bus_http_client_settings){
      .max_connections = max_connections, .read_timeout_ms = 20000, .total_timeout_ms = 20000});
  for (size_t i = 0; i < BUS_COUNT(driven); i++)
    driven_start(client, "POST", driven_url(odd_server_port(server), "/"), "{}", &driven[i]);
  for (int i = 0; i < 100 && odd_server_requests(server) < expected_connections; i++)
    drive(client, room, 20);
  drive(client, room, 100);
  assert_int_equal(odd_server_connections(server), expected_connections);
  atomic_store(&may_answer, true);
  drive(client, room, 20000);
  for (size_t i = 0; i < BUS_COUNT(driven); i++) {
    assert_int_equal(driven[i].done, 1);
    assert_int_equal(driven[i].status, 200);
  }
  bus_http_client_free(client);
  odd_server_stop(server);
}

TEST(calls_run_side_by_side)
{ run_many(DRIVE_ROOM, 0, 20); }

TEST(calls_over_the_limit_wait_for_a_connection)
{ run_many(DRIVE_ROOM, 4, 4); }

TEST(a_poll_set_with_too_little_room_is_slower_but_works)
{ run_many(3, 0, 20); }

static void answer_one_hang_one(int fd, const char *request) {
  if (strncmp(request, "POST /hang", 10) == 0)
    hang(fd, request);
  else
    odd_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
}

TEST(a_hanging_call_does_not_hold_up_another)
{
  static struct driven slow, quick;
  struct odd_server *server = odd_server_start(answer_one_hang_one);
  struct bus_http_client *client = driven_client_quick();
  driven_start(client, "POST", driven_url(odd_server_port(server), "/hang"), "{}", &slow);
  driven_start(client, "POST", driven_url(odd_server_port(server), "/quick"), "{}", &quick);
  drive(client, DRIVE_ROOM, 5000);
  assert_int_equal(quick.outcome, BUS_HTTP_ANSWERED);
  assert_true(quick.duration < 200000);
  assert_int_equal(slow.outcome, BUS_HTTP_UNKNOWN);
  bus_http_client_free(client);
  odd_server_stop(server);
}

static struct bus_http_client *chained_client;
static struct driven chained;
static char chained_url[256];

static void start_another(void *context, const struct bus_http_result *result) {
  driven_done(context, result);
  driven_start(chained_client, "POST", chained_url, "{}", &chained);
}

TEST(a_callback_may_start_another_call)
{
  static struct driven first;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  struct bus_error err;
  static const char *const headers[] = {"Content-Type: application/json", NULL};
  chained_client = driven_client_quick();
  snprintf(chained_url, sizeof chained_url, "%s", driven_url(fixture.port, "/echo"));
  const struct bus_http_call call = {.method = "POST", .url = chained_url, .body = BUS_STR("1"), .headers = headers};
  assert_true(bus_http_client_start(chained_client, &call, start_another, &first, &err));
  drive(chained_client, DRIVE_ROOM, 5000);
  assert_string_equal(first.body, "1");
  assert_string_equal(chained.body, "{}");
  bus_http_client_free(chained_client);
  fixture_stop(&fixture);
}

TEST(connections_are_used_again)
{
  static struct driven driven;
  struct fixture fixture = fixture_start((struct bus_http_settings){.metrics_name = "t"});
  struct bus_http_client *client = driven_client_quick();
  for (int i = 0; i < 20; i++) {
    driven_start(client, "GET", driven_url(fixture.port, "/item/7"), NULL, &driven);
    drive(client, DRIVE_ROOM, 5000);
    assert_int_equal(driven.status, 200);
  }
  bus_http_client_free(client);
  fixture_stop(&fixture);
}

static void answer_once_then_cut(int fd, const char *request) {
  char c;
  (void)request;
  odd_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
  if (recv(fd, &c, 1, 0) > 0) /* the second request dies before any byte of an answer: curl sends it again (F13) */
    return;
}

TEST(curls_own_repeat_carries_the_same_key)
{
  static struct driven driven;
  struct odd_server *server = odd_server_start(answer_once_then_cut);
  struct bus_http_client *client = driven_client_quick();
  for (int i = 0; i < 2; i++) {
    driven_start(client, "POST", driven_url(odd_server_port(server), "/x"), "{}", &driven);
    drive(client, DRIVE_ROOM, 5000);
    assert_int_equal(driven.outcome, BUS_HTTP_ANSWERED);
  }
  assert_int_equal(odd_server_connections(server), 2);
  bus_http_client_free(client);
  odd_server_stop(server);
}

TEST(an_idle_client_asks_for_nothing)
{
  struct bus_http_client *client = driven_client_quick();
  struct bus_poll_source source = bus_http_client_source(client);
  int timeout_ms = -1;
  assert_int_equal(source.prepare(source.context, NULL, 0, &timeout_ms), 0);
  assert_int_equal(timeout_ms, -1);
  source.dispatch(source.context, NULL, 0);
  bus_http_client_free(client);
}

static int64_t cpu_microseconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * BUS_SECOND + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

TEST(waiting_for_an_answer_costs_no_time)
{
  static struct driven driven;
  struct odd_server *server = odd_server_start(hang);
  struct bus_http_client *client =
      driven_client((struct bus_http_client_settings){.read_timeout_ms = 1500, .total_timeout_ms = 3000});
  driven_start(client, "POST", driven_url(odd_server_port(server), "/"), "{}", &driven);
  drive(client, DRIVE_ROOM, 100);
  int64_t before = cpu_microseconds();
  drive(client, DRIVE_ROOM, 4000);
  assert_int_equal(driven.done, 1);
  assert_true(cpu_microseconds() - before < 100000);
  bus_http_client_free(client);
  odd_server_stop(server);
}
