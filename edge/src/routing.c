/* Notes whether a queue takes each kind of command: the broker returns a command that no queue is bound for. */
#include "edge.h"

#include <bus/log.h>

const struct edge_command_types edge_command_types[EDGE_COMMAND_KINDS] = {
    [EDGE_PLACE] = {&order_place_type, &order_answer_type},
    [EDGE_CANCEL] = {&order_cancel_type, &order_answer_type},
    [EDGE_SET_STOCK] = {&inventory_set_stock_type, &inventory_answer_type},
};

struct bus_str edge_command_key(enum edge_command_kind kind) {
  return bus_message_key(edge_command_types[kind].type);
}

/* The broker has said nothing of a command that is only sent, lost or refused. */
static bool is_routed(enum bus_request_state state) {
  return state == BUS_REQUEST_CONFIRMED || state == BUS_REQUEST_ANSWERED;
}

void edge_routing_note(struct edge *edge, enum edge_command_kind kind, enum bus_request_state state) {
  bool unroutable = state == BUS_REQUEST_UNROUTABLE;
  if (!unroutable && !is_routed(state))
    return;
  if (atomic_exchange(&edge->unroutable[kind], unroutable) == unroutable)
    return;
  bus_series_set(edge->metrics.unroutable[kind], unroutable);
  bus_log(unroutable ? BUS_ERROR : BUS_INFO,
          unroutable ? "no queue is bound for a command: see bus-topology diff" : "a queue takes the command again",
          BUS_F_VIEW("key", edge_command_key(kind)));
}

bool edge_routing_is_whole(const struct edge *edge) {
  for (int kind = 0; kind < EDGE_COMMAND_KINDS; kind++)
    if (atomic_load(&edge->unroutable[kind]))
      return false;
  return true;
}

struct bus_str edge_routing_missing(const struct edge *edge, struct bus_arena *arena) {
  struct bus_str list = BUS_STR("no queue is bound for");
  const char *separator = " ";
  for (int kind = 0; kind < EDGE_COMMAND_KINDS && list.data; kind++) {
    struct bus_str key = edge_command_key((enum edge_command_kind)kind);
    if (!atomic_load(&edge->unroutable[kind]))
      continue;
    list = bus_arena_printf(arena, "%.*s%s%.*s", (int)list.len, list.data, separator, (int)key.len, key.data);
    separator = ", ";
  }
  return list;
}
