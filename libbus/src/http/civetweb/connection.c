/* A connection and its peer: writing, ending, and the seat that belongs to it. */
#include "parts.h"

#include <bus/clock.h>

#include <poll.h>
#include <sys/socket.h>

#include "../../tls/tls.h"

enum { LINGER_MS = 300, LINGER_BYTES = 256 * 1024 };

bool http_connection_write(const struct http_connection *connection, const char *text, size_t len) {
  return mg_write(connection->civetweb, text, len) == (int)len;
}

void http_connection_end(const struct http_connection *connection) {
  mg_disable_connection_keep_alive(connection->civetweb);
}

struct http_seat *http_connection_seat(const struct http_connection *connection) {
  return mg_get_user_connection_data(connection->civetweb);
}

const char *http_connection_peer(const struct http_connection *connection) {
  return connection->info->remote_addr;
}

void http_connection_linger(const struct http_connection *connection) {
  int fd = http_sockets_find(connection);
  const struct http_seat *seat = http_connection_seat(connection);
  if (seat && seat->session)
    tls_close_notify(seat->session);
  if (fd < 0 || shutdown(fd, SHUT_WR) != 0)
    return;
  int64_t deadline = bus_monotonic() + LINGER_MS * BUS_MILLISECOND;
  char unwanted[2048];
  for (ssize_t taken = 0; taken < LINGER_BYTES;) {
    int left_ms = (int)((deadline - bus_monotonic()) / BUS_MILLISECOND);
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    if (left_ms <= 0 || poll(&entry, 1, left_ms) <= 0)
      return;
    ssize_t got = recv(fd, unwanted, sizeof unwanted, MSG_DONTWAIT);
    if (got <= 0)
      return;
    taken += got;
  }
}
