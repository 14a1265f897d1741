/* Starts, serves and stops: one thread looks at all sockets, and at what handlers have for them. */
#include "internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS = 64, STOP_MS = 10000, LOOK_MS = 10 };

void grpc_server_note(struct bus_grpc_call *call) {
  struct bus_grpc_server *server = call->server;
  if (call->is_changed)
    return;
  call->is_changed = true;
  call->references++;
  call->next_changed = server->changed;
  if (server->changed == NULL)
    (void)eventfd_write(server->wake_fd, 1); /* full means that it is awake already */
  server->changed = call;
}

const struct bus_grpc_method *grpc_server_method(const struct bus_grpc_server *server, struct bus_str path) {
  for (size_t i = 0; i < server->method_count; i++)
    if (bus_str_is(path, server->methods[i].path))
      return &server->methods[i];
  return NULL;
}

/* ---- the thread ---- */

/* The first of the list, which may be noted again from here on, but not while it is in a list. NULL: it is empty. */
static struct bus_grpc_call *pop_changed(struct bus_grpc_server *server, struct bus_grpc_call **list) {
  (void)pthread_mutex_lock(&server->lock);
  struct bus_grpc_call *call = *list;
  if (call) {
    *list = call->next_changed;
    call->is_changed = false;
  }
  (void)pthread_mutex_unlock(&server->lock);
  return call;
}

/* Takes the list of changed calls, and has each answered. */
static void answer_changed(struct bus_grpc_server *server) {
  struct bus_grpc_call *call;
  (void)pthread_mutex_lock(&server->lock);
  struct bus_grpc_call *list = server->changed;
  server->changed = NULL;
  (void)pthread_mutex_unlock(&server->lock);
  while ((call = pop_changed(server, &list)) != NULL) {
    struct grpc_connection *connection = call->connection;
    grpc_answer_go_on(call);
    if (connection)
      grpc_connection_write(connection);
    (void)pthread_mutex_lock(&server->lock);
    grpc_call_unref(call);
    (void)pthread_mutex_unlock(&server->lock);
  }
}

static void stop_listening(struct bus_grpc_server *server) {
  if (server->listener >= 0)
    (void)close(server->listener);
  server->listener = -1;
}

/* Until then the kernel refuses connections. */
static bool open_listener(struct bus_grpc_server *server, struct bus_error *err) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = server};
  if (!grpc_socket_listen(server->listener, server->settings.bind, server->port, err))
    return false;
  server->is_open = epoll_ctl(server->poll_fd, EPOLL_CTL_ADD, server->listener, &event) == 0;
  return server->is_open || bus_fail(err, BUS_E_SYSTEM, "the gRPC server cannot poll: %s", strerror(errno));
}

/* Another process may have begun to listen there since the address was bound. */
static void open_when_ready(struct bus_grpc_server *server) {
  struct bus_error err;
  if (!server->settings.is_ready(server->context) || open_listener(server, &err))
    return;
  bus_log(BUS_ERROR, "no gRPC is served", BUS_F_STR("error", err.text));
  stop_listening(server);
}

static void look(struct bus_grpc_server *server, int64_t now) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = server};
  int64_t drain_at = atomic_load(&server->drain_at);
  if (atomic_load(&server->stopping) || (drain_at != 0 && now >= drain_at))
    stop_listening(server);
  if (!server->is_open && server->listener >= 0)
    open_when_ready(server);
  if (server->listens_at > 0 && now >= server->listens_at && server->listener >= 0) {
    server->listens_at = 0;
    (void)epoll_ctl(server->poll_fd, EPOLL_CTL_MOD, server->listener, &event);
  }
  grpc_connections_look(server, now);
}

static void take(struct bus_grpc_server *server, const struct epoll_event *event) {
  eventfd_t count;
  struct grpc_connection *connection = event->data.ptr;
  if (event->data.ptr == server) {
    grpc_connection_accept(server);
  } else if (event->data.ptr == &server->wake_fd) {
    (void)eventfd_read(server->wake_fd, &count);
  } else {
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
      grpc_connection_read(connection);
    grpc_connection_write(connection);
  }
}

static void *serve(void *context) {
  struct bus_grpc_server *server = context;
  struct epoll_event events[EVENTS];
  while (!atomic_load(&server->ends)) {
    bool looks_often =
        !server->is_open || bus_series_value(server->metrics.calls) > 0 || atomic_load(&server->drain_at) != 0;
    int patience_ms = server->has_more ? 0 : looks_often ? GRPC_TICK_MS : 10 * GRPC_TICK_MS;
    int count = epoll_wait(server->poll_fd, events, EVENTS, patience_ms);
    for (int i = 0; i < count; i++)
      take(server, &events[i]);
    if (server->has_more)
      grpc_connections_read_more(server);
    answer_changed(server);
    int64_t now = bus_monotonic();
    if (now >= server->look_at) {
      look(server, now);
      server->look_at = now + GRPC_TICK_MS * BUS_MILLISECOND;
    }
    grpc_connections_sweep(server);
  }
  return NULL;
}

/* ---- life ---- */

static bool open_poll(struct bus_grpc_server *server, struct bus_error *err) {
  struct epoll_event wakes = {.events = EPOLLIN, .data.ptr = &server->wake_fd};
  server->poll_fd = epoll_create1(EPOLL_CLOEXEC);
  server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return (server->poll_fd >= 0 && server->wake_fd >= 0 &&
          epoll_ctl(server->poll_fd, EPOLL_CTL_ADD, server->wake_fd, &wakes) == 0) ||
         bus_fail(err, BUS_E_SYSTEM, "the gRPC server has no descriptors: %s", strerror(errno));
}

/* Closed streams are not kept: priorities between them mean nothing here. */
static bool make_options(struct bus_grpc_server *server) {
  if (nghttp2_option_new(&server->options) != 0)
    return false;
  nghttp2_option_set_no_closed_streams(server->options, 1);
  nghttp2_option_set_peer_max_concurrent_streams(server->options, GRPC_STREAMS);
  nghttp2_option_set_max_reserved_remote_streams(server->options, 0);
  return true;
}

static void server_free(struct bus_grpc_server *server) {
  stop_listening(server);
  if (server->poll_fd >= 0)
    (void)close(server->poll_fd);
  if (server->wake_fd >= 0)
    (void)close(server->wake_fd);
  nghttp2_option_del(server->options);
  nghttp2_session_callbacks_del(server->callbacks);
  grpc_workers_done(&server->workers);
  (void)pthread_mutex_destroy(&server->lock);
  free(server);
}

static struct bus_grpc_server *server_new(const struct bus_grpc_settings *settings,
                                          const struct bus_grpc_method *methods, size_t count, void *context) {
  struct bus_grpc_server *server = calloc(1, sizeof *server);
  if (server == NULL)
    return NULL;
  server->settings = *settings;
  server->methods = methods;
  server->method_count = count;
  server->context = context;
  server->listener = server->poll_fd = server->wake_fd = -1;
  (void)pthread_mutex_init(&server->lock, NULL); /* a default mutex: cannot fail on Linux */
  grpc_workers_init(&server->workers);
  grpc_metrics_open(&server->metrics);
  return server;
}

bool bus_grpc_server_start(const struct bus_grpc_settings *settings, const struct bus_grpc_method *methods,
                           size_t method_count, void *context, struct bus_grpc_server **ret, struct bus_error *err) {
  struct bus_grpc_server *server = server_new(settings, methods, method_count, context);
  if (server == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the gRPC server");
  server->listener = grpc_socket_bind(settings->bind, settings->port, &server->port, err);
  bool opened = server->listener >= 0 && open_poll(server, err) && (settings->is_ready || open_listener(server, err));
  if (opened && !make_options(server))
    opened = bus_fail(err, BUS_E_NOMEM, "out of memory for the gRPC server");
  if (opened && pthread_create(&server->thread, NULL, serve, server) != 0)
    opened = bus_fail(err, BUS_E_SYSTEM, "cannot start the thread of the gRPC server's sockets");
  if (!opened) {
    server_free(server);
    return false;
  }
  *ret = server;
  return true;
}

int bus_grpc_server_port(const struct bus_grpc_server *server) {
  return server->port;
}

void bus_grpc_server_drain(struct bus_grpc_server *server, int64_t serve_ms) {
  if (server)
    atomic_store(&server->drain_at, bus_monotonic() + serve_ms * BUS_MILLISECOND);
}

static bool has_calls(struct bus_grpc_server *server) {
  (void)pthread_mutex_lock(&server->lock);
  bool has = server->workers.queued > 0 || server->workers.running > server->workers.idle;
  (void)pthread_mutex_unlock(&server->lock);
  return has;
}

void bus_grpc_server_stop(struct bus_grpc_server *server) {
  if (server == NULL)
    return;
  int64_t now = bus_monotonic(), until = now + STOP_MS * BUS_MILLISECOND, drain_at = atomic_load(&server->drain_at);
  if (drain_at == 0 || drain_at > now)
    bus_grpc_server_drain(server, 0);
  while ((atomic_load(&server->connection_count) > 0 || has_calls(server)) && bus_monotonic() < until)
    (void)poll(NULL, 0, LOOK_MS);
  atomic_store(&server->stopping, true);
  grpc_workers_stop(server);
  atomic_store(&server->ends, true);
  (void)eventfd_write(server->wake_fd, 1);
  (void)pthread_join(server->thread, NULL);
  answer_changed(server);
  grpc_connections_close(server);
  server_free(server);
}
