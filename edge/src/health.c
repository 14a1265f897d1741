/* The parts that the edge depends on: the broker, every service by a ping over the bus, whether queues take the
 * commands, and whether order-svc takes new orders. */
#include "edge.h"

#include <bus/clock.h>

#include <bus/pong.h>
#include <payment_messages.h>

static bool is_broker_up(void *context, int64_t timeout_ms) {
  const struct edge *edge = context;
  (void)timeout_ms; /* known already: the requester keeps its connection under heartbeats */
  return bus_requester_is_up(edge->requester) && !bus_requester_is_blocked(edge->requester);
}

enum { PING_MS = 1000 }; /* three silent services in a row must not make /health itself look dead */

enum { ARENA_LIMIT = 1 << 14 };

/* The answer comes from a thread for queries, and so closes the breaker of queries; what it says of the threads that
 * take commands is asked of its body. breaker: NULL where the service has none. */
static bool ping(struct edge *edge, struct edge_breaker *breaker, const struct bus_request *request,
                 const struct bus_message_type *answer, bool (*is_up)(const void *pong), int64_t timeout_ms) {
  struct bus_pending *pending = bus_request_begin(edge->requester, request);
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  const struct bus_message_type *type;
  const void *pong;
  int64_t until = bus_monotonic() + (timeout_ms < PING_MS ? timeout_ms : PING_MS) * BUS_MILLISECOND;
  bool answered = pending && bus_request_wait(pending, until, false) == BUS_REQUEST_ANSWERED;
  bool up = answered && arena && bus_request_answer(pending, &answer, 1, arena, &type, &pong) && is_up(pong);
  if (answered && breaker)
    edge_breaker_alive(breaker, bus_monotonic());
  if (pending)
    bus_request_end(pending);
  bus_arena_free(arena);
  return up;
}

static bool has_order_workers(const void *pong) {
  return !((const struct order_pong *)pong)->workers_down;
}

static bool has_workers(const void *pong) {
  return !((const struct bus_pong *)pong)->workers_down;
}

static bool is_order_service_up(void *context, int64_t timeout_ms) {
  const struct bus_request request = {.type = &order_ping_type, .body = &(struct order_ping){.deep = false}};
  struct edge *edge = context;
  return ping(edge, &edge->breakers[EDGE_ORDER_SERVICE], &request, &order_pong_type, has_order_workers, timeout_ms);
}

static bool is_inventory_service_up(void *context, int64_t timeout_ms) {
  const struct bus_request request = {.type = &inventory_ping_type, .body = &(struct inventory_ping){.deep = false}};
  struct edge *edge = context;
  return ping(edge, &edge->breakers[EDGE_INVENTORY_SERVICE], &request, &inventory_pong_type, has_workers, timeout_ms);
}

static bool is_payment_service_up(void *context, int64_t timeout_ms) {
  const struct bus_request request = {.type = &payment_ping_type, .body = &(struct payment_ping){.deep = false}};
  return ping(context, NULL, &request, &payment_pong_type, has_workers, timeout_ms);
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
