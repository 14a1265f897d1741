/* Starts and stops a server. */
#include "internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <civetweb.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  BODY_DEADLINE_MS = 5000,
  IDLE_MS = 75000,        /* longer than the 60 s of common proxies: the one that closes first must not be the server */
  HEAD_TIMEOUT_MS = 3000, /* also the longest wait for one byte of a body */
  REQUESTS_PER_CONNECTION = 100000,
  THREADS = 32,
  STOP_WAIT_MS = 10000,
  HANDSHAKE_MS = 200, /* from a connection's first packet to its request, over any link of a proxy */
  LOOK_MS = 10,
  SPARE_DESCRIPTORS = 64, /* beside one for each connection: brokers, logs, /proc */
};

/* ---- metrics ---- */
static void metrics_register(struct http_metrics *metrics) {
  static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  static const struct bus_metric_spec requests = {.name = "http_requests_total",
                                                  .help = "Requests answered.",
                                                  .kind = BUS_COUNTER,
                                                  .labels = {"listener", "method", "route", "status"}};
  static const struct bus_metric_spec duration = {.name = "http_request_duration_seconds",
                                                  .help = "From the end of the head to the answer.",
                                                  .kind = BUS_HISTOGRAM,
                                                  .labels = {"listener", "method", "route", "status"},
                                                  .bounds = bounds,
                                                  .bound_count = BUS_COUNT(bounds),
                                                  .scale = 1e-6};
  metrics->requests = bus_metric_register(&requests);
  metrics->duration = bus_metric_register(&duration);
}

/* ---- start ---- */
static void set_defaults(struct bus_http_settings *settings) {
  if (settings->threads <= 0)
    settings->threads = THREADS;
  if (settings->body_deadline_ms <= 0)
    settings->body_deadline_ms = BODY_DEADLINE_MS;
  if (settings->idle_ms <= 0)
    settings->idle_ms = IDLE_MS;
  if (settings->requests_per_connection <= 0)
    settings->requests_per_connection = REQUESTS_PER_CONNECTION;
}

/* Why the address cannot be had; civetweb itself only says that it failed. */
static int bind_errno(const struct bus_http_settings *settings) {
  char host[64], port[12];
  size_t len = strlen(settings->bind);
  bool bracketed = len >= 2 && settings->bind[0] == '[';
  snprintf(host, sizeof host, "%.*s", (int)(bracketed ? len - 2 : len), settings->bind + (bracketed ? 1 : 0));
  snprintf(port, sizeof port, "%d", settings->port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *list;
  if (getaddrinfo(host, port, &hints, &list) != 0)
    return EINVAL;
  int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  errno = 0;
  if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      bind(fd, list->ai_addr, list->ai_addrlen) == 0)
    (void)listen(fd, 1); /* errno is the result */
  int failed = errno;
  if (fd >= 0)
    close(fd);
  freeaddrinfo(list);
  return failed;
}

static bool explain(const struct bus_http_settings *settings, struct bus_error *err) {
  int failed = bind_errno(settings);
  if (failed == 0)
    return bus_fail(err, BUS_E_SYSTEM, "no HTTP server on %s:%d with %d threads", settings->bind, settings->port,
                    settings->threads);
  return bus_fail(err, BUS_E_CONFIG, "cannot listen on %s:%d: %s; set BIND or PORT to another address", settings->bind,
                  settings->port, strerror(failed));
}

/* Each connection takes a descriptor. When accept() finds none, civetweb asks again at once, and again, without a word.
 */
static bool provide_descriptors(int threads, struct bus_error *err) {
  struct rlimit limit;
  const rlim_t needed = (rlim_t)threads + SPARE_DESCRIPTORS;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
    return true;
  if (limit.rlim_max < needed)
    return bus_fail(err, BUS_E_CONFIG,
                    "%d HTTP threads need %llu file descriptors, and the process may have %llu: raise the limit "
                    "(ulimit -n, LimitNOFILE) or lower HTTP_THREADS",
                    threads, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
  limit.rlim_cur = needed;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ||
         bus_fail(err, BUS_E_SYSTEM, "cannot raise the limit of file descriptors to %llu: %s",
                  (unsigned long long)needed, strerror(errno));
}

static struct mg_context *start_civetweb(struct bus_http_server *server) {
  const struct bus_http_settings *settings = &server->settings;
  int64_t head_ms = settings->body_deadline_ms < HEAD_TIMEOUT_MS ? settings->body_deadline_ms : HEAD_TIMEOUT_MS;
  char listen_on[96], threads[12], read_buffer[12], idle_ms[24], timeout_ms[24];
  snprintf(listen_on, sizeof listen_on, "%s:%d", settings->bind, settings->port);
  snprintf(threads, sizeof threads, "%d", settings->threads);
  snprintf(read_buffer, sizeof read_buffer, "%d", HTTP_READ_BUFFER);
  snprintf(idle_ms, sizeof idle_ms, "%lld", (long long)settings->idle_ms);
  snprintf(timeout_ms, sizeof timeout_ms, "%lld", (long long)head_ms);
  const char *options[] = {"listening_ports",
                           listen_on,
                           "num_threads",
                           threads,
                           "tcp_nodelay",
                           "1",
                           "max_request_size",
                           read_buffer,
                           "connection_queue",
                           "1", /* others wait in the kernel, where they can be counted */
                           "listen_backlog",
                           "4096", /* the kernel takes net.core.somaxconn where that is less */
                           "enable_keep_alive",
                           "yes",
                           "keep_alive_timeout_ms",
                           idle_ms,
                           "request_timeout_ms",
                           timeout_ms,
                           "decode_url",
                           "no",
                           "decode_query_string",
                           "no",
                           "access_control_allow_origin",
                           "",
                           "access_control_allow_methods",
                           "",
                           "access_control_allow_headers",
                           "",
                           "enable_directory_listing",
                           "no",
                           "enable_auth_domain_check",
                           "no",
                           "cgi_pattern",
                           "",
                           "ssi_pattern",
                           "",
                           NULL};
  return mg_start(&http_callbacks, server, options);
}

static void init_library(void) {
  mg_init_library(MG_FEATURES_DEFAULT);
}

static struct bus_http_server *server_new(const struct bus_http_settings *settings) {
  struct bus_http_server *server = calloc(1, sizeof *server);
  if (server == NULL)
    return NULL;
  server->settings = *settings;
  set_defaults(&server->settings);
  atomic_store(&server->listener, -1);
  server->watch.listener = server->watch.silent = -1;
  http_places_init(&server->places, server->settings.threads);
  http_pool_init(&server->pool);
  if (settings->metrics_name)
    metrics_register(&server->metrics);
  return server;
}

static void server_free(struct bus_http_server *server) {
  http_pool_done(&server->pool);
  http_places_done(&server->places);
  free(server);
}

/* Without it the server works, but silent connections take threads and nobody knows who waits. */
static void find_listener(struct bus_http_server *server) {
  if (!http_watch_start(&server->watch, server->port) || !http_listener_defer(server->watch.listener))
    bus_log(BUS_WARN, "the listening socket could not be set up", BUS_F_INT("port", server->port));
  atomic_store(&server->listener, server->watch.listener); /* civetweb's threads run already */
}

bool bus_http_server_start(const struct bus_http_settings *settings, const struct bus_http_route *routes,
                           size_t route_count, void *context, struct bus_http_server **ret, struct bus_error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (!http_routes_check(routes, route_count, err))
    return false;
  struct bus_http_server *server = server_new(settings);
  if (server == NULL)
    return bus_fail(err, BUS_E_NOMEM, "HTTP server");
  server->routes = routes;
  server->route_count = route_count;
  server->context = context;
  if (!provide_descriptors(server->settings.threads, err)) {
    server_free(server);
    return false;
  }
  pthread_once(&once, init_library);
  server->civetweb = start_civetweb(server);
  if (server->civetweb == NULL) {
    explain(&server->settings, err);
    server_free(server);
    return false;
  }
  struct mg_server_port port;
  server->port = mg_get_server_ports(server->civetweb, 1, &port) == 1 ? port.port : settings->port;
  find_listener(server);
  *ret = server;
  return true;
}

int bus_http_server_port(const struct bus_http_server *server) {
  return server->port;
}

/* ---- stop ---- */
/* Until every connection has ended. They are looked at in the order in which they go: those that wait to be accepted
 * first, then those that have a descriptor, of which civetweb may not have given each to a thread yet. */
static void wait_all_gone(struct bus_http_server *server, int64_t until) {
  while (bus_monotonic() < until &&
         (http_listener_waiting(server->watch.listener) > 0 || http_listener_count_open(server->port) > 0)) {
    (void)http_places_wait_none_open(&server->places, until);
    (void)poll(NULL, 0, LOOK_MS); /* nobody tells when civetweb has taken the last one */
  }
}

void bus_http_server_drain(struct bus_http_server *server, int64_t serve_ms, int64_t kept_ms) {
  int64_t began = bus_monotonic();
  http_places_drain(&server->places);
  (void)poll(NULL, 0, (int)serve_ms); /* the time that load balancers need to see that this server is not ready */
  (void)http_places_wait_none_kept(&server->places, began + kept_ms * BUS_MILLISECOND);
  int fd = server->watch.listener;
  if (fd >= 0 && http_listener_refuse_new(fd))
    (void)poll(NULL, 0, HANDSHAKE_MS); /* a socket in the middle of its handshake can only be waited for */
}

void bus_http_server_stop(struct bus_http_server *server) {
  if (server == NULL)
    return;
  int fd = server->watch.listener;
  http_watch_stop(&server->watch);
  atomic_store(&server->stopping, true);
  http_places_drain(&server->places);
  if (fd >= 0)
    (void)http_listener_refuse_new(fd); /* where the kernel cannot, the last connections are reset */
  http_listener_end_idle(server->port);
  wait_all_gone(server, bus_monotonic() + STOP_WAIT_MS * BUS_MILLISECOND);
  if (fd >= 0)
    http_listener_shut(fd); /* wakes civetweb's accepting thread, which looks up every two seconds otherwise */
  mg_stop(server->civetweb);
  http_watch_done(&server->watch);
  server_free(server);
}
