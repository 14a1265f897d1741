/* Checks the variables of tracing. */
#include <bus/trace_options.h>

#include "ascii.h"

enum { HOST_MAX = 253, PORT_MAX = 65535, PORT_DIGITS = 5 };

static bool cut_scheme(struct bus_str *text) {
  return bus_str_cut_start(text, "https://") || bus_str_cut_start(text, "http://");
}

static bool is_made_of(struct bus_str text, const char *others) {
  for (size_t i = 0; i < text.len; i++)
    if (!ascii_is_alphanumeric(text.data[i]) && memchr(others, text.data[i], strlen(others)) == NULL)
      return false;
  return text.len > 0;
}

/* A name or an address; an IPv6 address in brackets. */
static bool is_host(struct bus_str host) {
  if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
    return is_made_of((struct bus_str){host.data + 1, host.len - 2}, ":.");
  return host.len <= HOST_MAX && is_made_of(host, "-._");
}

static struct bus_str host_of(struct bus_str authority) {
  bool is_bracketed = authority.len > 0 && authority.data[0] == '[';
  const char *end = authority.len > 0 ? memchr(authority.data, is_bracketed ? ']' : ':', authority.len) : NULL;
  return end ? (struct bus_str){authority.data, (size_t)(end - authority.data) + is_bracketed} : authority;
}

static bool is_authority(struct bus_str text) {
  struct bus_str host = host_of(text);
  struct bus_str port = {text.data + host.len, text.len - host.len};
  int64_t number = 1;
  if (port.len > 0 && !(bus_str_cut_start(&port, ":") && bus_str_number(port, PORT_DIGITS, &number)))
    return false;
  return number >= 1 && number <= PORT_MAX && is_host(host);
}

static bool is_endpoint(struct bus_str text) {
  if (!cut_scheme(&text))
    return false;
  const char *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
  size_t authority = slash ? (size_t)(slash - text.data) : text.len;
  struct bus_str path = {text.data + authority, text.len - authority};
  return is_authority((struct bus_str){text.data, authority}) && (path.len == 0 || is_made_of(path, "/-._~%"));
}

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
  if (!bus_trace_options_is_on(options) || is_endpoint(bus_str(options->endpoint)))
    return true;
  bool shown = strchr(options->endpoint, '@') == NULL;
  return bus_fail(err, BUS_E_CONFIG,
                  "OTEL_EXPORTER_OTLP_ENDPOINT=%s: must be http:// or https:// with a host, and at most a port and a "
                  "path, such as http://127.0.0.1:4318; no user, query or fragment",
                  shown ? options->endpoint : "(not shown: it may hold a password)");
}
