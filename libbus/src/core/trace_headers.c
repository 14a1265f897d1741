/* OTEL_EXPORTER_OTLP_HEADERS: "name=value,name=value", as OpenTelemetry's specification has it, to lines of a request.
 */
#include <bus/trace_options.h>

#include "ascii.h"
#include "hex.h"

static bool is_name(struct bus_str name) {
  for (size_t i = 0; i < name.len; i++)
    if (!ascii_is_alphanumeric(name.data[i]) && (name.data[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", name.data[i])))
      return false;
  return name.len > 0;
}

static bool is_same(struct bus_str name, const char *other) {
  size_t i = 0;
  for (; i < name.len && other[i]; i++) {
    bool is_upper = name.data[i] >= 'A' && name.data[i] <= 'Z';
    if (name.data[i] + (is_upper ? 'a' - 'A' : 0) != other[i])
      return false;
  }
  return i == name.len && !other[i];
}

/* Body, framing and connection are the exporter's. */
static bool is_ours(struct bus_str name) {
  static const char *const ours[] = {"content-type", "content-length", "content-encoding", "transfer-encoding",
                                     "host",         "connection",     "expect",           "upgrade"};
  for (size_t i = 0; i < BUS_COUNT(ours); i++)
    if (is_same(name, ours[i]))
      return true;
  return false;
}

/* Writes the value behind *at. */
static bool decode_value(struct bus_str value, char **at) {
  for (size_t i = 0; i < value.len; i++) {
    uint8_t byte = (uint8_t)value.data[i];
    if (byte == '%') {
      if (value.len - i < 3 || !bus_hex_read(value.data + i + 1, &byte, 1))
        return false;
      i += 2;
    }
    if (byte < 0x20 || byte > 0x7E)
      return false;
    *(*at)++ = (char)byte;
  }
  return true;
}

static bool cut_line(struct bus_str pair, char **at) {
  const char *equals = pair.len > 0 ? memchr(pair.data, '=', pair.len) : NULL;
  if (!equals)
    return false;
  struct bus_str name = ascii_trim((struct bus_str){pair.data, (size_t)(equals - pair.data)}, " \t");
  struct bus_str value = ascii_trim((struct bus_str){equals + 1, pair.len - (size_t)(equals - pair.data) - 1}, " \t");
  if (!is_name(name) || is_ours(name))
    return false;
  memcpy(*at, name.data, name.len);
  *at += name.len;
  memcpy(*at, ": ", 2);
  *at += 2;
  bool good = decode_value(value, at);
  *(*at)++ = '\0';
  return good;
}

/* A pair is two characters longer as a line with its NUL, and has one more for its comma, but for the last pair. */
static bool cut(struct bus_str rest, struct bus_trace_headers *ret) {
  char *at = ret->text;
  size_t count = 0;
  if (rest.len > BUS_TRACE_HEADERS_SIZE)
    return false;
  while (rest.len > 0) {
    const char *comma = memchr(rest.data, ',', rest.len);
    size_t len = comma ? (size_t)(comma - rest.data) : rest.len;
    if (count == BUS_TRACE_HEADERS_MAX)
      return false;
    ret->lines[count++] = at;
    if (!cut_line((struct bus_str){rest.data, len}, &at))
      return false;
    rest = (struct bus_str){rest.data + len + (comma != NULL), rest.len - len - (comma != NULL)};
  }
  ret->lines[count] = NULL;
  return true;
}

bool bus_trace_headers_cut(const char *headers, struct bus_trace_headers *ret, struct bus_error *err) {
  *ret = (struct bus_trace_headers){.lines = {NULL}};
  if (cut(bus_str(headers), ret))
    return true;
  explicit_bzero(ret, sizeof *ret);
  return bus_fail(err, BUS_E_CONFIG,
                  "OTEL_EXPORTER_OTLP_HEADERS must be at most %d headers, name=value,name=value, with percent escapes "
                  "for what is not printable ASCII and for commas; not those of the body or the connection (its value "
                  "is secret)",
                  BUS_TRACE_HEADERS_MAX);
}
