/* Notes whether a queue takes each kind of command: the broker returns a command that no queue is bound for. */
#include "edge.h"

#include <bus/log.h>

struct edge_sent_command *edge_sent_command(struct edge *edge, const struct bus_message_type *type) {
  for (size_t i = 0; i < edge->command_count; i++)
    if (edge->commands[i].type == type)
      return &edge->commands[i];
  return NULL;
}

/* The broker has said nothing of a command that is only sent, lost or refused. */
static bool is_routed(enum bus_request_state state) {
  return state == BUS_REQUEST_CONFIRMED || state == BUS_REQUEST_ANSWERED;
}

void edge_routing_note(struct edge_sent_command *command, enum bus_request_state state) {
  bool unroutable = state == BUS_REQUEST_UNROUTABLE;
  if (!unroutable && !is_routed(state))
    return;
  if (atomic_exchange(&command->unroutable, unroutable) == unroutable)
    return;
  bus_series_set(command->shown_unroutable, unroutable);
  bus_log(unroutable ? BUS_ERROR : BUS_INFO,
          unroutable ? "no queue is bound for a command: see bus-topology diff" : "a queue takes the command again",
          BUS_F_VIEW("key", bus_message_key(command->type)));
}

bool edge_routing_is_whole(const struct edge *edge) {
  for (size_t i = 0; i < edge->command_count; i++)
    if (atomic_load(&edge->commands[i].unroutable))
      return false;
  return true;
}

struct bus_str edge_routing_missing(const struct edge *edge, struct bus_arena *arena) {
  struct bus_str list = BUS_STR("no queue is bound for");
  const char *separator = " ";
  for (size_t i = 0; i < edge->command_count && list.data; i++) {
    struct bus_str key = bus_message_key(edge->commands[i].type);
    if (!atomic_load(&edge->commands[i].unroutable))
      continue;
    list = bus_arena_printf(arena, "%.*s%s%.*s", (int)list.len, list.data, separator, (int)key.len, key.data);
    separator = ", ";
  }
  return list;
}
