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
