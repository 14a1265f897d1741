/* From a message to what it does to the batch's model and to what is told. */
#include "inventory_service.h"

#include <order_messages.h>

#include <assert.h>

void product_view_of(const struct product *product, struct product_view *ret) {
  *ret = (struct product_view){
      .product_id = product->id,
      .name = product->name,
      .price = product->price,
      .currency = product->currency,
      .on_hand = product->on_hand,
      .reserved = product->reserved,
      .version = product->version,
  };
}

/* ---- reservations ---- */

static void say_reserved(const struct reservation *reservation, struct bus_effects *effects) {
  struct stock_item *items = bus_effects_array(effects, reservation->line_count, sizeof *items);
  if (!items)
    return;
  for (size_t i = 0; i < reservation->line_count; i++) {
    const struct reservation_line *line = &reservation->lines[i];
    items[i] = (struct stock_item){line->product->id, line->quantity, line->unit_price};
  }
  const struct stock_reserved body = {
      .order_id = reservation->order_id,
      .items = items,
      .item_count = reservation->line_count,
      .total = reservation->total,
      .currency = reservation->currency,
  };
  bus_emit(effects, &stock_reserved_type, &reservation->order_id, &body);
}

static void say(const struct reservation *reservation, const struct reservation_decision *decision,
                struct bus_effects *effects) {
  const struct bus_uuid *id = &reservation->order_id;
  const struct stock_event event = {*id};
  const struct stock_rejected rejected = {*id, (int)decision->reason, decision->guilty};
  switch (decision->answer) {
  case ANSWER_NONE:
    break;
  case ANSWER_RESERVED:
    say_reserved(reservation, effects);
    break;
  case ANSWER_REJECTED:
    bus_emit(effects, &stock_rejected_type, id, &rejected);
    break;
  case ANSWER_RELEASED:
    bus_emit(effects, &stock_released_type, id, &event);
    break;
  case ANSWER_MISSING:
    bus_emit(effects, &stock_missing_type, id, &rejected);
    break;
  }
}

static void count(struct bus_effects *effects, const struct inventory_tally *tally) {
  struct inventory_tally *action = bus_effects_array(effects, 1, sizeof *action);
  if (!action)
    return;
  *action = *tally;
  bus_act(effects, action);
}

static void carry_out(struct inventory_model *model, const struct bus_uuid *order_id, enum reservation_command command,
                      const struct reservation_request *request, struct bus_effects *effects) {
  struct reservation *reservation = inventory_model_reservation(model, order_id);
  assert(reservation);
  struct reservation_decision decision;
  reservation_decide(reservation, command, request, &decision);
  bool changed = decision.next != reservation->state;
  if (changed && reservation->state == RESERVATION_NONE)
    reservation->created_at = effects->now;
  const struct inventory_tally tally = {.order_id = *order_id,
                                        .command = command,
                                        .alarm = decision.alarm,
                                        .changed = changed,
                                        .state = decision.next,
                                        .reason = decision.reason,
                                        .units = reservation_evolve(reservation, &decision)};
  if (changed)
    bus_set_change(&model->reservations, reservation);
  say(reservation, &decision, effects);
  count(effects, &tally);
}

static struct product *product_of(const struct inventory_model *model, struct bus_str id) {
  struct product *product = inventory_model_product(model, id);
  assert(product);
  return product;
}

static void decide_reserve(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_reserve *body = message;
  bus_time latest = effects->now + RESERVATION_ALARM_AFTER;
  bool soon = body->expected_until != BUS_NO_TIME && body->expected_until < latest;
  const struct reservation_request request = {.lines =
                                                  bus_effects_array(effects, body->item_count, sizeof *request.lines),
                                              .line_count = body->item_count,
                                              .expected_total = body->expected_total,
                                              .expected_until = soon ? body->expected_until : latest};
  if (!request.lines)
    return;
  for (size_t i = 0; i < body->item_count; i++)
    request.lines[i] = (struct reservation_line){.product = product_of(model, body->items[i].product_id),
                                                 .quantity = body->items[i].quantity};
  carry_out(model, &body->order_id, RESERVATION_RESERVE, &request, effects);
}

/* The items count only where there is no reservation. */
static void decide_confirmed(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct order_event *body = message;
  size_t priced = body->total == BUS_NO_INT64 || !body->currency.data ? 0 : body->item_count;
  const struct reservation_request request = {.lines = bus_effects_array(effects, priced, sizeof *request.lines),
                                              .line_count = priced,
                                              .expected_total = body->total,
                                              .currency = body->currency,
                                              .expected_until = BUS_NO_TIME};
  if (!request.lines)
    return;
  for (size_t i = 0; i < priced; i++)
    request.lines[i] = (struct reservation_line){.product = product_of(model, body->items[i].product_id),
                                                 .quantity = body->items[i].quantity,
                                                 .unit_price = body->items[i].unit_price};
  carry_out(model, &body->order_id, RESERVATION_SELL, &request, effects);
}

static void decide_commit(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_order *body = message;
  static const struct reservation_request unknown;
  carry_out(model, &body->order_id, RESERVATION_SELL, &unknown, effects);
}

static void decide_release(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_order *body = message;
  carry_out(model, &body->order_id, RESERVATION_RELEASE, NULL, effects);
}

static void decide_due(struct inventory_model *model, const struct inventory_due *due, struct bus_effects *effects) {
  struct reservation *reservation = inventory_model_reservation(model, &due->order_id);
  const struct stock_event held = {due->order_id};
  const struct inventory_tally alarm = {.order_id = due->order_id, .alarm = ALARM_HELD};
  assert(reservation);
  if (!reservation_ask(reservation, effects->now))
    return;
  bus_set_change(&model->reservations, reservation);
  bus_emit(effects, &stock_held_type, &due->order_id, &held);
  if (effects->now - reservation->created_at >= RESERVATION_ALARM_AFTER)
    count(effects, &alarm);
}

/* ---- the catalogue ---- */

static void answer(struct bus_effects *effects, enum inventory_outcome outcome, const struct product *product) {
  struct product_view view;
  struct inventory_answer body = {.outcome = (int)outcome};
  if (product) {
    product_view_of(product, &view);
    body.product = &view;
  }
  bus_answer(effects, &inventory_answer_type, &body);
}

static bool is_known(const struct inventory_model *model, const struct stock_request *request) {
  return bus_set_is_stored(&model->requests, request) || bus_set_is_changed(&model->requests, request);
}

/* A request that was carried out; one for a product that does not exist may be asked again when it does. */
static void remember(struct inventory_model *model, struct stock_request *request,
                     const struct inventory_set_stock *body) {
  request->product_id = body->product_id;
  request->on_hand = body->on_hand;
  bus_set_change(&model->requests, request);
}

static void decide_set_stock(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_set_stock *body = message;
  struct stock_request *request = bus_set_find(&model->requests, &body->request_id);
  struct product *product = product_of(model, body->product_id);
  assert(request);
  bool known = is_known(model, request);
  if (known && (!bus_str_equal(request->product_id, body->product_id) || request->on_hand != body->on_hand)) {
    answer(effects, INVENTORY_KEY_REUSED, NULL);
    return;
  }
  if (!product_exists(product)) {
    answer(effects, INVENTORY_NOT_FOUND, NULL);
    return;
  }
  if (!known) {
    product_set_on_hand(product, body->on_hand);
    remember(model, request, body);
  }
  answer(effects, INVENTORY_UPDATED, product);
}

static void decide_put_product(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_put_product *body = message;
  struct product *product = product_of(model, body->product_id);
  const struct product_card card = {
      .name = body->name,
      .currency = body->currency,
      .price = body->price,
      .on_hand = body->on_hand == BUS_NO_INT64 ? 0 : body->on_hand,
  };
  (void)product_put(product, &card); /* a new version says that it changed */
  answer(effects, INVENTORY_UPDATED, product);
}

static const struct handler {
  const struct bus_message_type *type;
  void (*decide)(struct inventory_model *model, const void *message, struct bus_effects *effects);
} handlers[] = {
    {&inventory_reserve_type, decide_reserve},     {&order_confirmed_type, decide_confirmed},
    {&inventory_commit_type, decide_commit},       {&inventory_release_type, decide_release},
    {&inventory_set_stock_type, decide_set_stock}, {&inventory_put_product_type, decide_put_product},
};

void inventory_decide(void *model, const struct bus_input *input, struct bus_effects *effects) {
  if (input->kind == BUS_INPUT_DEADLINE) {
    decide_due(model, input->body, effects);
    return;
  }
  for (size_t i = 0; i < BUS_COUNT(handlers); i++) {
    if (handlers[i].type != input->type)
      continue;
    handlers[i].decide(model, input->body, effects);
    return;
  }
  bus_park(effects, "inventory-svc has no use for this message");
}
