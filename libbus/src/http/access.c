/* Records a finished request: its metrics, its span, and its line in the access log. */
#include "internal.h"

#include <stdio.h>

static const char *route_of(const struct bus_http_exchange *exchange) {
  return exchange->match.route ? exchange->match.route->path : "other";
}

/* A histogram has 15 series for each set of labels, so status is labelled by its five classes, not by codes. */
static const char *class_of(int status) {
  static const char *const classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  return status >= 100 && status < 600 ? classes[status / 100 - 1] : "other";
}

static bool is_probe(const struct bus_http_exchange *exchange) {
  return exchange->match.route && exchange->match.route->is_probe;
}

static void count(const struct bus_http_exchange *exchange, int status, int64_t duration) {
  const struct bus_http_server *server = exchange->server;
  const char *listener = exchange->listener, *method = http_method_label(exchange->method);
  char text[12];
  if (listener == NULL || server->settings.metrics_name == NULL)
    return;
  snprintf(text, sizeof text, "%d", status);
  bus_series_add(
      bus_metric_series(server->metrics.requests, (const char *const[]){listener, method, route_of(exchange), text}),
      1);
  bus_series_observe_in(
      bus_metric_series(server->metrics.duration,
                        (const char *const[]){listener, method, route_of(exchange), class_of(status)}),
      duration, is_probe(exchange) ? NULL : &exchange->trace);
}

static bool is_logged(const struct bus_http_exchange *exchange, int status) {
  switch (exchange->server->settings.access_log) {
  case BUS_ACCESS_OFF:
    return false;
  case BUS_ACCESS_ERRORS:
    return status >= 400;
  case BUS_ACCESS_ALL:
    break;
  }
  return status >= 400 || !is_probe(exchange) || bus_log_enabled(BUS_DEBUG);
}

static void write_line(const struct bus_http_exchange *exchange, int status, int64_t duration) {
  const uint8_t *key = exchange->server->settings.client_key;
  char client[HTTP_PEER_NAME + 1] = "";
  size_t count = 8;
  struct bus_log_field fields[10 + HTTP_NOTES_MAX] = {
      BUS_F_STR("listener", exchange->listener),
      BUS_F_STR("method", http_method_label(exchange->method)),
      BUS_F_STR("route", route_of(exchange)),
      BUS_F_INT("status", status),
      BUS_F_INT("duration_us", duration),
      BUS_F_INT("bytes", exchange->body_bytes),
      BUS_F_TRACE(&exchange->trace),
      BUS_F_VIEW("request_id", exchange->request_id),
  };
  if (key) {
    http_peer_name(exchange, key, client);
    fields[count++] = (struct bus_log_field)BUS_F_STR("client", client);
  }
  for (size_t i = 0; i < exchange->note_count; i++)
    fields[count++] = (struct bus_log_field)BUS_F_VIEW(exchange->notes[i].name, exchange->notes[i].value);
  bus_log_write_always(status >= 500 ? BUS_WARN : BUS_INFO, "request", fields);
}

void http_access_done(const struct bus_http_exchange *exchange, int status, int64_t duration) {
  count(exchange, status, duration);
  http_span_record(exchange, status, duration);
  if (is_logged(exchange, status))
    write_line(exchange, status, duration);
}

void http_access_bare(const struct bus_http_server *server, int status) {
  if (server->settings.access_log != BUS_ACCESS_OFF)
    bus_log_write_always(BUS_WARN, "request",
                         (const struct bus_log_field[]){BUS_F_STR("listener", server->settings.metrics_name),
                                                        BUS_F_INT("status", status),
                                                        {.kind = BUS_LOG_END}});
}

void bus_http_note(struct bus_http_exchange *exchange, const char *name, struct bus_str value) {
  struct bus_str copy = value.data ? bus_arena_copy(exchange->scratch->arena, value) : BUS_NO_STR;
  if (exchange->note_count < HTTP_NOTES_MAX && copy.data) /* a line without a note is better than none */
    exchange->notes[exchange->note_count++] = (struct http_note){name, copy};
}
