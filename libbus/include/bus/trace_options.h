/* The variables of tracing: rows of a program's option table. Pure. */
#pragma once

#include <bus/config.h>

BUS_C_BEGIN

/* As the rows fill it. */
struct bus_trace_options {
  const char *endpoint; /* without "/v1/traces"; empty: tracing is off */
  const char *ca_file;  /* empty: the system's */
  const char *headers;  /* secret; empty: none */
  int64_t sample_ppm;   /* new traces that are sampled, of a million */
};

enum { BUS_TRACE_ENDPOINT_MAX = 255, BUS_TRACE_HEADERS_MAX = 8, BUS_TRACE_HEADERS_SIZE = 2048 };

/* Headers of each request to the collector, as lines: "Name: value". */
struct bus_trace_headers {
  const char *lines[BUS_TRACE_HEADERS_MAX + 1]; /* NULL-terminated; in: */
  char text[BUS_TRACE_HEADERS_SIZE + BUS_TRACE_HEADERS_MAX + 1];
};

/* S: the struct of the settings; member: its struct bus_trace_options. For a program that begins no traces. */
#define BUS_TRACE_EXPORT_ROWS(S, member)                                                                               \
  {.name = "OTEL_EXPORTER_OTLP_ENDPOINT",                                                                              \
   .kind = BUS_OPTION_STRING,                                                                                          \
   .offset = offsetof(S, member.endpoint),                                                                             \
   .max = BUS_TRACE_ENDPOINT_MAX,                                                                                      \
   .fallback = "",                                                                                                     \
   .description = "collector that spans are sent to (OTLP/HTTP, JSON), such as http://127.0.0.1:4318; http:// or "     \
                  "https://, without user, query or fragment; empty: no tracing"},                                     \
      {.name = "OTEL_EXPORTER_OTLP_CERTIFICATE",                                                                       \
       .kind = BUS_OPTION_STRING,                                                                                      \
       .offset = offsetof(S, member.ca_file),                                                                          \
       .max = 1024,                                                                                                    \
       .fallback = "",                                                                                                 \
       .description = "certificates that an https:// collector is checked against; empty: the system's"},              \
  {                                                                                                                    \
    .name = "OTEL_EXPORTER_OTLP_HEADERS", .kind = BUS_OPTION_STRING, .offset = offsetof(S, member.headers),            \
    .max = BUS_TRACE_HEADERS_SIZE, .fallback = "", .secret = true,                                                     \
    .description = "headers of each request to the collector, name=value,name=value with percent escapes, such as "    \
                   "authorization=Bearer%20TOKEN; at most 8"                                                           \
  }

#define BUS_TRACE_OPTION_ROWS(S, member)                                                                               \
  BUS_TRACE_EXPORT_ROWS(S, member), {                                                                                  \
    .name = "TRACES_SAMPLE_PPM", .kind = BUS_OPTION_INT, .offset = offsetof(S, member.sample_ppm), .max = 1000000,     \
    .fallback = "10000", .unit = "ppm",                                                                                \
    .description = "new traces that are sampled, of a million; a trace that a client began keeps the client's flag"    \
  }

/* Refuses headers that cannot be cut, and an endpoint that is not http:// or https:// with a host, or that holds a
 * user, a query or a fragment. The error does not show a value with an '@', for it may hold a password. */
bool bus_trace_options_check(const struct bus_trace_options *options, struct bus_error *err) BUS_MUST_CHECK;
/* Is there an endpoint to export to? */
bool bus_trace_options_is_on(const struct bus_trace_options *options);
/* Percent escapes are decoded. False: it has no name, another separator, a character that no header may have, a name
 * that the exporter or HTTP itself sets, or too many; the error does not show it. */
bool bus_trace_headers_cut(const char *headers, struct bus_trace_headers *ret, struct bus_error *err) BUS_MUST_CHECK;
/* Plain HTTP? */
bool bus_trace_options_is_plain(const struct bus_trace_options *options);

BUS_C_END
