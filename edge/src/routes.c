/* Every path that the edge has, with its method and the largest body that it takes. */
#include "edge.h"

enum { BODY_LIMIT = 65536 };

/* The admin handlers' context is the admin, not the edge. */
static void live(void *edge, struct bus_http_exchange *exchange) {
  bus_admin_live(((struct edge *)edge)->admin, exchange);
}

static void ready(void *edge, struct bus_http_exchange *exchange) {
  bus_admin_ready(((struct edge *)edge)->admin, exchange);
}

static void health(void *edge, struct bus_http_exchange *exchange) {
  bus_admin_health(((struct edge *)edge)->admin, exchange);
}

static void metrics(void *edge, struct bus_http_exchange *exchange) {
  bus_admin_metrics(((struct edge *)edge)->admin, exchange);
}

const struct bus_http_route edge_routes[] = {
    {.method = "POST", .path = "/api/orders", .handler = edge_orders_post, .body_limit = BODY_LIMIT},
    {.method = "GET", .path = "/api/orders", .handler = edge_orders_list},
    {.method = "GET", .path = "/api/orders/{id}", .handler = edge_orders_get},
    {.method = "GET", .path = "/api/orders/{id}/events", .handler = edge_orders_events},
    {.method = "POST", .path = "/api/orders/{id}/cancel", .handler = edge_orders_cancel, .body_limit = BODY_LIMIT},
    {.method = "POST", .path = "/api/inventory/update", .handler = edge_inventory_update, .body_limit = BODY_LIMIT},
    {.method = "GET", .path = "/api/inventory/{product}", .handler = edge_products_get},
    {.method = "GET", .path = "/api/products", .handler = edge_products_list},
    {.method = "GET", .path = "/api/products/{product}", .handler = edge_products_get},
    {.method = "GET", .path = "/health", .handler = health, .is_probe = true, .any_host = true},
    {.method = "GET", .path = "/health/live", .handler = live, .is_probe = true, .any_host = true},
    {.method = "GET", .path = "/health/ready", .handler = ready, .is_probe = true, .any_host = true},
    {.method = "GET", .path = "/metrics", .handler = metrics, .is_probe = true}, /* last: see below */
};

size_t edge_route_count(bool has_metrics) {
  return BUS_COUNT(edge_routes) - (has_metrics ? 0 : 1);
}
