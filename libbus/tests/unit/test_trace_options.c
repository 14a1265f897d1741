/* bus/trace_options.h: which endpoints are taken, and what the error of the others says. */
#include <bus/error.h>
#include <bus/trace_options.h>

#include "test.h"

TEST(endpoints_are_urls_of_hosts)
{
  static const char *const good[] = {"",
                                     "http://127.0.0.1:4318",
                                     "http://localhost",
                                     "https://collector.example:443/a/b-c",
                                     "https://[::1]:4318",
                                     "http://[fd00::1]/",
                                     "http://otel_collector:65535/"};
  for (size_t i = 0; i < BUS_COUNT(good); i++)
    if (!bus_trace_options_check(&(struct bus_trace_options){.endpoint = good[i]}, NULL))
      fail_msg("refused: %s", good[i]);
}

TEST(other_endpoints_are_refused_by_name_and_value)
{
  static const char *const bad[] = {"collector:4318", "ftp://a",          "http://",    "http:///v1",
                                    "HTTP://a",       "http://a:",        "http://a:0", "http://a:65536",
                                    "http://a:x",     "http://a:123456",  "http://a b", "http://a?x=1",
                                    "http://a/#f",    "http://[::1",      "http://[]",  "http://[::1]4318",
                                    "http://::1",     "http://a/\r\nX: y"};
  struct bus_error err;
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    if (bus_trace_options_check(&(struct bus_trace_options){.endpoint = bad[i]}, &err))
      fail_msg("taken: %s", bad[i]);
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_non_null(strstr(err.text, "OTEL_EXPORTER_OTLP_ENDPOINT="));
    assert_non_null(strstr(err.text, "must be http:// or https://"));
  }
  assert_false(bus_trace_options_check(&(struct bus_trace_options){.endpoint = "ftp://a"}, &err));
  assert_non_null(strstr(err.text, "=ftp://a:"));
}

TEST(a_password_in_an_endpoint_is_refused_and_not_shown)
{
  struct bus_error err;
  assert_false(bus_trace_options_check(&(struct bus_trace_options){.endpoint = "http://u:secret@a:4318"}, &err));
  assert_null(strstr(err.text, "secret"));
  assert_non_null(strstr(err.text, "no user"));
}

TEST(the_scheme_says_whether_http_is_plain)
{
  assert_true(bus_trace_options_is_plain(&(struct bus_trace_options){.endpoint = "http://a"}));
  assert_false(bus_trace_options_is_plain(&(struct bus_trace_options){.endpoint = "https://a"}));
  assert_false(bus_trace_options_is_on(&(struct bus_trace_options){.endpoint = ""}));
  assert_false(bus_trace_options_is_on(&(struct bus_trace_options){.endpoint = NULL}));
}

/* ---- headers ---- */

static void assert_lines(const char *headers, const char *const *lines, size_t count) {
  struct bus_trace_headers cut;
  struct bus_error err;
  if (!bus_trace_headers_cut(headers, &cut, &err))
    fail_msg("%s: %s", headers, err.text);
  for (size_t i = 0; i < count; i++)
    assert_string_equal(cut.lines[i], lines[i]);
  assert_null(cut.lines[count]);
}

TEST(headers_become_lines)
{
  assert_lines("", NULL, 0);
  assert_lines(NULL, NULL, 0);
  assert_lines("authorization=Bearer%20a+b%3D", (const char *const[]){"authorization: Bearer a+b="}, 1);
  assert_lines(" x-team =  orders\t,b=1=2,c=,d=%2C", (const char *const[]){"x-team: orders", "b: 1=2", "c: ", "d: ,"},
               4);
  assert_lines("a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8",
               (const char *const[]){"a: 1", "b: 2", "c: 3", "d: 4", "e: 5", "f: 6", "g: 7", "h: 8"}, 8);
}

TEST(the_longest_headers_fit)
{
  char text[BUS_TRACE_HEADERS_SIZE + 2] = "a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=";
  memset(text + strlen(text), 'x', BUS_TRACE_HEADERS_SIZE - strlen(text));
  struct bus_trace_headers cut;
  assert_true(bus_trace_headers_cut(text, &cut, NULL));
  assert_int_equal(strlen(cut.lines[7]), BUS_TRACE_HEADERS_SIZE - 7 * 4 + 1);
  text[BUS_TRACE_HEADERS_SIZE] = 'x';
  assert_false(bus_trace_headers_cut(text, &cut, NULL));
}

TEST(other_headers_are_refused_and_not_shown)
{
  static const char *const bad[] = {"sesame",
                                    "=sesame",
                                    "a b=sesame",
                                    "a=sesame%0D%0Ab: c",
                                    "a=sesame\n",
                                    "a=sesame%2",
                                    "a=sesame%zz",
                                    "a=sesame\xC3\xA4",
                                    "a=sesame,,b=1",
                                    "Host=sesame",
                                    "content-TYPE=sesame",
                                    "connection=sesame",
                                    "a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=sesame"};
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    const struct bus_trace_options options = {.endpoint = "http://a", .headers = bad[i]};
    struct bus_error err;
    bool taken = bus_trace_options_check(&options, &err);
    if (taken)
      fail_msg("taken: %s", bad[i]);
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_non_null(strstr(err.text, "OTEL_EXPORTER_OTLP_HEADERS must"));
    assert_null(strstr(err.text, "sesame"));
  }
}
