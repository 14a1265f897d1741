/* The span of a request, by OpenTelemetry's conventions for HTTP servers. */
#include "internal.h"

#include <bus/clock.h>

#include <stdio.h>

static struct bus_str note_of(const struct bus_http_exchange *exchange, const char *name) {
  for (size_t i = 0; name && i < exchange->note_count; i++)
    if (strcmp(exchange->notes[i].name, name) == 0)
      return exchange->notes[i].value;
  return BUS_NO_STR;
}

static void describe(struct bus_span *span, const struct bus_http_exchange *exchange, int status) {
  const char *route = exchange->match.route ? exchange->match.route->path : NULL;
  const char *method = http_method_label(exchange->method), *note = exchange->server->settings.span_note;
  bool is_known = strcmp(method, "other") != 0;
  char code[12];
  bus_span_set_name(span, "%s%s%s", is_known ? method : "HTTP", route ? " " : "", route ? route : "");
  bus_span_add_text(span, "http.request.method", bus_str(is_known ? method : "_OTHER"));
  bus_span_add_text(span, "http.route", bus_str(route));
  bus_span_add_text(span, "url.scheme", BUS_STR("http"));
  bus_span_add_text(span, "network.protocol.version", bus_str(exchange->version));
  bus_span_add_int(span, "http.response.status_code", status);
  bus_span_add_text(span, note, note_of(exchange, note));
  if (status < 500)
    return;
  (void)snprintf(code, sizeof code, "%d", status);
  bus_span_fail(span, bus_str(code));
}

/* A frame of its own: only a request that is sampled touches the span's bytes of its stack. */
__attribute__((noinline)) static void record(const struct bus_http_exchange *exchange, int status, int64_t duration) {
  struct bus_span span;
  bus_span_init(&span, BUS_SPAN_SERVER, &exchange->trace, exchange->parent_span);
  span.ended = bus_wall_clock();
  span.began = span.ended - duration;
  describe(&span, exchange, status);
  bus_tracer_record(exchange->server->settings.tracer, &span);
}

void http_span_record(const struct bus_http_exchange *exchange, int status, int64_t duration) {
  const struct bus_http_route *route = exchange->match.route;
  if (bus_tracer_wants(exchange->server->settings.tracer, &exchange->trace) && !(route && route->is_probe))
    record(exchange, status, duration);
}
