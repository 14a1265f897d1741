/* Reads a body under a deadline of its own: civetweb's timeout starts anew with every byte that a slow client sends. */
#include "parts.h"

#include <bus/clock.h>

#include <sys/ioctl.h>

#include "../../tls/tls.h"

static bool send_continue(struct bus_http_exchange *exchange) {
  static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
  struct bus_str expect = bus_http_header(exchange, "expect");
  if (expect.data == NULL || strcmp(exchange->version, "1.1") != 0)
    return true;
  return http_connection_write(&exchange->connection, interim, sizeof interim - 1);
}

/* Bytes that came with the head. */
static int64_t buffered_bytes(const struct bus_http_exchange *exchange) {
  struct bus_str buffered;
  return http_buffered_body(exchange->connection.info, exchange->head_span, &buffered) ? (int64_t)buffered.len : 0;
}

/* Bytes that can be read at once; with TLS those of the record that has been begun: what is in the socket may be a part
 * of the next one. */
static int64_t bytes_ready(const struct http_seat *seat) {
  int ready = 0;
  if (seat && seat->session)
    return (int64_t)tls_pending(seat->session);
  return seat && seat->fd >= 0 && ioctl(seat->fd, FIONREAD, &ready) == 0 ? ready : 0;
}

static int64_t at_least_one(int64_t count, int64_t most) {
  if (count < 1)
    return 1;
  return count < most ? count : most;
}

/* Asks mg_read for no more than has come: a longer read would block until all of its bytes are there, however slowly
 * they come. */
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
  const struct http_seat *seat = http_connection_seat(&exchange->connection);
  for (int64_t have = 0, wanted; have < length; have += wanted) {
    int64_t ready = bytes_ready(seat) + (have == 0 ? buffered_bytes(exchange) : 0);
    wanted = at_least_one(ready, length - have);
    int got = mg_read(exchange->connection.civetweb, body + have, (size_t)wanted);
    if (got < 0)
      return -1;
    if (got < wanted || bus_monotonic_coarse() > deadline)
      return 408;
  }
  exchange->body = (struct bus_str){body, (size_t)length};
  return 0;
}
