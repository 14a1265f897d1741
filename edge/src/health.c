/* What the edge stands on, each really asked: the broker, and every service by a ping over the bus. */
#include "edge.h"

#include <bus/clock.h>

#include <payment_messages.h>

static bool is_broker_up(void *context, int64_t timeout_ms) {
  const struct edge *edge = context;
  (void)timeout_ms; /* known already: the requester keeps its connection under heartbeats */
  return bus_requester_is_up(edge->requester) && !bus_requester_is_blocked(edge->requester);
}

enum { PING_MS = 1000 }; /* three silent services in a row must not make /health itself look dead */

/* The answer itself is the proof; its body says nothing. */
static bool ping(struct edge *edge, const struct bus_message_type *type, const void *body, int64_t timeout_ms) {
  struct bus_pending *pending = bus_request_begin(edge->requester, &(struct bus_request){.type = type, .body = body});
  if (pending == NULL)
    return false;
  int64_t until = bus_monotonic() + (timeout_ms < PING_MS ? timeout_ms : PING_MS) * BUS_MILLISECOND;
  bool is_up = bus_request_wait(pending, until, false) == BUS_REQUEST_ANSWERED;
  bus_request_end(pending);
  return is_up;
}

static bool is_order_service_up(void *context, int64_t timeout_ms) {
  return ping(context, &order_ping_type, &(struct order_ping){.deep = false}, timeout_ms);
}

static bool is_inventory_service_up(void *context, int64_t timeout_ms) {
  return ping(context, &inventory_ping_type, &(struct inventory_ping){.deep = false}, timeout_ms);
}

static bool is_payment_service_up(void *context, int64_t timeout_ms) {
  return ping(context, &payment_ping_type, &(struct payment_ping){.deep = false}, timeout_ms);
}

const struct bus_health_check edge_health_checks[EDGE_HEALTH_CHECKS] = {
    {"message_queue", is_broker_up},
    {"order_service", is_order_service_up},
    {"inventory_service", is_inventory_service_up},
    {"payment_service", is_payment_service_up},
};

bool edge_is_ready(void *context) {
  struct edge *edge = context;
  return !atomic_load(&edge->draining) && is_broker_up(edge, 0);
}
