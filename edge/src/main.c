/* The edge: REST in, commands and queries over the message queue out. Wiring only. */
#include "edge.h"

#include <bus/amqp.h>
#include <bus/consul.h>
#include <bus/failpoint.h>
#include <bus/grpc.h>
#include <bus/log.h>
#include <bus/otlp.h>
#include <bus/probe.h>
#include <bus/tls.h>

#include <malloc.h>
#include <orderbus_topology.h>

#include "grpc_front.h"

struct listeners {
  struct bus_http_server *api;
  struct bus_admin *admin;
  struct grpc_front *grpc;   /* NULL: off */
  struct bus_tls *tls;       /* NULL: plain HTTP */
  struct bus_otlp *otlp;     /* NULL: no tracing */
  struct bus_consul *consul; /* NULL: not registered */
};

enum { LARGE_BYTES = 32768, FLUSH_SPANS_MS = 1000 };

/* 256 threads over many malloc arenas would keep memory that they no longer use; what is large goes back to the kernel
 * as soon as it is freed. Without any of this the edge is only larger. */
static void bound_memory(void) {
  (void)mallopt(M_ARENA_MAX, 1);
  (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
  (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
}

static bool is_ready(void *context) {
  return edge_is_ready(context) && edge_auth_is_ready(((struct edge *)context)->auth);
}

static bool start_admin(struct edge *edge, struct listeners *listeners, struct bus_error *err) {
  const struct bus_admin_settings settings = {.bind = edge->settings->bind,
                                              .port = (int)edge->settings->admin_port,
                                              .tls = listeners->tls,
                                              .access_log = (enum bus_access_log)edge->settings->access_log,
                                              .checks = edge->checks,
                                              .check_count = edge->check_count,
                                              .is_ready = is_ready,
                                              .context = edge};
  if (!bus_admin_start(&settings, &listeners->admin, err))
    return bus_error_wrap(err, "ADMIN_PORT");
  edge->admin = listeners->admin;
  return true;
}

static bool guard(void *context, struct bus_http_exchange *exchange) {
  return edge_auth_admit(((struct edge *)context)->auth, exchange);
}

static bool start_api(struct edge *edge, struct listeners *listeners, struct bus_error *err) {
  static struct edge_list hosts, origins;
  static struct bus_networks proxies;
  bool any = strcmp(edge->settings->allowed_hosts, "*") == 0;
  if (!edge_hosts_parse(edge->settings->allowed_hosts, &hosts, err) ||
      !edge_origins_parse(edge->settings->cors_origins, &origins, err))
    return false;
  if (!bus_networks_parse(edge->settings->trusted_proxies, &proxies, err))
    return bus_error_wrap(err, "TRUSTED_PROXIES");
  const struct bus_http_settings settings = {.bind = edge->settings->bind,
                                             .port = (int)edge->settings->port,
                                             .tls = listeners->tls,
                                             .threads = (int)edge->settings->http_threads,
                                             .body_deadline_ms = edge->settings->body_deadline_ms,
                                             .idle_ms = edge->settings->keep_alive_ms,
                                             .address_connections = (int)edge->settings->address_connections,
                                             .work_max = edge->settings->shed_requests,
                                             .work_age_ms = edge->settings->shed_requests_age_ms,
                                             .hosts = any ? NULL : hosts.items,
                                             .origins = origins.items[0] ? origins.items : NULL,
                                             .default_prefix = "/api",
                                             .metrics_name = "api",
                                             .access_log = (enum bus_access_log)edge->settings->access_log,
                                             .tracer = bus_otlp_tracer(listeners->otlp),
                                             .span_note = "order_id",
                                             .trusted_proxies = &proxies,
                                             .client_key = edge->customer_key,
                                             .guard = edge->auth ? guard : NULL};
  if (!bus_http_server_start(&settings, edge_routes, edge_route_count(edge->settings->public_metrics), edge,
                             &listeners->api, err))
    return false;
  const struct grpc_front_settings grpc = {edge->settings, &proxies, listeners->tls, listeners->api, is_ready, edge};
  return grpc_front_start(&grpc, &listeners->grpc, err);
}

static bool start_tracing(struct edge *edge, struct listeners *listeners, struct bus_error *err) {
  const struct bus_span_resource resource = {
      .service = "edge", .instance = edge->instance, .version = ORDERBUS_VERSION};
  return bus_otlp_start(&edge->settings->tracing, &resource, &listeners->otlp, err);
}

static bool start_consul(struct edge *edge, struct listeners *listeners, struct bus_error *err) {
  const struct bus_consul_service service = {.name = "edge",
                                             .version = ORDERBUS_VERSION,
                                             .address = edge->settings->bind,
                                             .port = (int)edge->settings->port,
                                             .health_port = (int)edge->settings->admin_port,
                                             .tls = listeners->tls != NULL,
                                             .is_ready = is_ready,
                                             .context = edge};
  return bus_consul_start(&edge->settings->consul, &service, &listeners->consul, err);
}

/* Load balancers and proxies are to notice nothing but an edge that is not ready. */
static void drain(struct edge *edge, const struct listeners *listeners) {
  edge_begin_drain(edge);
  grpc_front_drain(listeners->grpc, edge->settings->drain_ms);
  bus_http_server_drain(listeners->api, edge->settings->drain_ms, edge->settings->drain_kept_ms);
}

/* The longest that drain takes. */
static int64_t drain_limit_ms(const struct edge_settings *settings) {
  return settings->drain_ms > settings->drain_kept_ms ? settings->drain_ms : settings->drain_kept_ms;
}

/* In this order: no new requests, then those under way, then their spans, then the bus. */
static void stop(struct edge *edge, struct listeners *listeners) {
  BUS_CRASH_POINT("edge.draining");
  grpc_front_stop(listeners->grpc); /* its calls are carried by the API */
  bus_http_server_stop(listeners->api);
  BUS_CRASH_POINT("edge.drained");
  if (listeners->admin)
    bus_admin_stop(listeners->admin);
  bus_tls_free(listeners->tls);
  bus_otlp_stop(listeners->otlp, FLUSH_SPANS_MS);
  edge_close(edge);
}

static bool start(struct edge *edge, struct listeners *listeners, struct bus_error *err) {
  return edge_settings_check(&edge_settings, err) && bus_trace_options_check(&edge_settings.tracing, err) &&
         bus_amqp_url_check(edge_settings.rabbitmq_url.text, err) &&
         bus_tls_files_check(&edge_settings.rabbitmq_tls, "RABBITMQ", err) &&
         bus_tls_new(&edge_settings.tls, &listeners->tls, err) &&
         bus_topology_set_shards(&orderbus_topology, edge_settings.queue_shards, err) &&
         edge_open(edge, &edge_settings, &orderbus_topology, err) && start_admin(edge, listeners, err) &&
         start_tracing(edge, listeners, err) && start_api(edge, listeners, err) && start_consul(edge, listeners, err);
}

static int serve(void) {
  static struct edge edge;
  struct listeners listeners = {.api = NULL};
  struct bus_error err;
  bool started = start(&edge, &listeners, &err);
  if (started) {
    bus_tls_follow_hangup(listeners.tls);
    bus_tls_show_client(&edge_settings.rabbitmq_tls);
    bus_log(BUS_INFO, "serving", BUS_F_STR("bind", edge_settings.bind), BUS_F_INT("port", edge_settings.port),
            BUS_F_INT("admin_port", edge_settings.admin_port), BUS_F_STR("version", ORDERBUS_VERSION));
    bus_log(BUS_INFO, "stopping", BUS_F_INT("signal", bus_process_wait(drain_limit_ms(&edge_settings))));
    bus_consul_stop(listeners.consul); /* while it still serves */
    drain(&edge, &listeners);
  } else {
    bus_log(BUS_ERROR, "cannot start", BUS_F_STR("error", err.text));
  }
  stop(&edge, &listeners);
  if (started)
    bus_log(BUS_INFO, "stopped");
  return started ? 0 : 1;
}

enum { FLAG_HEALTH, FLAG_OPENAPI, FLAG_METRICS };

static int print_metrics(void) {
  edge_metrics_register();
  bus_grpc_metrics_register();
  return bus_admin_print_metrics();
}

static int carry_out(int flag) {
  if (flag == FLAG_OPENAPI)
    return edge_print_openapi();
  if (flag == FLAG_METRICS)
    return print_metrics();
  return bus_probe_main("edge", edge_settings.bind, edge_settings.admin_port,
                        bus_tls_path(edge_settings.tls.cert) != NULL, "/health/ready");
}

int main(int argc, char **argv) {
  static const char *const flags[] = {
      [FLAG_HEALTH] = BUS_FLAG_HEALTH, [FLAG_OPENAPI] = "--print-openapi", [FLAG_METRICS] = BUS_FLAG_METRICS, NULL};
  int flag;
  bus_process_without_thread_caches(argv);
  bus_process_init();
  bound_memory();
  int status = bus_config_main(argc, argv, "edge", ORDERBUS_VERSION,
                               "Takes orders over REST and passes them to the message queue.", &edge_option_table, 1,
                               flags, &flag);
  if (status >= 0)
    return status;
  if (flag >= 0)
    return carry_out(flag);
  bus_log_init("edge", (enum bus_level)edge_settings.log_level);
  bus_metrics_register_process();
  return serve();
}
