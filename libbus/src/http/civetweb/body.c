/* Reads a body under a deadline of its own: civetweb's timeout starts anew with every byte that a slow client sends. */
#include "parts.h"

#include <bus/clock.h>

static bool send_continue(struct bus_http_exchange *exchange) {
  static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
  struct bus_str expect = bus_http_header(exchange, "expect");
  if (expect.data == NULL || strcmp(exchange->version, "1.1") != 0)
    return true;
  return http_connection_write(&exchange->connection, interim, sizeof interim - 1);
}

/* Reads one byte at a time: a longer read would block until all of its bytes have come, however slowly. Bytes that came
 * with the head are read from civetweb's buffer, without a system call. */
int http_body_read(struct bus_http_exchange *exchange) {
  int64_t length = exchange->content_length;
  int64_t deadline = bus_monotonic() + exchange->server->settings.body_deadline_ms * BUS_MILLISECOND;
  if (exchange->is_chunked)
    return send_continue(exchange) ? http_body_read_chunked(exchange, deadline) : -1;
  if (length == 0)
    return 0;
  char *body = bus_arena_alloc(exchange->scratch->arena, (size_t)length + 1);
  if (body == NULL)
    return 503;
  if (!send_continue(exchange))
    return -1;
  for (int64_t have = 0; have < length; have++) {
    int got = mg_read(exchange->connection.civetweb, body + have, 1);
    if (got < 0)
      return -1;
    if (got == 0 || bus_monotonic_coarse() > deadline)
      return 408;
  }
  exchange->body = (struct bus_str){body, (size_t)length};
  return 0;
}
