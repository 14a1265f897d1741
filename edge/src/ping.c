/* Pings of the services behind the edge. A thread for queries answers them, so an answer closes the breaker of queries;
 * what it says of the threads that take commands is in its body. */
#include "edge.h"

#include <bus/clock.h>
#include <bus/pong.h>
#include <payment_messages.h>

const struct edge_ping edge_ping_order = {.type = &order_ping_type,
                                          .answer = &order_pong_type,
                                          .body = &(const struct order_ping){.deep = false},
                                          .workers_down = offsetof(struct order_pong, workers_down),
                                          .breaker = EDGE_ORDER_SERVICE};
const struct edge_ping edge_ping_inventory = {.type = &inventory_ping_type,
                                              .answer = &inventory_pong_type,
                                              .body = &(const struct inventory_ping){.deep = false},
                                              .workers_down = offsetof(struct bus_pong, workers_down),
                                              .breaker = EDGE_INVENTORY_SERVICE};
const struct edge_ping edge_ping_payment = {.type = &payment_ping_type,
                                            .answer = &payment_pong_type,
                                            .body = &(const struct payment_ping){.deep = false},
                                            .workers_down = offsetof(struct bus_pong, workers_down),
                                            .breaker = EDGE_SERVICE_COUNT};

struct bus_pending *edge_ping_begin(struct edge *edge, const struct edge_ping *ping) {
  return bus_request_begin(edge->requester, &(struct bus_request){.type = ping->type, .body = ping->body});
}

const void *edge_ping_end(struct edge *edge, const struct edge_ping *ping, struct bus_pending *pending, int64_t until,
                          struct bus_arena *arena) {
  const struct bus_message_type *type;
  const void *pong = NULL;
  if (pending == NULL)
    return NULL;
  if (bus_request_wait(pending, until, false) == BUS_REQUEST_ANSWERED) {
    if (ping->breaker < EDGE_SERVICE_COUNT)
      edge_breaker_alive(&edge->breakers[ping->breaker], bus_monotonic());
    if (arena == NULL || !bus_request_answer(pending, &ping->answer, 1, arena, &type, &pong))
      pong = NULL;
  }
  bus_request_end(pending);
  return pong;
}

bool edge_ping_has_workers(const struct edge_ping *ping, const void *pong) {
  return pong && !*(const bool *)((const char *)pong + ping->workers_down);
}
