/* One fact after another, by the gate that all facts go through. */
#include "order_replay.h"

#include "order_service.h"

#include <inttypes.h>

void order_replay_begin(struct order_replay *replay, const struct bus_uuid *order_id, struct bus_arena *arena) {
  replay->arena = arena;
  order_init(&replay->order, order_id);
}

bool order_replay_next(struct order_replay *replay, const struct order_event_view *row,
                       const struct bus_message_type **ret_type, struct order_event *ret_body, struct bus_error *err) {
  struct bus_problems problems = {0};
  struct order_fact fact;
  char text[256];
  enum order_fact_type type = order_fact_find(row->type);
  if (row->seq != replay->order.version + 1)
    return bus_fail(err, BUS_E_INVALID, "event %" PRId64 " comes behind event %" PRId64, row->seq,
                    replay->order.version);
  if (type == FACT_TYPES)
    return bus_fail(err, BUS_E_UNKNOWN_TYPE, "event %" PRId64 ": unknown type %.*s", row->seq, (int)row->type.len,
                    row->type.data);
  if (!order_fact_decode(type, row->data, replay->arena, &fact, &problems)) {
    bus_problems_text(&problems, text, sizeof text);
    return bus_fail(err, BUS_E_DECODE, "event %" PRId64 " (%s): %s", row->seq, order_fact_names[type], text);
  }
  order_evolve(&replay->order, &fact, row->at);
  *ret_type = order_event_type(type);
  if (*ret_type)
    *ret_body = order_event_of(&replay->order, *ret_type);
  return true;
}
