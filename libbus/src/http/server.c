/* Starts and stops a server. */
#include "internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
  BODY_DEADLINE_MS = 5000,
  IDLE_MS = 75000, /* longer than the 60 s of common proxies: the one that closes first must not be the server */
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
  static const struct bus_metric_spec requests = BUS_COUNTER_SPEC("http_requests_total", "Requests answered.",
                                                                  .labels = {"listener", "method", "route", "status"});
  static const struct bus_metric_spec duration =
      BUS_HISTOGRAM_SPEC("http_request_duration_seconds", bounds, "From the end of the head to the answer.",
                         .labels = {"listener", "method", "route", "status"}, .scale = 1e-6);
  metrics->requests = bus_metric_register(&requests);
  metrics->duration = bus_metric_register(&duration);
}

void bus_http_metrics_register(void) {
  struct http_metrics unused;
  metrics_register(&unused);
  http_places_register();
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

/* Each connection takes a descriptor. */
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

static struct bus_http_server *server_new(const struct bus_http_settings *settings) {
  struct bus_http_server *server = calloc(1, sizeof *server);
  if (server == NULL)
    return NULL;
  server->settings = *settings;
  set_defaults(&server->settings);
  atomic_store(&server->listener, -1);
  server->watch.listener = server->watch.silent = -1;
  if (!http_places_init(&server->places, server->settings.threads)) {
    free(server);
    return NULL;
  }
  http_work_init(&server->work);
  http_pool_init(&server->pool);
  if (settings->metrics_name) {
    metrics_register(&server->metrics);
    http_places_show(&server->places, settings->metrics_name);
  }
  return server;
}

static void server_free(struct bus_http_server *server) {
  http_slow_stop(&server->places);
  http_work_done(&server->work);
  http_pool_done(&server->pool);
  http_places_done(&server->places);
  free(server);
}

/* Without it the server works, but silent connections take threads at once, and waiting ones are not counted. */
static void find_listener(struct bus_http_server *server) {
  if (!http_watch_start(&server->watch, server->port) || !http_listener_defer(server->watch.listener))
    bus_log(BUS_WARN, "the listening socket could not be set up", BUS_F_INT("port", server->port));
  atomic_store(&server->listener, server->watch.listener); /* the threads run already */
}

bool bus_http_server_start(const struct bus_http_settings *settings, const struct bus_http_route *routes,
                           size_t route_count, void *context, struct bus_http_server **ret, struct bus_error *err) {
  if (!http_routes_check(routes, route_count, err))
    return false;
  struct bus_http_server *server = server_new(settings);
  if (server == NULL)
    return bus_fail(err, BUS_E_NOMEM, "HTTP server");
  server->routes = routes;
  server->route_count = route_count;
  server->context = context;
  if (!http_slow_start(&server->places))
    bus_fail(err, BUS_E_SYSTEM, "cannot start the HTTP server's thread that shuts slow clients");
  if (!server->places.slow_runs || !provide_descriptors(server->settings.threads, err) ||
      !http_engine_start(server, err)) {
    server_free(server);
    return false;
  }
  find_listener(server);
  *ret = server;
  return true;
}

int bus_http_server_port(const struct bus_http_server *server) {
  return server->port;
}

/* ---- stop ---- */
/* Waits until every connection has ended. Checks in the order of their life: first connections to be accepted, then
 * those with a descriptor, some of which may have no thread yet. */
static void wait_all_gone(struct bus_http_server *server, int64_t until) {
  while (bus_monotonic() < until &&
         (http_listener_waiting(server->watch.listener) > 0 || http_sockets_count_open(server->port) > 0)) {
    (void)http_places_wait_none_open(&server->places, until);
    (void)poll(NULL, 0, LOOK_MS); /* no event says that the last one was accepted */
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
  http_sockets_end_idle(server->port);
  wait_all_gone(server, bus_monotonic() + STOP_WAIT_MS * BUS_MILLISECOND);
  if (fd >= 0)
    http_listener_shut(fd); /* wakes the accepting thread, which looks up every two seconds otherwise */
  http_engine_stop(&server->engine);
  http_watch_done(&server->watch);
  server_free(server);
}
