/* Makes and ends what all requests share: the requester, what was accepted on the confirm, breakers and metrics. */
#include "edge.h"

#include <bus/clock.h>
#include <bus/hash.h>
#include <bus/log.h>

#include <stdio.h>

enum { ORDERS_CACHED = 1024, PRODUCTS_CACHED = 4096 };

/* First the gauges that are read at each scrape. */
enum {
  ACCEPTED_ORDERS,
  ACCEPTED_STOCK,
  BACKLOG_AGE,
  INTAKE_CLOSED,
  CONFIRM_IS_ENOUGH,
  BROKER_UP,
  UNROUTABLE,
  REFUSED,
  ORDERS,
  WAITING,
  ORDER_CACHE,
  PRODUCT_CACHE,
  RESYNCS,
};
static const struct bus_metric_spec specs[] = {
    [ACCEPTED_ORDERS] =
        BUS_GAUGE_SPEC("edge_accepted_orders", "Orders remembered that were accepted on a confirm alone."),
    [ACCEPTED_STOCK] = BUS_GAUGE_SPEC("edge_accepted_stock_updates",
                                      "Stock updates remembered that were accepted on a confirm alone."),
    [BACKLOG_AGE] = BUS_GAUGE_SPEC("edge_backlog_age_seconds",
                                   "Age of order-svc's oldest unsent message, as it said last.", .scale = 1e-6),
    [INTAKE_CLOSED] = BUS_GAUGE_SPEC("edge_intake_closed", "1 while new orders are refused: order-svc takes none."),
    [CONFIRM_IS_ENOUGH] =
        BUS_GAUGE_SPEC("edge_confirm_is_enough", "1 while orders are answered on the confirm at once."),
    [BROKER_UP] = BUS_GAUGE_SPEC("edge_broker_up", "1 while the message queue takes messages."),
    [UNROUTABLE] =
        BUS_GAUGE_SPEC("edge_unroutable", "1 while no queue is bound for the command.", .labels = {"command"}),
    [REFUSED] = BUS_COUNTER_SPEC("edge_refused_total", "Requests answered 503, by cause.", .labels = {"cause"}),
    [ORDERS] = BUS_COUNTER_SPEC("edge_orders_accepted_total",
                                "Orders answered 2xx: on order-svc's answer, on the confirm alone, or replayed.",
                                .labels = {"kind"}),
    [WAITING] = BUS_GAUGE_SPEC("edge_waiting_requests",
                               "Requests that wait for the bus; long: because of a Prefer header.", .labels = {"kind"}),
    [ORDER_CACHE] = BUS_COUNTER_SPEC("edge_order_cache_total", "Reads of one order.", .labels = {"result"}),
    [PRODUCT_CACHE] = BUS_COUNTER_SPEC("edge_product_cache_total", "Reads of one product.", .labels = {"result"}),
    [RESYNCS] = BUS_COUNTER_SPEC("edge_resyncs_total", "How often events were missed."),
};

void edge_metrics_register(void) {
  for (size_t i = 0; i < BUS_COUNT(specs); i++)
    bus_metric_register(&specs[i]);
  bus_breaker_metrics_register();
}

static struct bus_series *series(size_t spec, const char *value) {
  return bus_metric_series(bus_metric_register(&specs[spec]), (const char *const[]){value});
}

static int64_t read_accepted(void *context) {
  return (int64_t)accepted_count(context);
}

static int64_t read_backlog(void *context) {
  return backlog_age(context);
}

static int64_t read_intake(void *context) {
  return intake_is_closed(context, bus_monotonic());
}

static int64_t read_mode(void *context) {
  return accept_mode_is_confirm(context);
}

static int64_t read_broker(void *context) {
  return bus_requester_is_up(context) && !bus_requester_is_blocked(context);
}

static void open_gauges(struct edge *edge) {
  bus_metric_callback(&specs[ACCEPTED_ORDERS], read_accepted, edge->accepted);
  bus_metric_callback(&specs[ACCEPTED_STOCK], read_accepted, edge->accepted_stock);
  bus_metric_callback(&specs[BACKLOG_AGE], read_backlog, &edge->backlog);
  bus_metric_callback(&specs[INTAKE_CLOSED], read_intake, &edge->intake);
  bus_metric_callback(&specs[CONFIRM_IS_ENOUGH], read_mode, &edge_sent_command(edge, &order_place_type)->mode);
  bus_metric_callback(&specs[BROKER_UP], read_broker, edge->requester);
}

/* Misses and hits. */
static void open_cache(size_t spec, struct bus_series *ret[2]) {
  ret[true] = series(spec, "hit");
  ret[false] = series(spec, "miss");
}

static void open_routing_gauges(struct edge *edge) {
  for (size_t i = 0; i < edge->command_count; i++) {
    char name[BUS_TYPE_MAX];
    struct bus_str key = bus_message_key(edge->commands[i].type);
    (void)snprintf(name, sizeof name, "%.*s", (int)key.len, key.data); /* shorter than the type */
    edge->commands[i].shown_unroutable = series(UNROUTABLE, name);
  }
}

static void open_counters(struct edge_metrics *metrics) {
  for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
    metrics->refused[i] = series(REFUSED, refusal_name((enum refusal)i));
  metrics->orders_answered = series(ORDERS, "answered");
  metrics->orders_confirmed = series(ORDERS, "confirmed");
  metrics->orders_replayed = series(ORDERS, "replayed");
  open_cache(ORDER_CACHE, metrics->order_reads);
  open_cache(PRODUCT_CACHE, metrics->product_reads);
  metrics->resyncs = bus_metric_series(bus_metric_register(&specs[RESYNCS]), NULL);
  metrics->waiting = series(WAITING, "any");
  metrics->long_waiting = series(WAITING, "long");
}

/* Without a key of its own for all edges each process makes one: its hashes cannot be compared with another's, nor
 * found by trying ids. */
static void make_customer_key(const char *text, uint8_t key[32]) {
  uint64_t seed[4];
  if (text && *text) {
    bus_sha256(bus_str(text), key);
    return;
  }
  bus_random_seed(seed);
  memcpy(key, seed, sizeof seed);
}

static bool open_users(struct edge *edge, struct bus_error *err) {
  const char *key = edge->settings->user_seal_key;
  edge->has_users = key && *key;
  if (!bus_secret_init(err))
    return false;
  return !edge->has_users || bus_seal_key_parse(bus_str(key), &edge->user_key) ||
         bus_fail(err, BUS_E_CONFIG, "USER_SEAL_KEY must be 43 characters of base64url");
}

static bool open_requester(struct edge *edge, const struct bus_topology *topology, struct bus_error *err) {
  uint64_t seed[4];
  struct bus_uuid_source source;
  struct bus_uuid uuid;
  bus_random_seed(seed);
  bus_uuid_source_init(&source, seed);
  edge->started_at = bus_wall_clock();
  bus_uuid_v7(&source, edge->started_at, &uuid);
  bus_uuid_format(&uuid, edge->instance);
  return bus_requester_new(&(struct bus_requester_settings){.amqp_url = edge->settings->rabbitmq_url.text,
                                                            .amqp_url_file = edge->settings->rabbitmq_url.file,
                                                            .dns_server = edge->settings->dns_server,
                                                            .tls = edge->settings->rabbitmq_tls,
                                                            .service = "edge",
                                                            .instance = edge->instance,
                                                            .heartbeat_s = edge->settings->heartbeat_s,
                                                            .max_open = (int)edge->settings->max_open_requests,
                                                            .bundle_max = (int)edge->settings->bundle_max,
                                                            .gather_ms = edge->settings->gather_ms,
                                                            .shards = bus_topology_shards(topology)},
                           &edge->requester, err);
}

/* Last: events find the whole edge. */
static bool open_listener(struct edge *edge, const struct bus_topology *topology, struct bus_error *err) {
  return bus_listener_new(&(struct bus_listener_settings){.amqp_url = edge->settings->rabbitmq_url.text,
                                                          .amqp_url_file = edge->settings->rabbitmq_url.file,
                                                          .dns_server = edge->settings->dns_server,
                                                          .tls = edge->settings->rabbitmq_tls,
                                                          .instance = edge->instance,
                                                          .heartbeat_s = edge->settings->heartbeat_s,
                                                          .topology = topology,
                                                          .queue = bus_topology_queue(topology, "edge.event"),
                                                          .calls = &edge_listener_calls,
                                                          .context = edge},
                          &edge->listener, err);
}

/* Behind the requester: with AUTH=own the keys come by it. */
static bool open_auth(struct edge *edge, struct bus_error *err) {
  struct edge_key_source own = edge_own_source(edge);
  return edge_auth_open(edge->settings, &own, &edge->auth, err);
}

bool edge_open(struct edge *edge, const struct edge_settings *settings, const struct bus_topology *topology,
               struct bus_error *err) {
  const struct bus_breaker_settings breaker = edge_breaker_settings(settings);
  *edge = (struct edge){
      .settings = settings,
      .accepted = accepted_new(ACCEPTED_MAX),
      .accepted_stock = accepted_new(ACCEPTED_MAX),
      .orders = view_cache_new(&order_view_schema, ORDERS_CACHED, settings->order_cache_ms * BUS_MILLISECOND),
      .products = view_cache_new(&product_view_schema, PRODUCTS_CACHED, settings->product_cache_ms * BUS_MILLISECOND),
  };
  if (edge->accepted == NULL || edge->accepted_stock == NULL || edge->orders == NULL || edge->products == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for accepted orders and stock updates, or for cached views");
  make_customer_key(settings->customer_hash_key, edge->customer_key);
  edge->backlog.limit = settings->shed_outbox_age_ms * BUS_MILLISECOND;
  own_keys_init(&edge->own_keys);
  if (!open_users(edge, err) || !edge_services_open(edge, topology, &breaker, err) ||
      !edge_queues_open(&edge->queues, topology, err) || !open_requester(edge, topology, err) || !open_auth(edge, err))
    return false;
  edge_reads_init(&edge->reads);
  streams_init(&edge->streams);
  streams_init(&edge->feeds);
  feed_init(&edge->feed);
  instances_init(&edge->instances);
  edge_health_open(edge);
  open_counters(&edge->metrics);
  open_gauges(edge);
  open_routing_gauges(edge);
  if (settings->psp_webhook_secret[0] == '\0')
    bus_log(BUS_INFO, "PSP_WEBHOOK_SECRET is not set: events of the payment provider are answered 503");
  return edge_watch_start(edge, err) && open_listener(edge, topology, err);
}

void edge_begin_drain(struct edge *edge) {
  atomic_store(&edge->draining, true);
  bus_requester_hurry(edge->requester);
}

void edge_close(struct edge *edge) {
  bus_listener_free(edge->listener);
  edge_watch_stop(edge);
  edge_auth_close(edge->auth);
  bus_requester_free(edge->requester);
  own_keys_close(&edge->own_keys);
  edge_queues_close(&edge->queues);
  accepted_free(edge->accepted);
  accepted_free(edge->accepted_stock);
  view_cache_free(edge->orders);
  view_cache_free(edge->products);
  *edge = (struct edge){.settings = edge->settings};
}
