/* Events of an order made again from its log, for consumers that were not there when they were sent. Pure. */
#pragma once

#include "order.h"

/* Folds the log of one order, row after row. */
struct order_replay {
  struct order order;
  struct bus_arena *arena; /* of facts; must live as long as the fold */
};
void order_replay_begin(struct order_replay *replay, const struct bus_uuid *order_id, struct bus_arena *arena);

/* Takes the next row of the log. *ret_type: the event that order-svc published with this fact, or NULL; *ret_body is
 * its body. False: the row does not continue the log, and *err says why. */
bool order_replay_next(struct order_replay *replay, const struct order_event_view *row,
                       const struct bus_message_type **ret_type, struct order_event *ret_body,
                       struct bus_error *err) BUS_MUST_CHECK;
