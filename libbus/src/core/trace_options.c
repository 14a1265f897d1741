/* Checks the variables of tracing. */
#include <bus/trace_options.h>

#include "ascii.h"
#include "endpoint.h"

bool bus_trace_options_is_on(const struct bus_trace_options *options) {
  return options->endpoint && options->endpoint[0] != '\0';
}

bool bus_trace_options_is_plain(const struct bus_trace_options *options) {
  struct bus_str endpoint = bus_str(options->endpoint);
  return bus_str_cut_start(&endpoint, "http://");
}

static bool check_headers(const struct bus_trace_options *options, struct bus_error *err) {
  struct bus_trace_headers headers;
  bool good = bus_trace_headers_cut(options->headers, &headers, err);
  explicit_bzero(&headers, sizeof headers);
  return good;
}

bool bus_trace_options_check(const struct bus_trace_options *options, struct bus_error *err) {
  if (!check_headers(options, err))
    return false;
  if (!bus_trace_options_is_on(options) || endpoint_is_valid(bus_str(options->endpoint)))
    return true;
  bool shown = strchr(options->endpoint, '@') == NULL;
  return bus_fail(err, BUS_E_CONFIG,
                  "OTEL_EXPORTER_OTLP_ENDPOINT=%s: must be http:// or https:// with a host, and at most a port and a "
                  "path, such as http://127.0.0.1:4318; no user, query or fragment",
                  shown ? options->endpoint : "(not shown: it may hold a password)");
}
