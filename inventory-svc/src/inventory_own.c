/* Own reservations: from a request to what changes and what is answered. */
#include "inventory_service.h"

#include <assert.h>

static enum own_status status_of(enum reservation_state state) {
  switch (state) {
  case RESERVATION_COMMITTED:
    return OWN_CONFIRMED;
  case RESERVATION_RELEASED:
    return OWN_RELEASED;
  case RESERVATION_EXPIRED:
    return OWN_EXPIRED;
  case RESERVATION_NONE:
  case RESERVATION_RETURNED: /* an order's alone */
  case RESERVATION_REJECTED: /* never stored for an own one */
  case RESERVATION_RESERVED:
  case RESERVATION_STATES:
    break;
  }
  return OWN_RESERVED;
}

static struct stock_item *items_of(const struct reservation *reservation, struct bus_effects *effects) {
  struct stock_item *items = bus_effects_array(effects, reservation->line_count, sizeof *items);
  for (size_t i = 0; items && i < reservation->line_count; i++) {
    const struct reservation_line *line = &reservation->lines[i];
    items[i] = (struct stock_item){line->product_id, line->quantity, line->unit_price};
  }
  return items;
}

void inventory_own_answer(const struct reservation *reservation, enum own_outcome outcome,
                          const struct reservation_decision *refusal, struct bus_effects *effects) {
  struct own_view view;
  struct own_answer body = {.outcome = (int)outcome, .reason = -1};
  if (refusal) {
    body.reason = (int)refusal->reason;
    body.product_id = refusal->guilty;
  }
  if (reservation) {
    struct stock_item *items = items_of(reservation, effects);
    if (!items)
      return;
    view = (struct own_view){.reservation_id = reservation->order_id,
                             .status = (int)status_of(reservation->state),
                             .items = items,
                             .item_count = reservation->line_count,
                             .total = reservation->total,
                             .currency = reservation->currency,
                             .created_at = reservation->created_at,
                             .expires_at = reservation->expires_at};
    body.reservation = &view;
  }
  bus_answer(effects, &reservation_answer_type, &body);
}

/* The metrics know the commands to reservations, not whose they are. */
static const enum reservation_command counted_as[] = {[OWN_MAKE] = RESERVATION_RESERVE,
                                                      [OWN_CONFIRM] = RESERVATION_SELL,
                                                      [OWN_RELEASE] = RESERVATION_RELEASE,
                                                      [OWN_EXPIRE] = RESERVATION_RELEASE};

static enum own_outcome carry_out(struct inventory_model *model, struct reservation *reservation,
                                  enum own_command command, const struct reservation_request *request,
                                  struct bus_effects *effects, struct reservation_decision *ret) {
  enum own_outcome outcome = own_decide(reservation, command, request, effects->now, ret);
  inventory_change(model, reservation, counted_as[command], ret, effects);
  return outcome;
}

void inventory_own_make(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct own_make *body = message;
  struct reservation *reservation = inventory_model_reservation(model, &body->reservation_id);
  const struct reservation_request request = {
      bus_effects_array(effects, body->item_count, sizeof *request.lines), body->item_count, BUS_NO_INT64,
      .expected_until = effects->now + body->expires_in * BUS_SECOND, .is_own = true};
  struct reservation_decision decision;
  assert(reservation);
  for (size_t i = 0; request.lines && i < body->item_count; i++)
    request.lines[i] = inventory_line(model, body->items[i].product_id, body->items[i].quantity, BUS_NO_INT64);
  if (!request.lines)
    return;
  enum own_outcome outcome = carry_out(model, reservation, OWN_MAKE, &request, effects, &decision);
  bool shows = outcome == OWN_MADE || outcome == OWN_REPEATED;
  inventory_own_answer(shows ? reservation : NULL, outcome, outcome == OWN_REFUSED ? &decision : NULL, effects);
}

static void end(struct inventory_model *model, const struct own_name *body, enum own_command command,
                struct bus_effects *effects) {
  struct reservation *reservation = inventory_model_reservation(model, &body->reservation_id);
  struct reservation_decision decision;
  assert(reservation);
  enum own_outcome outcome = carry_out(model, reservation, command, NULL, effects, &decision);
  inventory_own_answer(outcome == OWN_NOT_FOUND ? NULL : reservation, outcome, NULL, effects);
}

void inventory_own_confirm(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  end(model, message, OWN_CONFIRM, effects);
}

void inventory_own_release(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  end(model, message, OWN_RELEASE, effects);
}

void inventory_own_expire(struct inventory_model *model, struct reservation *reservation, struct bus_effects *effects) {
  struct reservation_decision decision;
  (void)own_decide(reservation, OWN_EXPIRE, NULL, effects->now, &decision);
  if (decision.next != reservation->state)
    inventory_change(model, reservation, counted_as[OWN_EXPIRE], &decision, effects);
}
