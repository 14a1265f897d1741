/* The services as they are: their own lock, load, decide and store, with the planted bugs around them. */
#include "service_bugs.h"
#include "worker.h"

#include "psp.h"
#include "table_orders.h"

#include <inventory_service.h>
#include <inventory_store.h>
#include <order_service.h>
#include <order_store.h>
#include <order_upkeep.h>
#include <payment_messages.h>
#include <payment_service.h>
#include <payment_store.h>

const char *const service_names[SERVICES] = {"order-svc", "inventory-svc", "payment-svc"};

static const struct order_context order_context = {
    .policy = {.deadline = 60 * BUS_SECOND, .resend = 30 * BUS_SECOND, .pay_later = 15 * BUS_MINUTE},
    .unpaid = {.all = 10000, .of_customer = SIM_UNPAID_MAX}};
static const struct payment_policy payment_policy = {PAYMENT_POLICY_DEFAULTS};

/* ---- order-svc ---- */

static bool lock_orders(struct world *world, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                        struct bus_sql *sql, void **ret_model) {
  struct order_context context = order_context;
  (void)world;
  if (!order_lock(&context, inputs, count, arena, sql, ret_model))
    return false;
  ((struct order_model *)*ret_model)->policy = &order_context.policy;
  ((struct order_model *)*ret_model)->unpaid = &order_context.unpaid;
  return true;
}

static void count_cell(struct world *world, int state, enum order_message message) {
  world->tally->saga[state][message]++;
  if (!tally_is_reachable(state, (int)message))
    world_violate(world, "%s comes in state %s, where no story leads", order_incoming[message].name,
                  order_state_name(state));
}

static void decide_order(struct world *world, void *model, const struct bus_input *input, struct bus_effects *effects) {
  enum order_message message = order_input_message(input);
  if (message != ORDER_MESSAGES)
    count_cell(world, order_state_for(&order_model_find(model, input->body)->now, message, input->body), message);
  if (world->bug != BUG_NONE)
    bugs_decide_order(world, model, input, effects);
  else
    order_decide_input(model, input, effects);
}

static bool store_orders(struct world *world, void *model, struct bus_sql *sql) {
  if (has_bug(world, BUG_SKIP_FACT))
    bugs_skip_fact(model);
  return order_store(model, sql);
}

static struct due_room due_orders(struct world *world, struct worker *worker) {
  return (struct due_room){.most = (size_t)order_budget_take(&worker->budget, world->now)};
}

static void count_nothing(struct world *world, struct worker *worker, const void *action) {
  (void)world, (void)worker, (void)action; /* metrics and alarms */
}

/* ---- inventory-svc ---- */

static bool lock_inventory(struct world *world, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                           struct bus_sql *sql, void **ret_model) {
  (void)world;
  return inventory_lock(NULL, inputs, count, arena, sql, ret_model);
}

static void count_reservation(struct world *world, const struct inventory_model *model, const struct bus_input *input) {
  const struct bus_message_type *const types[RESERVATION_COMMANDS] = {
      [RESERVATION_RESERVE] = &inventory_reserve_type,
      [RESERVATION_SELL] = &order_confirmed_type,
      [RESERVATION_RELEASE] = &inventory_release_type,
      [RESERVATION_RETURN] = &inventory_restock_type,
  };
  for (int command = 0; command < RESERVATION_COMMANDS; command++)
    if (input->type == types[command])
      world->tally->reservation[inventory_model_reservation(model, inventory_order_of(input))->state][command]++;
}

static void decide_inventory(struct world *world, void *model, const struct bus_input *input,
                             struct bus_effects *effects) {
  count_reservation(world, model, input);
  if (world->bug != BUG_NONE)
    bugs_decide_inventory(world, model, input, effects);
  else
    inventory_decide(model, input, effects);
}

static bool store_inventory(struct world *world, void *model, struct bus_sql *sql) {
  (void)world;
  return inventory_store(model, sql);
}

static struct due_room held_reservations(struct world *world, struct worker *worker) {
  (void)world, (void)worker;
  return (struct due_room){.most = 100};
}

/* No sound story leads to an alarm: the order of what is missing or sold was decided otherwise. A reservation may be
 * held for long. */
static void look_at_reservation(struct world *world, struct worker *worker, const void *action) {
  const struct inventory_tally *tally = action;
  (void)worker;
  if (tally->alarm == ALARM_MISSING || tally->alarm == ALARM_SOLD)
    world_violate(world, "a reservation is alarmed: %s", reservation_alarm_names[tally->alarm]);
}

/* ---- payment-svc ---- */

static bool lock_payments(struct world *world, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct bus_sql *sql, void **ret_model) {
  struct payment_policy policy = payment_policy;
  (void)world;
  if (!payment_lock(&policy, inputs, count, arena, sql, ret_model))
    return false;
  ((struct payment_model *)*ret_model)->policy = &payment_policy;
  return true;
}

static void count_payment(struct world *world, const struct payment_model *model, const struct bus_input *input) {
  const struct payment *payment = payment_model_of(model, input);
  enum payment_input_kind kind = PAYMENT_ON_DUE;
  if (!payment)
    return;
  if (input->kind == BUS_INPUT_DELIVERY)
    kind = input->type == &payment_charge_type ? PAYMENT_ON_CHARGE : PAYMENT_ON_REFUND;
  else if (input->kind == BUS_INPUT_COMPLETION)
    kind = ((const struct payment_result *)input->body)->kind;
  world->tally->payment[payment->state][kind]++;
}

static void decide_payment(struct world *world, void *model, const struct bus_input *input,
                           struct bus_effects *effects) {
  count_payment(world, model, input);
  if (world->bug != BUG_NONE)
    bugs_decide_payment(world, model, input, effects);
  else
    payment_service_decide(model, input, effects);
}

static bool store_payments(struct world *world, void *model, struct bus_sql *sql) {
  (void)world;
  return payment_store(model, sql);
}

static void call_psp(struct world *world, struct worker *worker, const void *given) {
  const struct payment_action *action = given;
  if (action->calls)
    caller_take(world, worker, &action->call);
}

const struct order_policy *services_order_policy(void) {
  return &order_context.policy;
}

const struct service services[SERVICES] = {
    [SERVICE_ORDER] = {.queues = 1U << QUEUE_ORDERS | 1U << QUEUE_PLACE,
                       .due_interval = 500 * BUS_MILLISECOND,
                       .lock = lock_orders,
                       .load = order_load,
                       .decide = decide_order,
                       .store = store_orders,
                       .act = count_nothing,
                       .due_room = due_orders},
    [SERVICE_INVENTORY] = {.queues = 1U << QUEUE_INVENTORY | 1U << QUEUE_REQUESTS,
                           .due_interval = 5 * BUS_SECOND,
                           .lock = lock_inventory,
                           .load = inventory_load,
                           .decide = decide_inventory,
                           .store = store_inventory,
                           .act = look_at_reservation,
                           .due_room = held_reservations},
    [SERVICE_PAYMENT] = {.queues = 1U << QUEUE_PAYMENTS,
                         .due_interval = 250 * BUS_MILLISECOND,
                         .lock = lock_payments,
                         .load = payment_load,
                         .decide = decide_payment,
                         .store = store_payments,
                         .act = call_psp,
                         .due_room = caller_room},
};
