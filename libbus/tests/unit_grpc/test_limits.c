/* Calls that the gRPC server refuses, and connections that it ends. */
#include "fixture.h"
#include "test.h"

#include <bus/clock.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bus_grpc_server *server;
static struct client *client;

static void start_with(struct bus_grpc_settings settings) {
  server = fixture_start(&settings);
  client = client_open(bus_grpc_server_port(server));
}

static void stop(void) {
  client_close(client);
  bus_grpc_server_stop(server);
}

static void assert_refused(const struct client_call *call, const char *code, const char *message) {
  start_with(fixture_settings());
  const struct client_answer *answer = client_wait(client, client_send(client, call), 5000);
  assert_string_equal(answer->code, code);
  assert_string_equal(answer->message, message);
  assert_true(answer->is_closed);
  assert_int_equal(fixture_handled(), 0);
  assert_string_equal(fixture_call(client, "/t.T/Echo", "next")->code, "0"); /* of the same connection */
  stop();
}

TEST(a_message_over_the_limit)
{
  assert_refused(&(struct client_call){.path = "/t.T/Echo", .body = {"\0\0\0\3\xE9", 5}, .stays_open = true}, "8",
                 "the message is larger than this server takes");
}

TEST(a_compressed_message)
{
  assert_refused(&(struct client_call){.path = "/t.T/Echo", .body = {"\1\0\0\0\1a", 6}}, "12",
                 "messages must not be compressed: grpc-encoding identity");
}

TEST(a_coding_that_is_not_identity)
{
  assert_refused(
      &(struct client_call){.path = "/t.T/Echo", .more = {{"grpc-encoding", "gzip"}}, .body = {"\0\0\0\0\0", 5}}, "12",
      "messages must not be compressed: grpc-encoding identity");
}

TEST(half_a_message)
{
  assert_refused(&(struct client_call){.path = "/t.T/Echo", .body = {"\0\0\0\0\5hel", 8}}, "13",
                 "the call ends within its message");
}

TEST(no_message)
{
  assert_refused(&(struct client_call){.path = "/t.T/Echo", .body = {"", 0}}, "13", "the call ends within its message");
}

TEST(two_messages)
{
  assert_refused(&(struct client_call){.path = "/t.T/Echo", .body = {"\0\0\0\0\0\0\0\0\0\0", 10}}, "12",
                 "this method takes one message");
}

TEST(a_malformed_prefix)
{
  assert_refused(&(struct client_call){.path = "/t.T/Echo", .body = {"{}     ", 7}}, "13",
                 "a message does not begin with 0 or 1 and its length");
}

TEST(a_malformed_timeout)
{
  assert_refused(
      &(struct client_call){.path = "/t.T/Echo", .more = {{"grpc-timeout", "soon"}}, .body = {"\0\0\0\0\0", 5}}, "3",
      "grpc-timeout must be 1 to 8 digits and one of H, M, S, m, u, n");
}

TEST(too_many_headers)
{
  struct client_call call = {.path = "/t.T/Echo", .body = {"\0\0\0\0\0", 5}};
  for (int i = 0; i < 40; i++)
    call.more[i] = (struct client_header){"x-many", "v"};
  assert_refused(&call, "8", "the metadata is larger than 8 KiB or 40 fields");
}

TEST(large_headers)
{
  static char value[8200];
  memset(value, 'v', sizeof value - 1);
  assert_refused(&(struct client_call){.path = "/t.T/Echo", .more = {{"x-large", value}}, .body = {"\0\0\0\0\0", 5}},
                 "8", "the metadata is larger than 8 KiB or 40 fields");
}

TEST(a_message_that_does_not_come_in_time)
{
  struct bus_grpc_settings settings = fixture_settings();
  settings.message_ms = 300;
  start_with(settings);
  int stream =
      client_send(client, &(struct client_call){.path = "/t.T/Echo", .body = {"\0\0\0\0\5he", 7}, .stays_open = true});
  const struct client_answer *answer = client_wait(client, stream, 5000);
  assert_string_equal(answer->code, "4");
  assert_string_equal(answer->message, "the message did not come in time");
  stop();
}

TEST(more_connections_of_an_address_than_allowed)
{
  struct bus_grpc_settings settings = fixture_settings();
  settings.address_connections = 1;
  start_with(settings);
  assert_string_equal(fixture_call(client, "/t.T/Echo", "x")->code, "0");
  struct client *second = client_open(bus_grpc_server_port(server));
  client_run(second, 1000);
  assert_true(client_is_gone(second));
  client_close(second);
  stop();
}

TEST(an_idle_connection_ends_with_goaway)
{
  struct bus_grpc_settings settings = fixture_settings();
  settings.idle_ms = 300;
  start_with(settings);
  assert_string_equal(fixture_call(client, "/t.T/Echo", "x")->code, "0");
  client_run(client, 4000);
  assert_true(client_is_gone(client));
  assert_int_equal(client_goaway_error(client), 0);
  stop();
}

/* A client that goes on sending may lose the last bytes for it. */
static void assert_calmed(void) {
  enum { ENHANCE_YOUR_CALM = 11 };
  client_run(client, 2000);
  assert_true(client_is_gone(client));
  assert_true(client_goaway(client) == -1 || client_goaway_error(client) == ENHANCE_YOUR_CALM);
}

TEST(a_flood_of_resets_ends_the_connection)
{
  start_with(fixture_settings());
  for (int i = 0; i < 450 && !client_is_gone(client); i++) {
    client_reset(client, client_send(client, &(struct client_call){.path = "/t.T/Wait", .body = fixture_framed("x")}));
    if (i % 10 == 0) /* fast enough on a busy machine, too */
      client_run(client, 1);
  }
  assert_calmed();
  stop();
}

TEST(a_flood_of_pings_ends_the_connection)
{
  start_with(fixture_settings());
  for (int i = 0; i < 3000 && !client_is_gone(client); i++) {
    client_ping(client);
    if (i % 50 == 0)
      client_run(client, 1);
  }
  assert_calmed();
  stop();
}

static int connect_raw(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)bus_grpc_server_port(server)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const struct timeval patience = {.tv_sec = 3};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  return fd;
}

TEST(a_client_of_http_1_loses_its_connection)
{
  static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  char bytes[512];
  ssize_t len;
  start_with(fixture_settings());
  int fd = connect_raw();
  assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
  while ((len = recv(fd, bytes, sizeof bytes, 0)) > 0)
    continue;
  assert_int_equal(len, 0);
  (void)close(fd);
  assert_string_equal(fixture_call(client, "/t.T/Echo", "x")->code, "0");
  stop();
}

/* Every kind of frame with random bytes, behind a right beginning: no call is begun, and the server lives. */
TEST(random_frames_do_no_harm)
{
  static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  start_with(fixture_settings());
  unsigned seed = 1;
  for (int round = 0; round < 300; round++) {
    int fd = connect_raw();
    (void)send(fd, preface, sizeof preface - 1, MSG_NOSIGNAL);
    for (int frame = 0; frame < 4; frame++) {
      uint8_t bytes[9 + 64];
      size_t len = (size_t)rand_r(&seed) % 64;
      for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)rand_r(&seed);
      bytes[0] = bytes[1] = 0;
      bytes[2] = (uint8_t)len;
      bytes[3] = (uint8_t)(rand_r(&seed) % 11);
      bytes[5] = bytes[6] = bytes[7] = 0;
      bytes[8] = (uint8_t)(rand_r(&seed) % 4);
      (void)send(fd, bytes, 9 + len, MSG_NOSIGNAL);
    }
    (void)close(fd);
  }
  assert_string_equal(fixture_call(client, "/t.T/Echo", "x")->code, "0");
  assert_int_equal(fixture_handled(), 1);
  stop();
}
