/* The client against servers that answer, hang, cut, flood and lead astray. */
#include <bus/clock.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_driver.h"
#include "fixture.h"
#include "odd_server.h"
#include "test.h"

/* One POST to a server that behaves so. */
static struct driven *call_odd(odd_behaviour *behaviour) {
  static struct driven driven;
  struct odd_server *server = odd_server_start(behaviour);
  struct bus_http_client *client = driven_client_quick();
  driven_start(client, "POST", driven_url(odd_server_port(server), "/x"), "{}", &driven);
  drive(client, DRIVE_ROOM, 5000);
  assert_int_equal(driven.done, 1);
  assert_int_equal(bus_http_client_pending(client), 0);
  bus_http_client_free(client);
  odd_server_stop(server);
  return &driven;
}

static void assert_unknown(odd_behaviour *behaviour) {
  struct driven *driven = call_odd(behaviour);
  assert_int_equal(driven->outcome, BUS_HTTP_UNKNOWN);
  assert_true(driven->error[0] != '\0');
  assert_int_equal(driven->body_len, 0);
}

TEST(an_answer_arrives)
{
  static struct driven driven;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  struct bus_http_client *client = driven_client_quick();
  driven_start(client, "POST", driven_url(fixture.port, "/echo"), "{\"a\":1}", &driven);
  assert_int_equal(bus_http_client_pending(client), 1);
  drive(client, DRIVE_ROOM, 5000);
  assert_int_equal(driven.outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven.status, 200);
  assert_string_equal(driven.body, "{\"a\":1}");
  assert_int_equal(driven.retry_after_s, -1);
  assert_true(driven.duration > 0 && driven.duration < BUS_SECOND);
  driven_start(client, "GET", driven_url(fixture.port, "/item/7"), NULL, &driven);
  drive(client, DRIVE_ROOM, 5000);
  assert_string_equal(driven.body, "7");
  driven_start(client, "DELETE", driven_url(fixture.port, "/item/7"), NULL, &driven);
  drive(client, DRIVE_ROOM, 5000);
  assert_int_equal(driven.status, 204);
  assert_int_equal(driven.outcome, BUS_HTTP_ANSWERED);
  bus_http_client_free(client);
  fixture_stop(&fixture);
}

TEST(an_answer_that_is_an_error_has_its_body)
{
  static struct driven driven;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  struct bus_http_client *client = driven_client_quick();
  driven_start(client, "GET", driven_url(fixture.port, "/problems"), NULL, &driven);
  drive(client, DRIVE_ROOM, 5000);
  assert_int_equal(driven.outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven.status, 400);
  assert_non_null(strstr(driven.body, "\"errors\""));
  bus_http_client_free(client);
  fixture_stop(&fixture);
}

static char seen_request[8192];

static void remember(int fd, const char *request) {
  snprintf(seen_request, sizeof seen_request, "%s", request);
  odd_send(fd, "HTTP/1.1 429 Too Many\r\nRetry-After: 17\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(headers_and_body_are_sent_as_given)
{
  struct driven *driven = call_odd(remember);
  assert_int_equal(driven->outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven->status, 429);
  assert_int_equal(driven->retry_after_s, 17);
  assert_int_equal(strncmp(seen_request, "POST /x HTTP/1.1\r\n", 18), 0);
  assert_non_null(strstr(seen_request, "\r\nIdempotency-Key: charge-1\r\n"));
  assert_non_null(strstr(seen_request, "\r\nContent-Type: application/json\r\n"));
  assert_non_null(strstr(seen_request, "\r\nContent-Length: 2\r\n"));
  assert_null(strstr(seen_request, "Expect"));
  assert_null(strstr(seen_request, "urlencoded"));
}

static void answer_late_date(int fd, const char *request) {
  (void)request;
  odd_send(fd, "HTTP/1.1 503 X\r\nRetry-After: Wed, 21 Oct 2099 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n");
}

TEST(a_retry_after_that_is_a_date_is_none)
{
  struct driven *driven = call_odd(answer_late_date);
  assert_int_equal(driven->status, 503);
  assert_int_equal(driven->retry_after_s, -1);
}

static void hang(int fd, const char *request) {
  char c;
  (void)request;
  while (recv(fd, &c, 1, 0) > 0)
    continue;
}

TEST(a_server_that_hangs_is_unknown_after_the_read_timeout)
{
  struct driven *driven = call_odd(hang);
  assert_int_equal(driven->outcome, BUS_HTTP_UNKNOWN);
  assert_true(driven->duration >= 380000 && driven->duration < 1200000);
}

static void drip(int fd, const char *request) {
  (void)request;
  odd_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 40; i++) {
    odd_send(fd, "x");
    usleep(100000);
  }
}

TEST(a_server_that_drips_is_unknown_after_the_total_timeout)
{
  struct driven *driven = call_odd(drip);
  assert_int_equal(driven->outcome, BUS_HTTP_UNKNOWN);
  assert_true(driven->duration >= 1400000 && driven->duration < 2500000);
}

static void cut(int fd, const char *request) {
  (void)fd;
  (void)request;
}

static void cut_in_head(int fd, const char *request) {
  (void)request;
  odd_send(fd, "HTTP/1.1 200 OK\r\nContent-Le");
}

static void cut_in_body(int fd, const char *request) {
  (void)request;
  odd_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of");
}

static void cut_in_chunk(int fd, const char *request) {
  (void)request;
  odd_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10\r\nabc");
}

static void answer_with_trailers(int fd, const char *request) {
  (void)request;
  odd_send(fd, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
               "2\r\n{}\r\n0\r\nX: y\r\n\r\n");
}

TEST(interim_answers_and_trailers_are_passed_over)
{
  struct driven *driven = call_odd(answer_with_trailers);
  assert_int_equal(driven->outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven->status, 200);
  assert_string_equal(driven->body, "{}");
}

static void talk_nonsense(int fd, const char *request) {
  (void)request;
  odd_send(fd, "SSH-2.0-OpenSSH_9.2\r\n");
}

TEST(a_cut_link_is_unknown)
{
  assert_unknown(cut);
  assert_unknown(cut_in_head);
  assert_unknown(cut_in_body);
  assert_unknown(cut_in_chunk);
}

TEST(nonsense_is_unknown)
{ assert_unknown(talk_nonsense); }

static void flood(int fd, const char *request) {
  static char text[100001];
  (void)request;
  memset(text, 'x', sizeof text - 1);
  odd_send(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  odd_send(fd, text);
}

static void flood_in_chunks(int fd, const char *request) {
  char chunk[1100];
  memset(chunk, 'y', sizeof chunk);
  memcpy(chunk, "400\r\n", 5);
  memcpy(chunk + 5 + 1024, "\r\n", 3);
  (void)request;
  odd_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 200; i++)
    odd_send(fd, chunk);
  odd_send(fd, "0\r\n\r\n");
}

static void announce_flood(int fd, const char *request) {
  (void)request;
  odd_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\nxxx");
  usleep(300000);
}

TEST(p3_an_answer_over_the_cap_is_unknown)
{
  assert_unknown(flood);
  assert_unknown(flood_in_chunks);
  assert_unknown(announce_flood);
  assert_non_null(strstr(call_odd(flood)->error, "larger"));
}

static void fill(int fd, const char *request) {
  static char text[65537];
  (void)request;
  memset(text, 'x', sizeof text - 1);
  odd_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n");
  odd_send(fd, text);
}

TEST(p3_an_answer_at_the_cap_is_taken)
{
  struct driven *driven = call_odd(fill);
  assert_int_equal(driven->outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven->body_len, 65536);
}

static struct odd_server *elsewhere;

static void redirect(int fd, const char *request) {
  char answer[256];
  (void)request;
  snprintf(answer, sizeof answer,
           "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/secret\r\nContent-Length: 0\r\n\r\n",
           odd_server_port(elsewhere));
  odd_send(fd, answer);
}

TEST(p1_a_redirect_is_not_followed)
{
  elsewhere = odd_server_start(remember);
  struct driven *driven = call_odd(redirect);
  assert_int_equal(driven->outcome, BUS_HTTP_ANSWERED);
  assert_int_equal(driven->status, 302);
  assert_int_equal(odd_server_connections(elsewhere), 0);
  odd_server_stop(elsewhere);
}

TEST(p1_a_proxy_of_the_environment_is_ignored)
{
  elsewhere = odd_server_start(remember);
  char proxy[64];
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", odd_server_port(elsewhere));
  setenv("http_proxy", proxy, 1);
  setenv("all_proxy", proxy, 1);
  struct driven *driven = call_odd(fill);
  assert_int_equal(driven->status, 200);
  assert_int_equal(odd_server_connections(elsewhere), 0);
  odd_server_stop(elsewhere);
}

static struct driven *call_url(struct bus_http_client *client, const char *url) {
  static struct driven driven;
  driven_start(client, "POST", url, "{}", &driven);
  drive(client, DRIVE_ROOM, 5000);
  assert_int_equal(driven.done, 1);
  bus_http_client_free(client);
  return &driven;
}

TEST(what_cannot_be_reached_was_not_sent)
{
  struct odd_server *server = odd_server_start(hang);
  int closed_port = odd_server_port(server);
  odd_server_stop(server);
  assert_int_equal(call_url(driven_client_quick(), driven_url(closed_port, "/"))->outcome, BUS_HTTP_NOT_SENT);
  assert_int_equal(call_url(driven_client_quick(), "http://no-such-host.invalid/")->outcome, BUS_HTTP_NOT_SENT);
  assert_int_equal(call_url(driven_client_quick(), "ftp://127.0.0.1/")->outcome, BUS_HTTP_NOT_SENT);
  assert_int_equal(call_url(driven_client_quick(), "file:///etc/passwd")->outcome, BUS_HTTP_NOT_SENT);
  assert_int_equal(call_url(driven_client_quick(), "not a url")->outcome, BUS_HTTP_NOT_SENT);
}

TEST(p1_plain_http_is_refused_unless_allowed)
{
  struct odd_server *server = odd_server_start(remember);
  const struct bus_http_client_settings settings = {.allow_plain = false};
  struct bus_http_client *client;
  struct bus_error err;
  assert_true(bus_http_client_new(&settings, &client, &err));
  assert_int_equal(call_url(client, driven_url(odd_server_port(server), "/"))->outcome, BUS_HTTP_NOT_SENT);
  assert_int_equal(odd_server_connections(server), 0);
  odd_server_stop(server);
}

TEST(a_listener_that_accepts_nobody_is_not_sent_after_the_connect_timeout)
{
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  int fillers[8], listener = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(listener, 0), 0);
  assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
  for (size_t i = 0; i < BUS_COUNT(fillers); i++) {
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(connect(fillers[i], (const struct sockaddr *)&address, sizeof address) != 1);
  }
  usleep(50000);
  struct driven *driven = call_url(driven_client_quick(), driven_url(ntohs(address.sin_port), "/"));
  assert_int_equal(driven->outcome, BUS_HTTP_NOT_SENT);
  assert_true(driven->duration >= 400000 && driven->duration < 1500000);
  for (size_t i = 0; i < BUS_COUNT(fillers); i++)
    close(fillers[i]);
  close(listener);
}

TEST(line_breaks_are_refused_before_anything_is_sent)
{
  struct bus_http_client *client = driven_client_quick();
  struct bus_error err;
  static struct driven driven;
  const char *const headers[] = {"X: a\r\nY: b", NULL};
  const struct bus_http_call split = {.method = "GET", .url = "http://127.0.0.1/", .headers = headers};
  const struct bus_http_call method = {.method = "GET / HTTP/1.1\r\nX:", .url = "http://127.0.0.1/"};
  const struct bus_http_call url = {.method = "GET", .url = "http://127.0.0.1/\r\nX: y"};
  assert_false(bus_http_client_start(client, &split, driven_done, &driven, &err));
  assert_int_equal(err.code, BUS_E_INVALID);
  assert_false(bus_http_client_start(client, &method, driven_done, &driven, &err));
  assert_false(bus_http_client_start(client, &url, driven_done, &driven, &err));
  assert_int_equal(bus_http_client_pending(client), 0);
  bus_http_client_free(client);
}
