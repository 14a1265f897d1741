/* The parts that the edge depends on: the broker, every service that takes a ping, whether queues take the
 * commands, and whether order-svc takes new orders. */
#include "edge.h"

#include <bus/clock.h>

static bool is_broker_up(void *context, int64_t timeout_ms) {
  const struct edge *edge = context;
  (void)timeout_ms; /* known already: the requester keeps its connection under heartbeats */
  return bus_requester_is_up(edge->requester) && !bus_requester_is_blocked(edge->requester);
}

enum { PING_MS = 1000 }; /* silent services in a row must not make /health itself look dead */
enum { ARENA_LIMIT = 1 << 14 };

static bool is_service_up(void *context, int64_t timeout_ms) {
  struct edge_service *service = context;
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  int64_t until = bus_monotonic() + (timeout_ms < PING_MS ? timeout_ms : PING_MS) * BUS_MILLISECOND;
  const void *pong = edge_ping_end(service, edge_ping_begin(service), until, arena);
  bool up = edge_ping_has_workers(service, pong);
  bus_arena_free(arena);
  return up;
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

void edge_health_open(struct edge *edge) {
  edge->checks[edge->check_count++] = (struct bus_health_check){.name = "message_queue", .is_up = is_broker_up};
  for (size_t i = 0; i < edge->service_count; i++)
    if (edge->services[i].ping)
      edge->checks[edge->check_count++] = (struct bus_health_check){
          .name = edge->services[i].name, .is_up = is_service_up, .context = &edge->services[i]};
  edge->checks[edge->check_count++] =
      (struct bus_health_check){.name = "commands", .is_up = are_commands_routed, .why = missing_bindings};
  edge->checks[edge->check_count++] =
      (struct bus_health_check){.name = "order_intake", .is_up = is_intake_open, .why = closed_intake};
}

bool edge_is_ready(void *context) {
  struct edge *edge = context;
  return !atomic_load(&edge->draining) && is_broker_up(edge, 0);
}
