/* Services that decide wrongly, each in one way. */
#include "service_bugs.h"

#include "table_inventory.h"

#include <inventory_service.h>
#include <notify_model.h>
#include <order_service.h>
#include <payment_messages.h>
#include <payment_service.h>

#include <assert.h>

/* ---- order-svc ---- */

/* Drops the messages of that type that this input emitted. */
static void drop_emitted(struct bus_effects *effects, const struct bus_message_type *type) {
  struct bus_effect **at = effects->before_input ? &effects->before_input->next : &effects->first;
  effects->last = effects->before_input;
  while (*at) {
    if ((*at)->kind == BUS_EFFECT_EMIT && (*at)->type == type) {
      *at = (*at)->next;
      effects->count--;
      continue;
    }
    effects->last = *at;
    at = &(*at)->next;
  }
}

static int64_t price_today(const struct world *world, const struct stock_reserved *reserved) {
  int64_t sum = 0;
  for (size_t i = 0; i < reserved->item_count; i++) {
    const struct product *product = products_find(&world->databases[SERVICE_INVENTORY], reserved->items[i].product_id);
    sum += product->price * reserved->items[i].quantity;
  }
  return sum;
}

static void charge_todays_price(const struct world *world, const struct bus_input *input, struct bus_effects *effects) {
  struct bus_problems problems;
  for (struct bus_effect *effect = effects->first; effect; effect = effect->next) {
    struct payment_charge body;
    if (effect->cause != input || effect->type != &payment_charge_type || effect->kind != BUS_EFFECT_EMIT ||
        !bus_decode(effect->type->schema, effect->body, BUS_IGNORE_UNKNOWN, effects->arena, &body, &problems))
      continue;
    body.amount = price_today(world, input->body);
    bool encoded = bus_encode(effect->type->schema, &body, effects->arena, &effect->body);
    assert(encoded);
  }
}

static bool is_known_pay(const struct order *order, const struct order_pay *pay) {
  const struct order_attempt *attempt = order->tried;
  while (attempt && !bus_uuid_equal(&attempt->pay_id, &pay->pay_id))
    attempt = attempt->next;
  return attempt != NULL;
}

static void before_pay(struct world *world, struct order *order, const struct order_pay *pay) {
  if (has_bug(world, BUG_PAY_FORGOTTEN))
    order->tried = NULL;
  if (has_bug(world, BUG_PAY_OPEN) && order->status == ORDER_AWAITING_PAYMENT && !is_known_pay(order, pay) &&
      order->attempts < ORDER_ATTEMPTS_MAX)
    order->payment_settled = true;
}

static void before_order(struct world *world, struct order_model *model, struct order_entry *entry,
                         enum order_message message, const struct bus_input *input, const struct bus_effects *effects) {
  const struct order_fact refused = {.type = FACT_PAYMENT_REFUSED, .reason = BUS_NO_STR};
  if (has_bug(world, BUG_ANY_BODY) && message == ORDER_ON_PLACE && entry->now.status != ORDER_NONE)
    ((struct order_place *)(uintptr_t)input->body)->request_hash = entry->now.request_hash;
  if (has_bug(world, BUG_CANCEL_LATE) && message == ORDER_ON_CANCEL && entry->now.status == ORDER_CONFIRMED)
    entry->now.status = ORDER_RESERVED;
  if (has_bug(world, BUG_CANCEL_FORGOTTEN) && message == ORDER_ON_CANCEL)
    ((struct order_cancel *)(uintptr_t)input->body)->accepted = false;
  if (message == ORDER_ON_PAY)
    before_pay(world, &entry->now, input->body);
  if (has_bug(world, BUG_EARLY_CANCEL) && message == ORDER_ON_STOCK_RELEASED &&
      entry->now.status == ORDER_COMPENSATING && !entry->now.payment_settled)
    assert(order_model_record(model, entry, &refused, effects->now));
}

void bugs_decide_order(struct world *world, void *model, const struct bus_input *input, struct bus_effects *effects) {
  enum order_message message = order_input_message(input);
  if (message != ORDER_MESSAGES)
    before_order(world, model, order_model_find(model, input->body), message, input, effects);
  order_decide_input(model, input, effects);
  if (has_bug(world, BUG_NO_REFUND))
    drop_emitted(effects, &payment_refund_type);
  if (has_bug(world, BUG_PRICE_MOVED) && input->type == &stock_reserved_type)
    charge_todays_price(world, input, effects);
}

/* One kind of event stays out of the log. */
void bugs_skip_fact(void *given) {
  struct order_model *model = given;
  for (size_t i = 0; i < model->orders.count; i++)
    for (struct order_record **at = &((struct order_entry *)bus_set_at(&model->orders, i))->first; *at;)
      if ((*at)->type == FACT_STOCK_RETURNED)
        *at = (*at)->next;
      else
        at = &(*at)->next;
}

/* ---- inventory-svc ---- */

static void leave_out(const struct inventory_model *model, struct inventory_reserve *body) {
  size_t kept = 0;
  for (size_t i = 0; i < body->item_count; i++)
    if (inventory_model_product(model, body->items[i].product_id)->on_hand >= body->items[i].quantity)
      body->items[kept++] = body->items[i];
  if (kept > 0)
    body->item_count = kept;
}

static void make_up(const struct inventory_model *model, const struct inventory_reserve *body) {
  for (size_t i = 0; i < body->item_count; i++) {
    struct product *product = inventory_model_product(model, body->items[i].product_id);
    if (product_exists(product) && product->on_hand < body->items[i].quantity)
      product_set_on_hand(product, body->items[i].quantity);
  }
}

static void before_reserve(struct world *world, const struct inventory_model *model, const struct bus_input *input) {
  struct inventory_reserve *body = (struct inventory_reserve *)(uintptr_t)input->body;
  if (inventory_model_reservation(model, &body->order_id)->state != RESERVATION_NONE)
    return;
  if (has_bug(world, BUG_PARTIAL))
    leave_out(model, body);
  if (has_bug(world, BUG_OVERSELL))
    make_up(model, body);
}

static void take_twice(const struct reservation *reservation) {
  for (size_t i = 0; i < reservation->line_count; i++)
    if (reservation->lines[i].product->on_hand >= reservation->lines[i].quantity)
      product_reserve(reservation->lines[i].product, reservation->lines[i].quantity);
}

/* As if it had never been decided. */
static void keep_no_row(struct inventory_model *model, struct reservation *reservation) {
  struct bus_set *set = &model->reservations;
  reservation->state = RESERVATION_NONE;
  set->marks[((char *)reservation - set->rows) / (ptrdiff_t)set->size] = 0;
}

/* Gives the stock back and keeps no row. */
static void forget(struct inventory_model *model, struct reservation *reservation) {
  for (size_t i = 0; i < reservation->line_count; i++)
    product_release(reservation->lines[i].product, reservation->lines[i].quantity);
  keep_no_row(model, reservation);
}

/* As if its time were not over, and for a release as if its stock were not back. */
static void decide_own(struct world *world, struct inventory_model *model, const struct bus_input *input,
                       struct bus_effects *effects) {
  struct reservation *own = inventory_model_reservation(model, inventory_order_of(input));
  bus_time expires_at = own->expires_at;
  bool again = has_bug(world, BUG_EXPIRED_AGAIN) && input->type == &reservation_release_type &&
               own->state == RESERVATION_EXPIRED;
  bool late = has_bug(world, BUG_EXPIRED_SOLD) && input->type == &reservation_confirm_type &&
              own->state == RESERVATION_RESERVED;
  if (again)
    own->state = RESERVATION_RESERVED;
  if (again || late)
    own->expires_at = effects->now + BUS_HOUR;
  inventory_decide(model, input, effects);
  if (again || late)
    own->expires_at = expires_at;
}

void bugs_decide_inventory(struct world *world, void *given, const struct bus_input *input,
                           struct bus_effects *effects) {
  struct inventory_model *model = given;
  bool reserves = input->type == &inventory_reserve_type, sells = input->type == &order_confirmed_type;
  bool releases = input->type == &inventory_release_type;
  if (input->type == &reservation_confirm_type || input->type == &reservation_release_type) {
    decide_own(world, model, input, effects);
    return;
  }
  if (has_bug(world, BUG_NEVER_EXPIRES) && input->kind == BUS_INPUT_DEADLINE &&
      reservation_is_own(inventory_model_reservation(model, inventory_order_of(input)))) {
    inventory_model_reservation(model, inventory_order_of(input))->expected_until = BUS_NO_TIME;
    bus_set_change(&model->reservations, inventory_model_reservation(model, inventory_order_of(input)));
    return;
  }
  bool restocks = input->type == &inventory_restock_type;
  struct reservation *entry =
      reserves || sells || releases || restocks ? inventory_model_reservation(model, inventory_order_of(input)) : NULL;
  if ((has_bug(world, BUG_SALE_LOST) && sells) || (has_bug(world, BUG_RESTOCK_LOST) && restocks))
    return;
  if (reserves)
    before_reserve(world, model, input);
  enum reservation_state before = entry ? entry->state : RESERVATION_NONE;
  if (has_bug(world, BUG_RELEASE_TWICE) && entry && releases && before == RESERVATION_RELEASED && entry->line_count > 0)
    entry->state = RESERVATION_RESERVED;
  if (has_bug(world, BUG_RESTOCK_AGAIN) && restocks && before == RESERVATION_RETURNED)
    entry->state = RESERVATION_COMMITTED;
  inventory_decide(model, input, effects);
  if (has_bug(world, BUG_NO_TOMBSTONE) && entry && releases && before == RESERVATION_NONE)
    keep_no_row(model, entry);
  if (has_bug(world, BUG_SALE_RESERVES) && entry && sells && before == RESERVATION_RESERVED)
    take_twice(entry);
  if (has_bug(world, BUG_GONE_EARLY) && entry && reserves && before == RESERVATION_NONE &&
      entry->state == RESERVATION_RESERVED)
    forget(model, entry);
}

/* ---- payment-svc ---- */

/* The refund that was only asked counts as done. */
static void count_as_refunded(struct payment_model *model, struct payment *payment, struct bus_effects *effects) {
  const struct payment_result result = {.order_id = payment->order_id,
                                        .call = PAYMENT_CALL_REFUND,
                                        .kind = PAYMENT_ON_REFUNDED,
                                        .attempt = payment->attempts,
                                        .refund = payment->refunds,
                                        .psp_id = "re_asked"};
  struct payment_result *kept = bus_arena_alloc(effects->arena, sizeof *kept);
  struct bus_input *input = bus_arena_alloc(effects->arena, sizeof *input);
  assert(kept && input);
  *kept = result;
  *input = (struct bus_input){.kind = BUS_INPUT_COMPLETION, .body = kept};
  for (struct bus_effect *effect = effects->first; effect; effect = effect->next)
    if (effect->kind == BUS_EFFECT_ACTION)
      ((struct payment_action *)(uintptr_t)effect->action)->calls = false;
  effects->input = input;
  payment_service_decide(model, input, effects);
}

/* As if it had been decided beside the refund that is under way. */
static void decide_unlocked(struct payment_model *model, struct payment *payment, const struct bus_input *input,
                            struct bus_effects *effects) {
  int64_t unseen = payment->refund_amount;
  payment->promised_amount -= unseen;
  payment_service_decide(model, input, effects);
  payment->promised_amount += unseen;
}

/* The request's key is not looked at. */
static void decide_anew(struct payment_model *model, const struct bus_input *input, struct bus_effects *effects) {
  const struct payment_refund_part *part = input->body;
  struct refund *refund = bus_set_find(&model->refunds, &part->refund_id);
  refund->state = REFUND_NONE;
  payment_service_decide(model, input, effects);
}

void bugs_decide_payment(struct world *world, void *model, const struct bus_input *input, struct bus_effects *effects) {
  struct payment *payment = payment_model_of(model, input);
  bool refunds = input->kind == BUS_INPUT_DELIVERY && input->type == &payment_refund_type;
  enum payment_state before = payment ? payment->state : PAYMENT_NONE;
  if (has_bug(world, BUG_VOID_UNDER_WAY) && payment && refunds && before == PAYMENT_PROCESSING)
    payment->attempts = 0;
  if (has_bug(world, BUG_REFUND_UNLOCKED) && payment && input->type == &payment_refund_part_type)
    decide_unlocked(model, payment, input, effects);
  else if (has_bug(world, BUG_REFUND_REPEATED) && payment && input->type == &payment_refund_part_type)
    decide_anew(model, input, effects);
  else
    payment_service_decide(model, input, effects);
  if (has_bug(world, BUG_REFUND_AGAIN) && payment && before == PAYMENT_CAPTURED && payment->state == PAYMENT_REFUNDING)
    count_as_refunded(model, payment, effects);
}

/* ---- notify-svc ---- */

/* The delivery that this input is about; NULL: none that is stored. */
static struct delivery *delivery_of(const struct notify_model *model, const struct bus_input *input) {
  if (input->kind == BUS_INPUT_COMPLETION)
    return notify_model_delivery(model, &((const struct notify_result *)input->body)->delivery_id);
  return input->kind == BUS_INPUT_DEADLINE
             ? notify_model_delivery(model, &((const struct notify_due *)input->body)->delivery_id)
             : NULL;
}

/* The rows of deleted endpoints are taken for those of others. */
static void revive(const struct notify_model *model) {
  for (size_t i = 0; i < model->endpoints.count; i++) {
    struct endpoint *endpoint = &((struct endpoint_entry *)bus_set_at(&model->endpoints, i))->endpoint;
    if (endpoint->status == WEBHOOK_DELETED)
      endpoint->status = WEBHOOK_ENABLED;
  }
}

void bugs_decide_notify(struct world *world, void *given, const struct bus_input *input, struct bus_effects *effects) {
  struct notify_model *model = given;
  const struct notify_policy *own = model->policy;
  struct notify_policy policy = *own;
  struct delivery *delivery = delivery_of(model, input);
  if (has_bug(world, BUG_HOOK_LOST))
    policy.lease = 1000 * BUS_HOUR;
  if (has_bug(world, BUG_HOOK_DELETED))
    revive(model);
  model->policy = &policy;
  if (!has_bug(world, BUG_HOOK_MISSED) || input->kind != BUS_INPUT_DELIVERY || input->type != &order_cancelled_type)
    notify_decide(model, input, effects);
  model->policy = own;
  if (has_bug(world, BUG_HOOK_GIVEN_UP) && delivery && delivery->status == DELIVERY_WAITING && delivery->failures > 1) {
    delivery->status = DELIVERY_FAILED;
    delivery->next_attempt_at = BUS_NO_TIME;
  }
}
