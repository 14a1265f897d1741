/* A connection: its bytes in and out, and the end of its time. */
#include "internal.h"

#include <bus/clock.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tls/tls.h"

enum {
  PENDING_ROOM = 2 * GRPC_PIECE + 64, /* nghttp2 gives a frame of a piece and its head at most */
  READS = 4,                          /* in a row, before others have their turn */
  HANDSHAKE_MS = 10000,
  STUCK_MS = 30000,
  NOTICE_MS = 1000, /* from the notice to the last GOAWAY: calls that are on their way still come */
  RETRY_MS = 100,
  DISCARDS = 32,
};
static const struct grpc_budget resets = {.rate = 50, .burst = 200}, idle_frames = {.rate = 50, .burst = 1000};

/* ---- begin and end ---- */

static int count_of(const struct bus_grpc_server *server, const struct bus_address *peer) {
  size_t counted = bus_address_counted(peer);
  int count = 0;
  for (const struct grpc_connection *one = server->connections; one; one = one->next)
    count += memcmp(one->peer.bytes, peer->bytes, counted) == 0;
  return count;
}

static bool is_one_too_many(const struct bus_grpc_server *server, const struct bus_address *peer) {
  const struct bus_grpc_settings *settings = &server->settings;
  if (server->connection_count >= settings->connections)
    return true;
  bool counts = settings->address_connections > 0 &&
                !(settings->trusted_proxies && bus_networks_have(settings->trusted_proxies, peer));
  return counts && count_of(server, peer) >= settings->address_connections;
}

static struct grpc_connection *connection_new(struct bus_grpc_server *server, int fd) {
  struct grpc_connection *connection = calloc(1, sizeof *connection);
  int64_t now = bus_monotonic();
  if (connection == NULL)
    return NULL;
  *connection = (struct grpc_connection){
      .server = server, .fd = fd, .resets = resets, .idle_frames = idle_frames, .began = now, .active = now};
  connection->resets.at = connection->idle_frames.at = now;
  connection->session = grpc_session_new(connection);
  connection->tls = server->settings.tls ? tls_session_new(server->settings.tls, fd) : NULL;
  bool has_tls = connection->tls || !server->settings.tls;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (connection->session && has_tls && epoll_ctl(server->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
    return connection;
  tls_session_free(connection->tls);
  nghttp2_session_del(connection->session);
  free(connection);
  return NULL;
}

/* Bytes that nobody has read would make close() send a reset, by which the peer could lose the last answer. */
static void discard_input(int fd) {
  char unwanted[2048];
  (void)shutdown(fd, SHUT_WR);
  for (int i = 0; i < DISCARDS && recv(fd, unwanted, sizeof unwanted, 0) > 0; i++)
    continue;
}

static void connection_free(struct grpc_connection *connection) {
  while (connection->calls)
    grpc_call_detach(connection->calls);
  if (connection->tls)
    tls_close_notify(connection->tls);
  discard_input(connection->fd);
  tls_session_free(connection->tls);
  nghttp2_session_del(connection->session);
  (void)close(connection->fd);
  free(connection->pending);
  free(connection);
}

/* Without a descriptor the listener would be readable forever. */
static void rest(struct bus_grpc_server *server) {
  struct epoll_event event = {.events = 0, .data.ptr = server};
  if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
    server->listens_at = bus_monotonic() + RETRY_MS * BUS_MILLISECOND;
    (void)epoll_ctl(server->poll_fd, EPOLL_CTL_MOD, server->listener, &event);
  }
}

void grpc_connection_accept(struct bus_grpc_server *server) {
  char text[sizeof((struct grpc_connection *)NULL)->peer_text];
  struct bus_address peer;
  int fd = grpc_socket_accept(server->listener, text, sizeof text);
  if (fd < 0) {
    rest(server);
    return;
  }
  if (!bus_address_parse(bus_str(text), &peer))
    peer = (struct bus_address){{0}};
  struct grpc_connection *connection = is_one_too_many(server, &peer) ? NULL : connection_new(server, fd);
  if (connection == NULL) {
    (void)close(fd);
    return;
  }
  connection->peer = peer;
  memcpy(connection->peer_text, text, sizeof text);
  connection->next = server->connections;
  server->connections = connection;
  server->connection_count++;
  bus_series_set(server->metrics.connections, server->connection_count);
  grpc_connection_write(connection);
}

void grpc_connections_sweep(struct bus_grpc_server *server) {
  for (struct grpc_connection **link = &server->connections; *link;) {
    struct grpc_connection *connection = *link;
    if (!connection->is_over) {
      link = &connection->next;
      continue;
    }
    *link = connection->next;
    connection_free(connection);
    server->connection_count--;
    bus_series_set(server->metrics.connections, server->connection_count);
  }
}

void grpc_connections_close(struct bus_grpc_server *server) {
  for (struct grpc_connection *one = server->connections; one; one = one->next)
    one->is_over = true;
  grpc_connections_sweep(server);
}

/* ---- bytes ---- */

void grpc_connection_read(struct grpc_connection *connection) {
  uint8_t *bytes = connection->server->received;
  connection->has_more = false;
  for (int i = 0; i < READS && !connection->is_over; i++) {
    ssize_t len = grpc_socket_read(connection, bytes, GRPC_PIECE);
    connection->is_over = len < 0;
    if (len > 0 && nghttp2_session_mem_recv(connection->session, bytes, (size_t)len) < 0) {
      /* not HTTP/2, or out of memory: what nghttp2 says of it is still sent */
      (void)nghttp2_session_terminate_session(connection->session, NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    if (len == 0 || (len < GRPC_PIECE && !connection->tls))
      return;
  }
  connection->has_more = connection->tls && !connection->is_over;
  connection->server->has_more = connection->server->has_more || connection->has_more;
}

void grpc_connections_read_more(struct bus_grpc_server *server) {
  server->has_more = false;
  for (struct grpc_connection *one = server->connections; one; one = one->next)
    if (one->has_more && !one->is_over) {
      grpc_connection_read(one);
      grpc_connection_write(one);
    }
}

static void want_out(struct grpc_connection *connection, bool wants) {
  struct epoll_event event = {.events = EPOLLIN | (wants ? EPOLLOUT : 0U), .data.ptr = connection};
  if (wants != connection->wants_out)
    (void)epoll_ctl(connection->server->poll_fd, EPOLL_CTL_MOD, connection->fd, &event);
  connection->wants_out = wants;
}

/* False: nothing is to be sent. */
static bool fill(struct grpc_connection *connection) {
  const uint8_t *frame;
  if (connection->pending == NULL)
    connection->pending = malloc(PENDING_ROOM);
  connection->pending_at = connection->pending_len = 0;
  while (connection->pending && connection->pending_len < GRPC_PIECE) {
    ssize_t len = nghttp2_session_mem_send(connection->session, &frame);
    if (len < 0)
      connection->is_over = true;
    if (len <= 0)
      break;
    if ((size_t)len > PENDING_ROOM - connection->pending_len) { /* larger than nghttp2 makes frames */
      connection->is_over = true;
      break;
    }
    memcpy(connection->pending + connection->pending_len, frame, (size_t)len);
    connection->pending_len += (size_t)len;
  }
  return connection->pending_len > 0;
}

/* False: the socket takes no more now, or the connection is over. */
static bool flush(struct grpc_connection *connection) {
  while (connection->pending_at < connection->pending_len) {
    ssize_t len = grpc_socket_write(connection, connection->pending + connection->pending_at,
                                    connection->pending_len - connection->pending_at);
    if (len == 0) {
      connection->stuck_since = connection->stuck_since ? connection->stuck_since : bus_monotonic();
      want_out(connection, true);
      return false;
    }
    if (len < 0) {
      connection->is_over = true;
      return false;
    }
    connection->pending_at += (size_t)len;
    connection->stuck_since = 0;
    connection->active = bus_monotonic();
  }
  return true;
}

void grpc_connection_write(struct grpc_connection *connection) {
  if (connection->is_over || (connection->tls && !tls_is_open(connection->tls)))
    return;
  do {
    if (!flush(connection))
      return;
  } while (fill(connection));
  free(connection->pending);
  connection->pending = NULL;
  connection->pending_at = connection->pending_len = 0;
  want_out(connection, false);
  bool is_noticed = connection->told_at > 0 && !connection->goes; /* nghttp2 takes the notice for the last word */
  connection->is_over = connection->is_over || (!is_noticed && !nghttp2_session_want_read(connection->session) &&
                                                !nghttp2_session_want_write(connection->session));
}

/* ---- time ---- */

static void look_at_calls(struct grpc_connection *connection, int64_t now) {
  int64_t patience = connection->server->settings.message_ms * BUS_MILLISECOND;
  for (struct bus_grpc_call *call = connection->calls, *next; call; call = next) {
    next = call->next;
    bool is_late = !call->is_whole && !call->is_deferred && now > call->began + patience;
    if (call->is_deferred && call->method && call->method->each) /* it has answered, and more may come */
      is_late = now > call->began + 10 * patience;
    if (now >= call->deadline)
      grpc_call_refuse(call, BUS_GRPC_DEADLINE_EXCEEDED, GRPC_LATE);
    else if (is_late)
      grpc_call_refuse(call, BUS_GRPC_DEADLINE_EXCEEDED, "the message did not come in time");
  }
}

/* First that no call should follow, then which call was the last. */
static void send_away(struct grpc_connection *connection, int64_t now, int64_t notice_ms) {
  nghttp2_session *session = connection->session;
  if (connection->told_at == 0) {
    (void)nghttp2_submit_shutdown_notice(session);
    connection->told_at = now;
  }
  if (connection->goes || now < connection->told_at + notice_ms * BUS_MILLISECOND)
    return;
  connection->goes = true;
  (void)nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session),
                              NGHTTP2_NO_ERROR, NULL, 0);
}

static bool is_to_go(const struct bus_grpc_server *server, int64_t now) {
  int64_t drain_at = atomic_load(&server->drain_at);
  return atomic_load(&server->stopping) || (drain_at != 0 && now >= drain_at);
}

static void look_at(struct grpc_connection *connection, int64_t now) {
  const struct bus_grpc_server *server = connection->server;
  bool is_idle = connection->call_count == 0 && now > connection->active + server->settings.idle_ms * BUS_MILLISECOND;
  look_at_calls(connection, now);
  if (is_to_go(server, now))
    send_away(connection, now, NOTICE_MS);
  else if (is_idle)
    send_away(connection, now, 0);
  grpc_connection_write(connection);
  bool is_silent = !connection->is_open && now > connection->began + HANDSHAKE_MS * BUS_MILLISECOND;
  bool is_stuck = connection->stuck_since > 0 && now > connection->stuck_since + STUCK_MS * BUS_MILLISECOND;
  bool has_gone = connection->goes && connection->call_count == 0 && connection->pending == NULL;
  connection->is_over = connection->is_over || is_silent || is_stuck || has_gone;
}

void grpc_connections_look(struct bus_grpc_server *server, int64_t now) {
  for (struct grpc_connection *one = server->connections; one; one = one->next)
    look_at(one, now);
}
