/* The spans of requests: ids, names and attributes; requests that have none; no byte of the client but its ids. */
#include <bus/tracer.h>

#include <stdio.h>

#include "fixture.h"
#include "span_text.h"
#include "test.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define ID "018f4b5c-1111-7222-8333-444455556666"
#define GET(path, headers) "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" headers "\r\n"

static struct bus_span spans[16];

/* Sends the requests, stops the server, and returns how many spans it recorded. */
static size_t spans_of(int64_t sample_ppm, const char *const *requests, size_t count) {
  const struct bus_tracer_settings settings = {
      .room = BUS_COUNT(spans), .batch = BUS_COUNT(spans), .gather_ms = 1, .sample_ppm = sample_ppm};
  struct bus_tracer *tracer;
  assert_true(bus_tracer_new(&settings, &tracer, NULL));
  struct fixture fixture = fixture_start((struct bus_http_settings){.tracer = tracer, .span_note = "id"});
  for (size_t i = 0; i < count; i++)
    assert_true(raw_status(raw_talk(fixture.port, requests[i], 5000)) > 0);
  fixture_stop(&fixture);
  bus_tracer_close(tracer);
  size_t taken = bus_tracer_take(tracer, spans);
  bus_tracer_free(tracer);
  return taken;
}

static const struct bus_span *span_of(const char *request) {
  assert_int_equal(spans_of(1000000, &request, 1), 1);
  return &spans[0];
}

static void assert_is(const struct bus_span *span, const char *name, int64_t status) {
  assert_true(bus_str_is((struct bus_str){span->name, span->name_len}, name));
  assert_int_equal(span_attribute(span, "http.response.status_code")->number, status);
}

TEST(the_span_of_a_request_is_the_child_of_the_clients)
{
  const struct bus_span *span =
      span_of(GET("/trace?token=secret", "traceparent: 00-" TRACE "-00f067aa0ba902b7-01\r\nX-Request-Id: r-1\r\n"));
  static const uint8_t parent[] = {0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7};
  assert_memory_equal(span->parent_id, parent, sizeof parent);
  assert_int_equal(span->trace_id[0], 0x4b);
  assert_int_equal(span->kind, BUS_SPAN_SERVER);
  assert_is(span, "GET /trace", 200);
  span_assert_text(span, "http.request.method", "GET");
  span_assert_text(span, "http.route", "/trace");
  span_assert_text(span, "url.scheme", "http");
  span_assert_text(span, "network.protocol.version", "1.1");
  assert_null(span_attribute(span, "error.type"));
  assert_int_equal(span->status, BUS_SPAN_UNSET);
  assert_int_equal(span->attribute_count, 5);
  assert_true(span->began <= span->ended && span->ended - span->began < 5 * BUS_SECOND);
}

/* The handler of /trace answers with the trace that messages of the request carry. */
TEST(what_the_handler_sends_has_the_span_as_its_parent)
{
  char own[BUS_TRACEPARENT_TEXT];
  const struct bus_tracer_settings settings = {.room = 1, .batch = 1, .sample_ppm = 1000000};
  struct bus_tracer *tracer;
  assert_true(bus_tracer_new(&settings, &tracer, NULL));
  struct fixture fixture = fixture_start((struct bus_http_settings){.tracer = tracer});
  snprintf(own, sizeof own, "%s", raw_body(raw_talk(fixture.port, GET("/trace", ""), 5000)));
  fixture_stop(&fixture);
  assert_int_equal(bus_tracer_take(tracer, spans), 1);
  struct bus_trace sent;
  assert_true(bus_trace_parse(bus_str(own), &sent));
  assert_memory_equal(spans[0].span_id, sent.span_id, sizeof sent.span_id);
  assert_memory_equal(spans[0].trace_id, sent.trace_id, sizeof sent.trace_id);
  bus_tracer_free(tracer);
}

TEST(a_new_trace_has_no_parent)
{
  static const uint8_t none[8];
  const struct bus_span *span = span_of(GET("/item/secret-id", ""));
  assert_memory_equal(span->parent_id, none, sizeof none);
  assert_is(span, "GET /item/{id}", 200);
}

TEST(the_clients_flag_or_the_rate_decides)
{
  const char *const requests[] = {GET("/trace", "traceparent: 00-" TRACE "-00f067aa0ba902b7-00\r\n")};
  assert_int_equal(spans_of(1000000, requests, 1), 0);
  const char *const others[] = {GET("/trace", ""), GET("/trace", "traceparent: 00-" TRACE "-00f067aa0ba902b7-01\r\n")};
  assert_int_equal(spans_of(0, others, 2), 1);
}

TEST(a_new_trace_that_is_not_sampled_says_so)
{
  const struct bus_tracer_settings settings = {.room = 1, .batch = 1, .sample_ppm = 0};
  struct bus_tracer *tracer;
  assert_true(bus_tracer_new(&settings, &tracer, NULL));
  struct fixture fixture = fixture_start((struct bus_http_settings){.tracer = tracer});
  assert_string_equal(raw_body(raw_talk(fixture.port, GET("/trace", ""), 5000)) + BUS_TRACEPARENT_TEXT - 3, "00");
  fixture_stop(&fixture);
  fixture = fixture_start((struct bus_http_settings){.tracer = NULL});
  assert_string_equal(raw_body(raw_talk(fixture.port, GET("/trace", ""), 5000)) + BUS_TRACEPARENT_TEXT - 3, "01");
  fixture_stop(&fixture);
  bus_tracer_free(tracer);
}

TEST(probes_have_no_span)
{
  const char *const requests[] = {GET("/probe", "")};
  assert_int_equal(spans_of(1000000, requests, 1), 0);
}

TEST(refusals_have_spans_without_the_clients_bytes)
{
  assert_is(span_of(GET("/nowhere/secret", "")), "GET", 404);
  assert_null(span_attribute(&spans[0], "http.route"));
  assert_is(span_of("BREW /trace HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), "HTTP", 405);
  span_assert_text(&spans[0], "http.request.method", "_OTHER");
  assert_is(span_of("POST /decoded/" ID
                    " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
                    "Content-Length: 2\r\n\r\n{}"),
            "POST /decoded/{id}", 400);
  span_assert_text(&spans[0], "id", ID);
}

TEST(a_server_error_is_the_status_of_its_span)
{
  const struct bus_span *span = span_of(GET("/silent", ""));
  assert_is(span, "GET /silent", 500);
  assert_int_equal(span->status, BUS_SPAN_ERROR);
  span_assert_text(span, "error.type", "500");
}
