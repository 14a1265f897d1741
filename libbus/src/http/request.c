/* Accessors by which a handler reads its request. */
#include "internal.h"

#include <bus/clock.h>

#include <poll.h>

struct bus_arena *bus_http_arena(struct bus_http_exchange *exchange) {
  return exchange->scratch->arena;
}

struct bus_str bus_http_path_segment(const struct bus_http_exchange *exchange, size_t index) {
  return index < exchange->match.segment_count ? exchange->match.segments[index] : BUS_NO_STR;
}

struct bus_str bus_http_header(const struct bus_http_exchange *exchange, const char *name) {
  struct bus_str value = BUS_NO_STR;
  for (size_t i = 0; i < exchange->header_count; i++) {
    if (!http_text_is(exchange->headers[i].name, name))
      continue;
    if (value.data)
      return BUS_NO_STR;
    value = exchange->headers[i].value;
  }
  return value;
}

struct bus_str bus_http_query(const struct bus_http_exchange *exchange) {
  return exchange->query;
}

const void *bus_http_request(const struct bus_http_exchange *exchange) {
  return exchange->request;
}

const struct bus_http_route *bus_http_route(const struct bus_http_exchange *exchange) {
  return exchange->match.route;
}

struct bus_str bus_http_body(const struct bus_http_exchange *exchange) {
  return exchange->body.data ? exchange->body : BUS_STR("");
}

const struct bus_trace *bus_http_trace(const struct bus_http_exchange *exchange) {
  return &exchange->trace;
}

const char *bus_http_method(const struct bus_http_exchange *exchange) {
  return exchange->method;
}

enum bus_http_wait bus_http_wait_ready(struct bus_http_exchange *exchange, int fd, int64_t timeout_ms) {
  enum { STEP_MS = 100 };
  if (exchange->carrier)
    return exchange->carrier->wait(exchange->carrier_context, fd, timeout_ms);
  int client = http_sockets_find(&exchange->connection);
  int64_t deadline = bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  for (int64_t left_ms = timeout_ms; left_ms > 0; left_ms = (deadline - bus_monotonic()) / BUS_MILLISECOND) {
    struct pollfd entries[] = {{.fd = client, .events = POLLRDHUP}, {.fd = fd, .events = POLLIN}};
    int ready = poll(entries, BUS_COUNT(entries), left_ms < STEP_MS ? (int)left_ms : STEP_MS);
    if (ready < 0 || entries[0].revents != 0 || atomic_load(&exchange->server->stopping))
      return BUS_HTTP_GONE;
    if (entries[1].revents != 0)
      return BUS_HTTP_READY;
  }
  return BUS_HTTP_WAITED;
}

bool bus_http_wait_gone(struct bus_http_exchange *exchange, int64_t timeout_ms) {
  return bus_http_wait_ready(exchange, -1, timeout_ms) == BUS_HTTP_GONE;
}

void bus_http_set_caller(struct bus_http_exchange *exchange, const void *caller) {
  exchange->caller = caller;
}

const void *bus_http_caller(const struct bus_http_exchange *exchange) {
  return exchange->caller;
}
