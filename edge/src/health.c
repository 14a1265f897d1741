/* The parts that the edge depends on: the broker, every service by a ping over the bus, whether queues take the
 * commands, and whether order-svc takes new orders. */
#include "edge.h"

#include <bus/clock.h>

static bool is_broker_up(void *context, int64_t timeout_ms) {
  const struct edge *edge = context;
  (void)timeout_ms; /* known already: the requester keeps its connection under heartbeats */
  return bus_requester_is_up(edge->requester) && !bus_requester_is_blocked(edge->requester);
}

enum { PING_MS = 1000 }; /* three silent services in a row must not make /health itself look dead */
enum { ARENA_LIMIT = 1 << 14 };

static bool ping(struct edge *edge, const struct edge_ping *ping, int64_t timeout_ms) {
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  int64_t until = bus_monotonic() + (timeout_ms < PING_MS ? timeout_ms : PING_MS) * BUS_MILLISECOND;
  const void *pong = edge_ping_end(edge, ping, edge_ping_begin(edge, ping), until, arena);
  bool up = edge_ping_has_workers(ping, pong);
  bus_arena_free(arena);
  return up;
}

static bool is_order_service_up(void *edge, int64_t timeout_ms) {
  return ping(edge, &edge_ping_order, timeout_ms);
}

static bool is_inventory_service_up(void *edge, int64_t timeout_ms) {
  return ping(edge, &edge_ping_inventory, timeout_ms);
}

static bool is_payment_service_up(void *edge, int64_t timeout_ms) {
  return ping(edge, &edge_ping_payment, timeout_ms);
}

/* As the newest commands showed: a command that nobody needs is no probe. */
static bool are_commands_routed(void *context, int64_t timeout_ms) {
  (void)timeout_ms;
  return edge_routing_is_whole(context);
}

static struct bus_str missing_bindings(void *context, struct bus_arena *arena) {
  return edge_routing_missing(context, arena);
}

/* As order-svc reported last. */
static bool is_intake_open(void *context, int64_t timeout_ms) {
  const struct edge *edge = context;
  (void)timeout_ms;
  return !intake_is_closed(&edge->intake, bus_monotonic());
}

static struct bus_str closed_intake(void *context, struct bus_arena *arena) {
  (void)context, (void)arena;
  return BUS_STR("order-svc takes no new orders: too many are open, or late");
}

const struct bus_health_check edge_health_checks[EDGE_HEALTH_CHECKS] = {
    {.name = "message_queue", .is_up = is_broker_up},
    {.name = "order_service", .is_up = is_order_service_up},
    {.name = "inventory_service", .is_up = is_inventory_service_up},
    {.name = "payment_service", .is_up = is_payment_service_up},
    {.name = "commands", .is_up = are_commands_routed, .why = missing_bindings},
    {.name = "order_intake", .is_up = is_intake_open, .why = closed_intake},
};

bool edge_is_ready(void *context) {
  struct edge *edge = context;
  return !atomic_load(&edge->draining) && is_broker_up(edge, 0);
}
