/* The variables of tracing: three rows of a program's option table. Pure. */
#pragma once

#include <bus/config.h>

BUS_C_BEGIN

/* As the rows fill it. */
struct bus_trace_options {
  const char *endpoint; /* without "/v1/traces"; empty: tracing is off */
  const char *ca_file;  /* empty: the system's */
  int64_t sample_ppm;   /* new traces that are sampled, of a million */
};

enum { BUS_TRACE_ENDPOINT_MAX = 255 };

/* S: the struct of the settings; member: its struct bus_trace_options. */
#define BUS_TRACE_OPTION_ROWS(S, member)                                                                               \
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
    .name = "TRACES_SAMPLE_PPM", .kind = BUS_OPTION_INT, .offset = offsetof(S, member.sample_ppm), .max = 1000000,     \
    .fallback = "10000", .unit = "ppm",                                                                                \
    .description = "new traces that are sampled, of a million; a trace that a client began keeps the client's flag"    \
  }

/* Refuses an endpoint that is not http:// or https:// with a host, or that holds a user, a query or a fragment. The
 * error does not show a value with an '@', for it may hold a password. */
bool bus_trace_options_check(const struct bus_trace_options *options, struct bus_error *err) BUS_MUST_CHECK;
bool bus_trace_options_is_on(const struct bus_trace_options *options);
/* Plain HTTP? */
bool bus_trace_options_is_plain(const struct bus_trace_options *options);

BUS_C_END
