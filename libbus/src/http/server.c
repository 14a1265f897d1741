/* Starts and stops a server. */
#include "internal.h"

#include <bus/clock.h>

#include <arpa/inet.h>
#include <civetweb.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  BODY_DEADLINE_MS = 5000,
  IDLE_MS = 1000,
  HEAD_TIMEOUT_MS = 3000, /* also the longest wait for one byte of a body */
  REQUESTS_PER_CONNECTION = 100000,
  THREADS = 32,
  STOP_WAIT_S = 10,
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
                                                  .labels = {"listener", "route"},
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
                           "64",
                           "listen_backlog",
                           "1024",
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
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_mutex_init(&server->lock, NULL);
  pthread_cond_init(&server->quiet, &monotonic);
  pthread_condattr_destroy(&monotonic);
  http_pool_init(&server->pool);
  if (settings->metrics_name)
    metrics_register(&server->metrics);
  return server;
}

static void server_free(struct bus_http_server *server) {
  http_pool_done(&server->pool);
  pthread_cond_destroy(&server->quiet);
  pthread_mutex_destroy(&server->lock);
  free(server);
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
  pthread_once(&once, init_library);
  server->civetweb = start_civetweb(server);
  if (server->civetweb == NULL) {
    explain(&server->settings, err);
    server_free(server);
    return false;
  }
  struct mg_server_port port;
  server->port = mg_get_server_ports(server->civetweb, 1, &port) == 1 ? port.port : settings->port;
  *ret = server;
  return true;
}

int bus_http_server_port(const struct bus_http_server *server) {
  return server->port;
}

/* ---- stop ---- */
static void wait_quiet(struct bus_http_server *server) {
  struct timespec deadline;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  deadline.tv_sec += STOP_WAIT_S;
  pthread_mutex_lock(&server->lock);
  int waited = 0;
  while (server->running > 0 && waited == 0)
    waited = pthread_cond_timedwait(&server->quiet, &server->lock, &deadline);
  pthread_mutex_unlock(&server->lock);
}

struct waker {
  struct bus_http_server *server;
  atomic_bool done;
};

/* civetweb's accepting thread looks up every two seconds, or when somebody knocks. */
static void *knock(void *context) {
  struct waker *waker = context;
  const char *bind_to = waker->server->settings.bind;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)waker->server->port)};
  if (inet_pton(AF_INET, bind_to, &address.sin_addr) != 1)
    return NULL;
  while (!atomic_load(&waker->done)) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
      return NULL;
    (void)connect(fd, (const struct sockaddr *)&address, sizeof address); /* refused: it has looked up */
    usleep(20000);
    close(fd);
  }
  return NULL;
}

void bus_http_server_stop(struct bus_http_server *server) {
  if (server == NULL)
    return;
  atomic_store(&server->stopping, true);
  wait_quiet(server);
  struct waker waker = {.server = server};
  pthread_t thread;
  bool knocking = pthread_create(&thread, NULL, knock, &waker) == 0;
  mg_stop(server->civetweb);
  atomic_store(&waker.done, true);
  if (knocking)
    pthread_join(thread, NULL);
  server_free(server);
}
