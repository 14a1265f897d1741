/* The spans of calls: which calls have one, what is in it, and what the server gets. */
#include <bus/tracer.h>

#include <stdio.h>

#include "client_driver.h"
#include "fixture.h"
#include "odd_server.h"
#include "span_text.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SENT "00-" TRACE "-00f067aa0ba902b7-"

static struct bus_span span;
static char seen[8192];

static void remember(int fd, const char *request) {
  (void)snprintf(seen, sizeof seen, "%s", request);
  odd_send(fd, "HTTP/1.1 429 Too Many\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
}

static void cut(int fd, const char *request) {
  (void)fd, (void)request;
}

/* Calls the URL with that trace; returns how many spans were recorded. */
static size_t call_url(const char *url, const char *traceparent, bool traced) {
  static struct driven driven;
  const struct bus_tracer_settings settings = {.room = 1, .batch = 1, .sample_ppm = 1000000};
  struct bus_tracer *tracer;
  struct bus_error err;
  struct bus_trace trace = {.flags = 0};
  assert_true(bus_tracer_new(&settings, &tracer, NULL));
  assert_true(traceparent == NULL || bus_trace_parse(bus_str(traceparent), &trace));
  trace.state = traceparent ? BUS_STR("a=1") : BUS_NO_STR;
  struct bus_http_client *client = driven_client((struct bus_http_client_settings){
      .connect_timeout_ms = 500, .total_timeout_ms = 1500, .tracer = traced ? tracer : NULL});
  const struct bus_http_call call = {
      .method = "POST", .url = url, .body = BUS_STR("{}"), .trace = &trace, .route = "/v1/{id}", .resend = 3};
  assert_true(bus_http_client_start(client, &call, driven_done, &driven, &err));
  drive(client, DRIVE_ROOM, 5000);
  bus_http_client_free(client);
  bus_tracer_close(tracer);
  size_t taken = bus_tracer_take(tracer, &span);
  bus_tracer_free(tracer);
  return taken;
}

static size_t call_odd(odd_behaviour *behaviour, const char *traceparent, bool traced) {
  struct odd_server *server = odd_server_start(behaviour);
  size_t taken = call_url(driven_url(odd_server_port(server), "/v1/secret?key=1"), traceparent, traced);
  odd_server_stop(server);
  return taken;
}

TEST(the_span_of_a_call_is_the_servers_parent)
{
  char expected[BUS_TRACEPARENT_TEXT];
  struct bus_trace own = {.flags = 1};
  assert_int_equal(call_odd(remember, SENT "01", true), 1);
  static const uint8_t parent[] = {0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7};
  assert_memory_equal(span.parent_id, parent, sizeof parent);
  assert_int_equal(span.kind, BUS_SPAN_CLIENT);
  assert_true(bus_str_is((struct bus_str){span.name, span.name_len}, "POST /v1/{id}"));
  memcpy(own.trace_id, span.trace_id, sizeof own.trace_id);
  memcpy(own.span_id, span.span_id, sizeof own.span_id);
  bus_trace_format(&own, expected);
  assert_non_null(strstr(seen, expected));
  assert_non_null(strstr(seen, "tracestate: a=1\r\n"));
  assert_null(strstr(expected, "00f067aa0ba902b7"));
  span_assert_text(&span, "http.request.method", "POST");
  span_assert_text(&span, "url.template", "/v1/{id}");
  span_assert_text(&span, "server.address", "127.0.0.1");
  assert_true(span_attribute(&span, "server.port")->number > 0);
  assert_int_equal(span_attribute(&span, "http.request.resend_count")->number, 3);
  assert_int_equal(span_attribute(&span, "http.response.status_code")->number, 429);
  span_assert_text(&span, "error.type", "429");
  assert_int_equal(span.status, BUS_SPAN_ERROR);
  assert_true(span.began > 0 && span.began <= span.ended && span.ended - span.began < 5 * BUS_SECOND);
  for (size_t i = 0; i < span.text_len; i++)
    assert_int_not_equal(memcmp(span.text + i, "secret", 6), 0); /* no path, no query */
}

TEST(the_trace_goes_on_where_no_span_is_recorded)
{
  static const char *const kept[] = {SENT "00", SENT "01"};
  for (size_t i = 0; i < BUS_COUNT(kept); i++) {
    assert_int_equal(call_odd(remember, kept[i], i == 0), 0); /* not sampled, then no tracer */
    assert_non_null(strstr(seen, kept[i]));
  }
  assert_int_equal(call_odd(remember, NULL, true), 0);
  assert_null(strstr(seen, "traceparent"));
}

TEST(a_call_without_an_answer_says_what_is_known)
{
  assert_int_equal(call_odd(cut, SENT "01", true), 1);
  span_assert_text(&span, "error.type", "unknown");
  assert_null(span_attribute(&span, "http.response.status_code"));
  assert_int_equal(call_url("http://[::1]:1/", SENT "01", true), 1);
  span_assert_text(&span, "error.type", "not_sent");
  span_assert_text(&span, "server.address", "[::1]");
  assert_int_equal(span_attribute(&span, "server.port")->number, 1);
}

TEST(the_port_of_a_scheme_stands_for_none_and_a_user_is_not_shown)
{
  assert_int_equal(call_url("http://127.0.0.9/", SENT "01", true), 1);
  assert_int_equal(span_attribute(&span, "server.port")->number, 80);
  assert_int_equal(call_url("https://127.0.0.9?a", SENT "01", true), 1);
  assert_int_equal(span_attribute(&span, "server.port")->number, 443);
  assert_int_equal(call_url("http://user:word@127.0.0.9:1/", SENT "01", true), 1);
  assert_null(span_attribute(&span, "server.address"));
}
