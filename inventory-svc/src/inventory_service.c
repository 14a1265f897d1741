/* A batch: the aggregates that its messages name, and from a message to what changes and what is told. */
#include "inventory_service.h"

#include "inventory_columns.h"

#include <currency.h>
#include <order_messages.h>

#include <assert.h>
#include <inttypes.h>

/* ---- the model ---- */

/* Every body that names an order begins with its id. */
#define BEGINS_WITH_ID(S) _Static_assert(offsetof(struct S, order_id) == 0, "the order's id comes first")
BEGINS_WITH_ID(inventory_reserve);
BEGINS_WITH_ID(inventory_order);
BEGINS_WITH_ID(inventory_due);
BEGINS_WITH_ID(order_event);
_Static_assert(offsetof(struct own_make, reservation_id) == 0 && offsetof(struct own_name, reservation_id) == 0,
               "the reservation's id comes first");
_Static_assert(offsetof(struct product_put, product.product_id) == 0 &&
                   offsetof(struct inventory_put_product, product_id) == 0 &&
                   offsetof(struct product_withdraw, product_id) == 0,
               "the product's id comes first");
_Static_assert(offsetof(struct stock_update, request_id) == offsetof(struct inventory_set_stock, request_id) &&
                   offsetof(struct stock_update, product_id) == offsetof(struct inventory_set_stock, product_id),
               "both begin alike");

static bool updates_stock(const struct bus_input *input) {
  return input->type == &inventory_set_stock_type || input->type == &product_update_stock_type;
}

const struct bus_uuid *inventory_order_of(const struct bus_input *input) {
  bool names_order = input->type == &inventory_reserve_type || input->type == &order_confirmed_type ||
                     input->type == &inventory_commit_type || input->type == &inventory_release_type ||
                     input->type == &inventory_restock_type;
  bool names_own = input->type == &reservation_make_type || input->type == &reservation_confirm_type ||
                   input->type == &reservation_release_type;
  return input->kind == BUS_INPUT_DEADLINE || names_order || names_own ? input->body : NULL;
}

static void add_products(struct bus_set *products, const struct bus_input *input) {
  const struct inventory_reserve *reserve = input->body;
  const struct own_make *make = input->body;
  const struct order_event *confirmed = input->body;
  const struct inventory_put_product *put = input->body;
  const struct inventory_set_stock *set_stock = input->body;
  if (!input->body)
    return;
  for (size_t i = 0; input->type == &inventory_reserve_type && i < reserve->item_count; i++)
    bus_set_add(products, &reserve->items[i].product_id);
  for (size_t i = 0; input->type == &reservation_make_type && i < make->item_count; i++)
    bus_set_add(products, &make->items[i].product_id);
  for (size_t i = 0; input->type == &order_confirmed_type && i < confirmed->item_count; i++)
    bus_set_add(products, &confirmed->items[i].product_id);
  if (input->type == &inventory_put_product_type || input->type == &product_put_type ||
      input->type == &product_withdraw_type)
    bus_set_add(products, &put->product_id);
  if (updates_stock(input))
    bus_set_add(products, &set_stock->product_id);
}

bool inventory_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                         struct inventory_model **ret) {
  struct inventory_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->arena = arena;
  bus_set_init(&model->products, &product_columns, 0, arena);
  bus_set_init(&model->reservations, &reservation_columns, 0, arena);
  bus_set_init(&model->requests, &request_columns, 0, arena);
  for (size_t i = 0; i < count; i++) {
    if (inventory_order_of(&inputs[i]))
      bus_set_add(&model->reservations, inventory_order_of(&inputs[i]));
    if (updates_stock(&inputs[i]))
      bus_set_add(&model->requests, &((const struct inventory_set_stock *)inputs[i].body)->request_id);
    add_products(&model->products, &inputs[i]);
  }
  *ret = model;
  return bus_set_open(&model->products) && bus_set_open(&model->reservations) && bus_set_open(&model->requests);
}

bool inventory_model_link(struct inventory_model *model) {
  for (size_t i = 0; i < model->products.count; i++) {
    struct product *product = bus_set_at(&model->products, i);
    product->stored = product_changes(product);
  }
  for (size_t i = 0; i < model->reservations.count; i++) {
    struct reservation *reservation = bus_set_at(&model->reservations, i);
    for (size_t j = 0; j < reservation->line_count; j++) {
      struct reservation_line *line = &reservation->lines[j];
      line->product = inventory_model_product(model, line->product_id);
      if (!line->product || !product_exists(line->product))
        return false;
    }
  }
  return true;
}

void inventory_model_finish(struct inventory_model *model) {
  for (size_t i = 0; i < model->products.count; i++) {
    const struct product *product = bus_set_at(&model->products, i);
    if (product_changes(product) != product->stored)
      bus_set_change(&model->products, product);
  }
}

bool inventory_model_is_valid(const struct inventory_model *model) {
  for (size_t i = 0; i < model->products.count; i++)
    if (!product_is_valid(bus_set_at(&model->products, i)))
      return false;
  return true;
}

void product_view_of(const struct product *product, struct product_view *ret) {
  *ret = (struct product_view){
      .product_id = product->id,
      .name = product->name,
      .price = product->price,
      .currency = product->currency,
      .on_hand = product->on_hand,
      .reserved = product->reserved,
      .version = product->version,
      .withdrawn = product->withdrawn,
      .stock_version = product->stock_version,
  };
}

/* ---- reservations ---- */

static void tell_reserved(const struct reservation *reservation, struct bus_effects *effects) {
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

static void tell_outcome(const struct reservation *reservation, const struct reservation_decision *decision,
                         struct bus_effects *effects) {
  const struct bus_uuid *id = &reservation->order_id;
  const struct stock_event event = {*id};
  const struct stock_rejected rejected = {*id, (int)decision->reason, decision->guilty};
  if (decision->answer == ANSWER_RESERVED)
    tell_reserved(reservation, effects);
  else if (decision->answer == ANSWER_RELEASED)
    bus_emit(effects, &stock_released_type, id, &event);
  else if (decision->answer != ANSWER_NONE)
    bus_emit(effects, decision->answer == ANSWER_MISSING ? &stock_missing_type : &stock_rejected_type, id, &rejected);
}

static void count_tally(struct bus_effects *effects, const struct inventory_tally *tally) {
  struct inventory_tally *action = bus_effects_array(effects, 1, sizeof *action);
  if (!action)
    return;
  *action = *tally;
  bus_act(effects, action);
}

void inventory_change(struct inventory_model *model, struct reservation *reservation, enum reservation_command command,
                      const struct reservation_decision *decision, struct bus_effects *effects) {
  bool changed = decision->next != reservation->state;
  if (changed && reservation->state == RESERVATION_NONE)
    reservation->created_at = effects->now;
  const struct inventory_tally tally = {.order_id = reservation->order_id,
                                        .command = command,
                                        .alarm = decision->alarm,
                                        .changed = changed,
                                        .state = decision->next,
                                        .reason = decision->reason,
                                        .units = reservation_evolve(reservation, decision)};
  if (changed)
    bus_set_change(&model->reservations, reservation);
  count_tally(effects, &tally);
}

static void carry_out_command(struct inventory_model *model, const struct bus_uuid *order_id,
                              enum reservation_command command, const struct reservation_request *request,
                              struct bus_effects *effects) {
  struct reservation *reservation = inventory_model_reservation(model, order_id);
  assert(reservation);
  if (reservation_is_own(reservation)) {
    bus_park(effects, "the reservation belongs to no order");
    return;
  }
  struct reservation_decision decision;
  reservation_decide(reservation, command, request, &decision);
  if (decision.answer == ANSWER_LATER) {
    bus_retry(effects, "the order's stock is not sold yet");
    return;
  }
  inventory_change(model, reservation, command, &decision, effects);
  tell_outcome(reservation, &decision, effects);
}

static struct product *product_of(const struct inventory_model *model, struct bus_str id) {
  struct product *product = inventory_model_product(model, id);
  assert(product);
  return product;
}

struct reservation_line inventory_line(const struct inventory_model *model, struct bus_str product_id, int64_t quantity,
                                       int64_t unit_price) {
  return (struct reservation_line){
      .product = product_of(model, product_id), .quantity = quantity, .unit_price = unit_price};
}

static void decide_reserve(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_reserve *body = message;
  bus_time latest = effects->now + RESERVATION_HOLD_MAX, expected = body->expected_until;
  if (expected == BUS_NO_TIME)
    expected = effects->now + RESERVATION_ALARM_AFTER;
  const struct reservation_request request = {bus_effects_array(effects, body->item_count, sizeof *request.lines),
                                              body->item_count, body->expected_total,
                                              .expected_until = expected < latest ? expected : latest};
  for (size_t i = 0; request.lines && i < body->item_count; i++)
    request.lines[i] = inventory_line(model, body->items[i].product_id, body->items[i].quantity, BUS_NO_INT64);
  if (request.lines)
    carry_out_command(model, &body->order_id, RESERVATION_RESERVE, &request, effects);
}

/* The items count only where there is no reservation. */
static void decide_confirmed(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct order_event *body = message;
  size_t priced = body->total == BUS_NO_INT64 || !body->currency.data ? 0 : body->item_count;
  const struct reservation_request request = {bus_effects_array(effects, priced, sizeof *request.lines), priced,
                                              body->total, body->currency, .expected_until = BUS_NO_TIME};
  for (size_t i = 0; request.lines && i < priced; i++)
    request.lines[i] =
        inventory_line(model, body->items[i].product_id, body->items[i].quantity, body->items[i].unit_price);
  if (request.lines)
    carry_out_command(model, &body->order_id, RESERVATION_SELL, &request, effects);
}

static void decide_commit(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_order *body = message;
  static const struct reservation_request unknown;
  carry_out_command(model, &body->order_id, RESERVATION_SELL, &unknown, effects);
}

static void decide_release(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_order *body = message;
  carry_out_command(model, &body->order_id, RESERVATION_RELEASE, NULL, effects);
}

static void decide_restock(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_order *body = message;
  carry_out_command(model, &body->order_id, RESERVATION_RETURN, NULL, effects);
}

static void decide_due(struct inventory_model *model, const struct inventory_due *due, struct bus_effects *effects) {
  struct reservation *reservation = inventory_model_reservation(model, &due->order_id);
  const struct stock_event held = {due->order_id};
  const struct inventory_tally alarm = {.order_id = due->order_id, .alarm = ALARM_HELD};
  assert(reservation);
  if (reservation_is_own(reservation))
    inventory_own_expire(model, reservation, effects);
  if (!reservation_is_due(reservation, effects->now))
    return;
  reservation_asked(reservation, effects->now);
  bus_set_change(&model->reservations, reservation);
  bus_emit(effects, &stock_held_type, &due->order_id, &held);
  if (effects->now - reservation->created_at >= RESERVATION_ALARM_AFTER)
    count_tally(effects, &alarm);
}

/* ---- the catalogue ---- */

static const struct product_condition any_version = {BUS_NO_INT64, BUS_NO_INT64, false};

static void answer_product(struct bus_effects *effects, enum inventory_outcome outcome, const struct product *product) {
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

/* The request asks for what was carried out under its id. */
static bool is_repeat(const struct stock_request *request, const struct stock_update *update) {
  return bus_str_equal(request->product_id, update->product_id) && request->delta == update->delta &&
         (update->delta != BUS_NO_INT64 || request->on_hand == update->on_hand);
}

/* A request that was carried out; one that was refused may be asked again. */
static void remember(struct inventory_model *model, struct stock_request *request, const struct stock_update *update,
                     int64_t on_hand) {
  request->product_id = update->product_id;
  request->on_hand = on_hand;
  request->delta = update->delta;
  bus_set_change(&model->requests, request);
}

static void decide_update_stock(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct stock_update *update = message;
  struct stock_request *request = bus_set_find(&model->requests, &update->request_id);
  struct product *product = product_of(model, update->product_id);
  int64_t on_hand;
  assert(request);
  if (is_known(model, request)) {
    bool again = is_repeat(request, update);
    answer_product(effects, again ? INVENTORY_UPDATED : INVENTORY_KEY_REUSED, again ? product : NULL);
    return;
  }
  if ((update->on_hand == BUS_NO_INT64) == (update->delta == BUS_NO_INT64)) {
    bus_park(effects, "product.update-stock has on_hand or delta, and not both");
    return;
  }
  enum inventory_outcome outcome = product_decide_stock(product, update, &on_hand);
  if (outcome == INVENTORY_UPDATED) {
    product_set_on_hand(product, on_hand);
    remember(model, request, update, on_hand);
  }
  answer_product(effects, outcome, product_exists(product) ? product : NULL);
}

static void decide_set_stock(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct inventory_set_stock *body = message;
  const struct stock_update update = {.request_id = body->request_id,
                                      .product_id = body->product_id,
                                      .on_hand = body->on_hand,
                                      .delta = BUS_NO_INT64,
                                      .condition = any_version};
  decide_update_stock(model, &update, effects);
}

/* Dead-letters a price that the provider would refuse to charge. */
static bool has_price(const struct inventory_put_product *product, struct bus_effects *effects) {
  const struct currency *currency = currency_find(product->currency);
  char amounts[CURRENCY_AMOUNTS_SIZE];
  if (currency && currency_takes(currency, product->price))
    return true;
  if (currency) {
    currency_amounts(currency, product->currency, amounts);
    bus_park(effects, "price %" PRId64 ": must be %s", product->price, amounts);
  } else {
    bus_park(effects, "currency must be %s", CURRENCY_ALLOWED);
  }
  return false;
}

static void carry_out_put(struct inventory_model *model, const struct product_put *put, struct bus_effects *effects) {
  if (!has_price(&put->product, effects))
    return;
  struct product *product = product_of(model, put->product.product_id);
  enum inventory_outcome outcome = product_decide_put(product, put);
  if (outcome != INVENTORY_CHANGED_MEANWHILE)
    product_put(product, &put->product); /* a new version says that it changed */
  answer_product(effects, outcome, product_exists(product) ? product : NULL);
}

static void decide_put(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  carry_out_put(model, message, effects);
}

static void decide_put_product(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct product_put put = {*(const struct inventory_put_product *)message, any_version};
  carry_out_put(model, &put, effects);
}

static void decide_withdraw(struct inventory_model *model, const void *message, struct bus_effects *effects) {
  const struct product_withdraw *body = message;
  struct product *product = product_of(model, body->product_id);
  enum inventory_outcome outcome = product_decide_withdraw(product, body);
  if (outcome == INVENTORY_UPDATED)
    product_withdraw(product);
  answer_product(effects, outcome, product_exists(product) ? product : NULL);
}

static const struct handler {
  const struct bus_message_type *type;
  void (*decide)(struct inventory_model *model, const void *message, struct bus_effects *effects);
} handlers[] = {
    {&inventory_reserve_type, decide_reserve},
    {&order_confirmed_type, decide_confirmed},
    {&inventory_commit_type, decide_commit},
    {&inventory_release_type, decide_release},
    {&inventory_restock_type, decide_restock},
    {&inventory_set_stock_type, decide_set_stock},
    {&inventory_put_product_type, decide_put_product},
    {&product_put_type, decide_put},
    {&product_withdraw_type, decide_withdraw},
    {&product_update_stock_type, decide_update_stock},
    {&reservation_make_type, inventory_own_make},
    {&reservation_confirm_type, inventory_own_confirm},
    {&reservation_release_type, inventory_own_release},
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

/* ---- the batch ---- */

/* Products that are not as they were read. */
static bool take_change(const void *row, void *ret) {
  const struct product *product = row;
  *(struct product_get *)ret = (struct product_get){product->id};
  return product_changes(product) != product->stored;
}

void inventory_conclude(void *context, struct bus_effects *effects) {
  const struct inventory_model *model = context;
  bus_set_notify(&model->products, effects, &product_changed_type, take_change);
}
