/* Reads a chunked body from the wire: what came with the head, then the socket; under the limits and the deadline that
 * every body has. */
#include "parts.h"

#include <bus/clock.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "../../tls/tls.h"
#include "../chunked.h"

enum { FIRST_ROOM = 2048, PIECE = 4096 };

struct body {
  struct http_chunked reader;
  struct bus_arena *arena;
  char *text; /* with room for a NUL */
  size_t len, room;
};

static bool append_data(struct body *body, struct bus_str piece) {
  char *text = bus_arena_grow(body->arena, body->text, body->len, body->len + piece.len + 1, FIRST_ROOM, &body->room);
  if (text == NULL)
    return false;
  memcpy(text + body->len, piece.data, piece.len);
  body->text = text;
  body->len += piece.len;
  return true;
}

/* 0: read on; 200: that was the end; else the status to refuse with. */
static int take_chunks(struct body *body, struct bus_str input) {
  for (;;) {
    struct bus_str data;
    switch (http_chunked_next(&body->reader, &input, &data)) {
    case HTTP_CHUNKED_MORE:
      return 0;
    case HTTP_CHUNKED_DATA:
      if (!append_data(body, data))
        return 503;
      break;
    case HTTP_CHUNKED_END:
      return 200;
    case HTTP_CHUNKED_MALFORMED:
      return 400;
    case HTTP_CHUNKED_TOO_LARGE:
      return 413;
    }
  }
}

struct wire {
  int fd;
  void *session; /* of TLS; NULL: plain */
};

/* Bytes read; 0: there is nothing yet; -1: the connection is gone. */
static ssize_t receive(const struct wire *wire, char *text, size_t size) {
  if (wire->session)
    return tls_read(wire->session, text, size);
  ssize_t got = recv(wire->fd, text, size, MSG_DONTWAIT);
  if (got > 0)
    return got;
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* Bytes read; 0: the deadline has passed; -1: the connection is gone. */
static ssize_t receive_piece(const struct wire *wire, char *text, size_t size, int64_t deadline) {
  for (;;) {
    int64_t left_ms = (deadline - bus_monotonic()) / BUS_MILLISECOND;
    struct pollfd entry = {.fd = wire->fd, .events = POLLIN};
    if (left_ms <= 0)
      return 0;
    bool is_decrypted = wire->session && tls_pending(wire->session) > 0;
    int ready = is_decrypted ? 1 : poll(&entry, 1, (int)left_ms);
    if (ready < 0 && errno != EINTR)
      return -1;
    ssize_t got = ready > 0 ? receive(wire, text, size) : 0;
    if (got != 0)
      return got;
  }
}

static int read_wire(struct body *body, const struct wire *wire, struct bus_str buffered, int64_t deadline) {
  char *piece = bus_arena_alloc(body->arena, PIECE);
  if (piece == NULL)
    return 503;
  int status = take_chunks(body, buffered);
  while (status == 0) {
    ssize_t got = receive_piece(wire, piece, PIECE, deadline);
    if (got <= 0)
      return got == 0 ? 408 : -1;
    status = take_chunks(body, (struct bus_str){piece, (size_t)got});
  }
  return status;
}

int http_body_read_chunked(struct bus_http_exchange *exchange, int64_t deadline) {
  size_t limit = exchange->match.route->body_limit;
  struct body body = {.arena = exchange->scratch->arena};
  struct bus_str buffered;
  if (!http_buffered_body(exchange->connection.info, exchange->head_span, &buffered))
    return 411; /* a civetweb that is laid out otherwise: with a length it can be read */
  const struct http_seat *seat = http_connection_seat(&exchange->connection);
  const struct wire wire = {http_sockets_find(&exchange->connection), seat ? seat->session : NULL};
  if (wire.fd < 0)
    return 503;
  http_chunked_init(&body.reader, limit);
  int status = read_wire(&body, &wire, buffered, deadline);
  if (status != 200)
    return status;
  if (body.text)
    body.text[body.len] = '\0';
  exchange->content_length = (int64_t)body.len;
  exchange->body = (struct bus_str){body.text, body.len};
  return 0;
}
