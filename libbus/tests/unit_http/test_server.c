/* Tests the server with a well-behaved client: answers, keep-alive, HEAD, streams, and the end of the server. */
#include <bus/clock.h>
#include <bus/metrics.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

#define CLOSE "Host: a\r\nConnection: close\r\n\r\n"

static const struct raw_answer *get(int port, const char *target) {
  char request[1024];
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" CLOSE, target);
  return raw_talk(port, request, 5000);
}

static void assert_shown(int port, const char *target, const char *body) {
  const struct raw_answer *answer = get(port, target);
  assert_int_equal(raw_status(answer), 200);
  assert_string_equal(raw_body(answer), body);
}

TEST(query_parameters_reach_the_handler_decoded)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  assert_shown(fixture.port, "/show?a=1&b=x%20y", "GET a=1 b=x y x-y= unknown=");
  assert_shown(fixture.port, "/show", "GET a=(absent) b=(absent) x-y= unknown=");
  assert_shown(fixture.port, "/show?", "GET a=(absent) b=(absent) x-y= unknown=");
  assert_shown(fixture.port, "/show?a&c=2", "GET a= b=(absent) x-y= unknown=c");
  assert_shown(fixture.port, "/show?%61=%41", "GET a=A b=(absent) x-y= unknown=");
  assert_int_equal(raw_status(get(fixture.port, "/show?a=1&a=2")), 400);
  assert_int_equal(raw_status(get(fixture.port, "/show?a=%zz")), 400);
  assert_int_equal(raw_status(get(fixture.port, "/show?a=%00")), 400);
  fixture_stop(&fixture);
}

TEST(a_header_is_found_in_any_case_and_absent_when_it_stands_twice)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const char *once = "GET /show HTTP/1.1\r\nx-Y: one\r\n" CLOSE,
             *twice = "GET /show HTTP/1.1\r\nX-Y: one\r\nX-Y: two\r\n" CLOSE;
  assert_non_null(strstr(raw_body(raw_talk(fixture.port, once, 5000)), "x-y=one"));
  assert_non_null(strstr(raw_body(raw_talk(fixture.port, twice, 5000)), "x-y= "));
  fixture_stop(&fixture);
}

TEST(a_path_segment_reaches_the_handler)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  assert_shown(fixture.port, "/item/SKU-00001", "SKU-00001");
  fixture_stop(&fixture);
}

#define DECODED "/decoded/018f0000-0000-7000-8000-000000000001"

static const struct raw_answer *post_decoded(int port, const char *target, const char *more, const char *body) {
  static char request[1024];
  snprintf(request, sizeof request,
           "POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n%s"
           "Content-Length: %zu\r\n\r\n%s",
           target, more, strlen(body), body);
  return raw_talk(port, request, 5000);
}

TEST(a_row_s_input_reaches_the_handler_decoded)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *answer =
      post_decoded(fixture.port, DECODED, "Idempotency-Key: \"k\"\r\n", "{\"text\":\"t\"}");
  assert_string_equal(raw_body(answer), "limit=20 key=k text=t hash=64 DATA");
  answer = post_decoded(fixture.port, DECODED "?limit=7", "", "{\"text\":\"t\",\"idempotency_key\":\"j\"}");
  assert_string_equal(raw_body(answer), "limit=7 key=j text=t hash=64 DATA");
  fixture_stop(&fixture);
}

TEST(wrong_fields_of_query_and_body_are_named_in_one_answer_and_reach_no_handler)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  int before = fixture_handled();
  const struct raw_answer *answer =
      post_decoded(fixture.port, DECODED "?limit=0&x=1", "Idempotency-Key: \r\n", "{\"text\":5}");
  assert_int_equal(raw_status(answer), 400);
  static const char *const fields[] = {
      "{\"field\":\"text\",", "{\"field\":\"Idempotency-Key\",",
      ("{\"field\":\"limit\",\"message\":\"must be an integer from 1 to 100\",\"value\":0,"
       "\"allowed\":\"an integer from 1 to 100\"}"),
      "{\"field\":\"\",\"message\":\"has an unknown query "
      "parameter\"}"};
  for (size_t i = 0; i < BUS_COUNT(fields); i++)
    assert_non_null(strstr(raw_body(answer), fields[i]));
  assert_int_equal(fixture_handled(), before);
  fixture_stop(&fixture);
}

TEST(a_path_that_its_field_refuses_is_404)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  int before = fixture_handled();
  const struct raw_answer *answer = post_decoded(fixture.port, "/decoded/x?limit=0", "", "{}");
  assert_int_equal(raw_status(answer), 404);
  assert_non_null(strstr(raw_body(answer), "no such thing"));
  assert_int_equal(fixture_handled(), before);
  fixture_stop(&fixture);
}

TEST(e16_every_answer_carries_the_safe_headers)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  static const char *const targets[] = {"/show", "/nowhere", "/stream", "/silent"};
  for (size_t i = 0; i < BUS_COUNT(targets); i++) {
    const struct raw_answer *answer = get(fixture.port, targets[i]);
    assert_true(raw_has_line(answer, "Cache-Control: no-store"));
    assert_true(raw_has_line(answer, "X-Content-Type-Options: nosniff"));
    assert_non_null(strstr(answer->text, "\r\nDate: "));
    assert_non_null(strstr(answer->text, " GMT\r\n"));
    assert_null(strstr(answer->text, "\r\nServer:"));
  }
  fixture_stop(&fixture);
}

TEST(added_headers_are_sent_and_cannot_split_the_answer)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *answer = get(fixture.port, "/headers");
  assert_int_equal(raw_status(answer), 201);
  assert_int_equal(raw_count(answer), 1);
  assert_true(raw_has_line(answer, "Location: /item/7"));
  assert_null(strstr(answer->text, "Set-Cookie"));
  assert_null(strstr(answer->text, "X-Absent"));
  assert_string_equal(raw_body(answer), "made");
  fixture_stop(&fixture);
}

TEST(problems_name_every_field)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *answer = get(fixture.port, "/problems");
  assert_int_equal(raw_status(answer), 400);
  assert_non_null(strstr(raw_body(answer), "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"));
  assert_non_null(
      strstr(raw_body(answer),
             "\"errors\":[{\"field\":\"items[2].quantity\",\"message\":\"must be an "
             "integer from 1 to 1000\",\"allowed\":\"an integer from 1 to 1000\"},{\"field\":\"name\",\"message\":\"is "
             "\\\"required\\\"\"}]"));
  fixture_stop(&fixture);
}

TEST(problems_for_lack_of_memory_are_not_the_clients)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *answer = get(fixture.port, "/no-memory");
  assert_int_equal(raw_status(answer), 503);
  assert_non_null(strstr(answer->text, "\r\nRetry-After: 1\r\n"));
  fixture_stop(&fixture);
}

TEST(a_handler_that_says_nothing_is_a_500)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  assert_int_equal(raw_status(get(fixture.port, "/silent")), 500);
  fixture_stop(&fixture);
}

TEST(l3_a_trace_is_continued_only_when_it_is_well_formed)
{
  static const char *const bad[] = {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\" evil",
                                    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "x"};
  char request[512];
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *answer = raw_talk(
      fixture.port,
      "GET /trace HTTP/1.1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n" CLOSE, 5000);
  assert_int_equal(strncmp(raw_body(answer), "00-0af7651916cd43dd8448eb211c80319c-", 36), 0);
  assert_null(strstr(raw_body(answer), "b7ad6b7169203331"));
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    snprintf(request, sizeof request, "GET /trace HTTP/1.1\r\ntraceparent: %s\r\n" CLOSE, bad[i]);
    answer = raw_talk(fixture.port, request, 5000);
    assert_int_equal(strlen(raw_body(answer)), 55);
    assert_null(strstr(raw_body(answer), "0af7651916cd43dd"));
  }
  fixture_stop(&fixture);
}

TEST(head_has_the_length_and_no_body)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  int fd = raw_connect(fixture.port);
  const char *two = "HEAD /item/uvw HTTP/1.1\r\nHost: a\r\n\r\nGET /item/xyz HTTP/1.1\r\n" CLOSE;
  raw_send(fd, two, strlen(two));
  raw_read_to_end(fd, 5000, &answer);
  assert_int_equal(raw_count(&answer), 2);
  assert_true(raw_has_line(&answer, "Content-Length: 3"));
  assert_int_equal(strncmp(raw_body(&answer), "HTTP/1.1 200 OK", 15), 0);
  assert_non_null(strstr(answer.text, "xyz"));
  assert_null(strstr(answer.text, "uvw")); /* no hexadecimal digits, as in ids of traces */
  close(fd);
  fixture_stop(&fixture);
}

TEST(no_content_has_neither_length_nor_type)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *answer = raw_talk(fixture.port, "DELETE /item/1 HTTP/1.1\r\n" CLOSE, 5000);
  assert_int_equal(raw_status(answer), 204);
  assert_null(strstr(answer->text, "\r\nContent-"));
  assert_string_equal(raw_body(answer), "");
  fixture_stop(&fixture);
}

TEST(requests_share_a_connection)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  int fd = raw_connect(fixture.port);
  const char *get_request = "GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n";
  const char *post =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n[1,2]";
  for (int i = 0; i < 50; i++) {
    const char *request = i % 2 ? post : get_request;
    raw_send(fd, request, strlen(request));
    raw_read_one(fd, 2000, false, &answer);
    assert_int_equal(raw_status(&answer), 200);
    assert_string_equal(raw_body(&answer), i % 2 ? "[1,2]" : "7");
    assert_null(strstr(answer.text, "Connection:"));
  }
  close(fd);
  fixture_stop(&fixture);
}

TEST(pipelined_requests_are_answered_in_order)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const char *three = "GET /item/one HTTP/1.1\r\nHost: a\r\n\r\n"
                      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\ntwo"
                      "GET /item/three HTTP/1.1\r\n" CLOSE;
  int fd = raw_connect(fixture.port);
  raw_send(fd, three, strlen(three));
  raw_read_to_end(fd, 5000, &answer);
  assert_int_equal(raw_count(&answer), 3);
  const char *one = strstr(answer.text, "one"), *two = strstr(answer.text, "two"), *last = strstr(answer.text, "three");
  assert_true(one && two && last && one < two && two < last);
  close(fd);
  fixture_stop(&fixture);
}

TEST(e14_an_idle_connection_is_closed_after_its_time)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){.idle_ms = 1000});
  int fd = raw_connect(fixture.port);
  const char *request = "GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n";
  raw_send(fd, request, strlen(request));
  raw_read_to_end(fd, 6000, &answer);
  assert_true(answer.closed);
  assert_int_equal(raw_count(&answer), 1);
  assert_true(answer.duration >= 900000 && answer.duration < 2500000);
  close(fd);
  fixture_stop(&fixture);
}

TEST(e14_a_connection_has_its_last_request)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){.requests_per_connection = 3});
  int fd = raw_connect(fixture.port);
  for (int i = 0; i < 5; i++)
    raw_send(fd, "GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n", strlen("GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n"));
  raw_read_to_end(fd, 5000, &answer);
  assert_true(answer.closed);
  assert_int_equal(raw_count(&answer), 3);
  assert_true(raw_has_line(&answer, "Connection: close"));
  close(fd);
  fixture_stop(&fixture);
}

TEST(e14_a_pipelined_request_after_an_error_gets_no_answer)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  assert_refused(fixture.port,
                 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"
                 "GET /show HTTP/1.1\r\nHost: a\r\n\r\n",
                 400);
  assert_refused(fixture.port, "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\nGET /show HTTP/1.1\r\nHost: a\r\n\r\n", 404);
  fixture_stop(&fixture);
}

TEST(http_1_0_closes_unless_it_asks_otherwise)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *once = raw_talk(fixture.port, "GET /item/7 HTTP/1.0\r\nHost: a\r\n\r\n", 5000);
  assert_true(once->closed && once->duration < 500000);
  assert_true(raw_has_line(once, "Connection: close"));
  int fd = raw_connect(fixture.port);
  const char *keep = "GET /item/7 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
  raw_send(fd, keep, strlen(keep));
  raw_read_one(fd, 2000, false, &answer);
  assert_true(raw_has_line(&answer, "Connection: keep-alive"));
  raw_send(fd, keep, strlen(keep));
  raw_read_one(fd, 2000, false, &answer);
  assert_int_equal(raw_status(&answer), 200);
  close(fd);
  fixture_stop(&fixture);
}

TEST(expect_continue_is_answered_before_the_body)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const char *head =
      "POST /echo HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n" CLOSE;
  int fd = raw_connect(fixture.port);
  raw_send(fd, head, strlen(head));
  raw_read_one(fd, 2000, true, &answer);
  assert_int_equal(raw_status(&answer), 100);
  raw_send(fd, "{}", 2);
  raw_read_to_end(fd, 2000, &answer);
  assert_int_equal(raw_status(&answer), 200);
  close(fd);
  fixture_stop(&fixture);
}

TEST(a_body_in_many_packets_is_read_whole)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const char *request =
      "POST /echo HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 10\r\n" CLOSE "0123456789";
  int fd = raw_connect(fixture.port);
  for (const char *c = request; *c != '\0'; c++) {
    raw_send(fd, c, 1);
    if (c[0] == '\n' || c[1] == '\0')
      usleep(2000);
  }
  raw_read_to_end(fd, 3000, &answer);
  assert_string_equal(raw_body(&answer), "0123456789");
  close(fd);
  fixture_stop(&fixture);
}

TEST(a_body_may_hold_any_bytes)
{
  static struct raw_answer answer;
  static const char request[] =
      "POST /echo HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 6\r\n" CLOSE "a\0\r\n\r\n";
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  int fd = raw_connect(fixture.port);
  raw_send(fd, request, sizeof request - 1);
  raw_read_to_end(fd, 3000, &answer);
  assert_memory_equal(raw_body(&answer), "a\0\r\n\r\n", 6);
  close(fd);
  fixture_stop(&fixture);
}

TEST(a_large_answer_arrives_whole)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *answer = get(fixture.port, "/large");
  assert_int_equal(strlen(raw_body(answer)), 200000);
  fixture_stop(&fixture);
}

TEST(a_stream_is_chunked_and_the_connection_goes_on)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  int fd = raw_connect(fixture.port);
  const char *two = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /item/next HTTP/1.1\r\n" CLOSE;
  raw_send(fd, two, strlen(two));
  raw_read_to_end(fd, 5000, &answer);
  assert_true(raw_has_line(&answer, "Transfer-Encoding: chunked"));
  const char *body = raw_body(&answer);
  assert_int_equal(strncmp(body, "6\r\nfirst,\r\nbb8\r\nppp", 19), 0);
  assert_non_null(strstr(body, "ppp\r\n5\r\n,last\r\n0\r\n\r\nHTTP/1.1 200 OK"));
  assert_non_null(strstr(body, "next"));
  close(fd);
  const struct raw_answer *old = raw_talk(fixture.port, "GET /stream HTTP/1.0\r\nHost: a\r\n\r\n", 5000);
  assert_int_equal(strlen(raw_body(old)), 6 + 3000 + 5);
  fixture_stop(&fixture);
}

static void *talk_slowly(void *context) {
  static struct raw_answer answer;
  int fd = raw_connect(*(int *)context);
  const char *request = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
  raw_send(fd, request, strlen(request));
  raw_read_to_end(fd, 5000, &answer);
  close(fd);
  return &answer;
}

TEST(a_stop_lets_a_running_handler_answer)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  pthread_t thread;
  void *result;
  assert_int_equal(pthread_create(&thread, NULL, talk_slowly, &fixture.port), 0);
  while (fixture_handled() == 0)
    usleep(1000);
  int64_t started = bus_monotonic();
  fixture_stop(&fixture);
  assert_true(bus_monotonic() - started < 2 * BUS_SECOND);
  pthread_join(thread, &result);
  assert_int_equal(raw_status(result), 200);
  assert_string_equal(raw_body(result), "slow");
}

static void *hang_until_stopped(void *context) {
  static struct raw_answer answer;
  int fd = raw_connect(*(int *)context);
  const char *request = "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n";
  raw_send(fd, request, strlen(request));
  raw_read_to_end(fd, 10000, &answer);
  close(fd);
  return &answer;
}

TEST(a_long_wait_ends_when_the_server_stops)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  pthread_t thread;
  void *result;
  assert_int_equal(pthread_create(&thread, NULL, hang_until_stopped, &fixture.port), 0);
  usleep(200000);
  int64_t started = bus_monotonic();
  fixture_stop(&fixture);
  assert_true(bus_monotonic() - started < 2 * BUS_SECOND);
  pthread_join(thread, &result);
  assert_string_equal(raw_body(result), "woken");
}

TEST(a_long_wait_ends_when_the_client_goes)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  int fd = raw_connect(fixture.port);
  const char *request = "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n";
  raw_send(fd, request, strlen(request));
  usleep(200000);
  assert_int_equal(fixture_handled(), 0);
  close(fd);
  for (int i = 0; i < 100 && fixture_handled() == 0; i++)
    usleep(10000);
  assert_int_equal(fixture_handled(), 1);
  fixture_stop(&fixture);
}

TEST(a_taken_port_is_named)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  struct bus_http_server *second = NULL;
  struct bus_error err;
  char address[32];
  snprintf(address, sizeof address, "127.0.0.1:%d", fixture.port);
  const struct bus_http_settings settings = {.bind = "127.0.0.1", .port = fixture.port};
  assert_false(bus_http_server_start(&settings, NULL, 0, NULL, &second, &err));
  assert_null(second);
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_non_null(strstr(err.text, address));
  assert_non_null(strstr(err.text, "PORT"));
  assert_non_null(strstr(err.text, "in use"));
  const struct bus_http_settings nonsense = {.bind = "not an address", .port = 1};
  assert_false(bus_http_server_start(&nonsense, NULL, 0, NULL, &second, &err));
  assert_non_null(strstr(err.text, "not an address"));
  fixture_stop(&fixture);
  bus_http_server_stop(NULL);
}

static void append(void *context, struct bus_str text) {
  strncat(context, text.data, text.len);
}

TEST(requests_are_counted_by_pattern_method_and_status)
{
  static char text[65536];
  struct fixture fixture = fixture_start((struct bus_http_settings){.metrics_name = "test"});
  get(fixture.port, "/item/1");
  get(fixture.port, "/item/2");
  get(fixture.port, "/nowhere/1");
  get(fixture.port, "/nowhere/2");
  raw_talk(fixture.port, "FOO /item/1 HTTP/1.1\r\n" CLOSE, 5000);
  raw_talk(fixture.port, "BAR /item/1 HTTP/1.1\r\n" CLOSE, 5000);
  fixture_stop(&fixture);
  bus_metrics_print(BUS_METRICS_TEXT, append, text);
  assert_non_null(
      strstr(text, "http_requests_total{listener=\"test\",method=\"GET\",route=\"/item/{id}\",status=\"200\"} 2\n"));
  assert_non_null(
      strstr(text, "http_requests_total{listener=\"test\",method=\"GET\",route=\"other\",status=\"404\"} 2\n"));
  assert_non_null(
      strstr(text, "http_requests_total{listener=\"test\",method=\"other\",route=\"other\",status=\"405\"} 2\n"));
  assert_non_null(strstr(
      text,
      "http_request_duration_seconds_count{listener=\"test\",method=\"GET\",route=\"/item/{id}\",status=\"2xx\"} 2\n"));
}
