/* The services as they are: their own functions, with the planted bugs around them. */
#include "services.h"

#include "service_bugs.h"

#include "check.h"
#include "check_worker.h"
#include "table_orders.h"

#include "../../inventory-svc/src/inventory_upkeep.h"

#include <inventory_service.h>
#include <inventory_statements.h>
#include <inventory_store.h>
#include <order_service.h>
#include <order_statements.h>
#include <order_store.h>
#include <order_upkeep.h>
#include <payment_messages.h>

const char *const service_names[DATABASES] = {"order-svc", "inventory-svc", "payment-svc", "notify-svc"};

static const struct order_context order_context = {
    .policy = {.deadline = 60 * BUS_SECOND, .resend = 30 * BUS_SECOND, .pay_later = 15 * BUS_MINUTE},
    .unpaid = {.all = 10000, .of_customer = SIM_UNPAID_MAX}};
static const struct payment_policy payment_policy = {PAYMENT_POLICY_DEFAULTS};

const struct order_policy *services_order_policy(void) {
  return &order_context.policy;
}

const struct payment_policy *services_payment_policy(void) {
  return &payment_policy;
}

void services_open(struct world *world, struct worker *worker) {
  struct service_context *context = &worker->context;
  if (worker->service == SERVICE_NOTIFY) {
    notify_open_in(world, worker);
    return;
  }
  if (worker->service == SERVICE_PAYMENT) {
    context->caller = (struct payment_caller){world, worker};
    context->payment = (struct payment_context){payment_policy, &context->caller, &context->handle};
    return;
  }
  context->order = order_context;
  context->order.limits = (struct order_limits){world->plan.max_open_sagas, world->plan.max_late_sagas};
  context->order.tombstones_keep_h = bus_worker_inbox_keep_h(&context->handle);
}

void services_close(struct worker *worker) {
  if (worker->own)
    notify_bus.close(worker->own);
  worker->own = NULL;
}

void *services_context(struct worker *worker) {
  return worker->own ? worker->own : &worker->context;
}

/* Functions that get a model alone. */
struct bus_worker *services_present;

void services_enter(struct bus_worker *worker) {
  services_present = worker;
}

/* ---- around each decision ---- */

void services_lock(const struct bus_input *inputs, size_t count) {
  struct worker *worker = services_present->worker;
  worker->asked_count = count < DECIDED_MAX ? count : DECIDED_MAX;
  for (size_t i = 0; i < worker->asked_count; i++)
    worker->asked[i] = inputs[i].envelope ? inputs[i].envelope->message_id : (struct bus_uuid){{0}};
}

bool services_begin(const struct bus_input *input) {
  struct worker *worker = services_present->worker;
  struct world *world = services_present->world;
  struct decided *decided = &worker->decided[worker->decided_count++];
  if (worker->decided_count > DECIDED_MAX)
    world_violate(world, "%s decides more than a batch holds", worker->peer.name);
  *decided = (struct decided){.type = input->type};
  if (input->kind != BUS_INPUT_DELIVERY)
    return true;
  decided->letter = letter_of(world, &input->envelope->message_id);
  memcpy(&decided->subject, input->body, sizeof decided->subject);
  if (!decided->letter->crashes)
    return true;
  check_alone(world, worker, input->envelope);
  worker->doomed = true;
  return false;
}

void services_end(const struct bus_effects *effects) {
  struct worker *worker = services_present->worker;
  worker->decided[worker->decided_count - 1].done = effects->verdict == BUS_DONE;
  leaving_emitted(services_present->world, &worker->leaving, effects);
}

/* ---- order-svc ---- */

static bool lock_orders(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                        struct bus_sql *sql, void **ret_model) {
  services_lock(inputs, count);
  return order_lock(context, inputs, count, arena, sql, ret_model);
}

static void count_cell(struct world *world, int state, enum order_message message) {
  world->tally->saga[state][message]++;
  if (!tally_is_reachable(state, (int)message))
    world_violate(world, "%s comes in state %s, where no story leads", order_saga.messages[message].name,
                  order_state_name(state));
}

static void decide_order(void *model, const struct bus_input *input, struct bus_effects *effects) {
  struct world *world = services_present->world;
  enum order_message message = order_input_message(input);
  if (!services_begin(input))
    return;
  if (message != ORDER_MESSAGES)
    count_cell(world, order_state_for(&order_model_find(model, input->body)->now, message, input->body), message);
  if (world->bug != BUG_NONE)
    bugs_decide_order(world, model, input, effects);
  else
    order_decide_input(model, input, effects);
  services_end(effects);
}

static bool store_orders(void *model, struct bus_sql *sql) {
  if (has_bug(services_present->world, BUG_SKIP_FACT))
    bugs_skip_fact(model);
  return order_store(model, sql);
}

static void count_nothing(void *context, const void *action) {
  (void)context, (void)action; /* metrics and alarms */
}

/* The real one is the process's, and knows the real time. */
static int64_t take_budget(void) {
  return order_budget_take(&services_present->worker->budget, services_present->world->now);
}

static void due_args(void *context, struct bus_args *args) {
  (void)context;
  bus_args_int64(args, take_budget());
}

static void put_off_args(void *context, struct bus_args *args) {
  const struct service_context *own = context;
  bus_args_int64(args, take_budget());
  bus_args_int64(args, order_longest_wait(&own->order.policy));
  bus_args_int64(args, order_longest_wait_for_payment(&own->order.policy));
}

/* The real one also counts metrics. */
static void intake_rows(void *context, struct bus_worker *handle, const struct bus_rows *rows) {
  const struct service_context *own = context;
  struct world *world = handle->world;
  struct order_load load = {.open = bus_rows_int64(rows, 0, 0), .late = bus_rows_int64(rows, 0, 1)};
  int64_t forward = load.open;
  if (has_bug(world, BUG_UNDONE_COUNT))
    load.open += orders_in(handle->worker->database, ORDER_COMPENSATING);
  bool closed = order_intake_is_full(&load, &own->order.limits);
  check_intake(world, handle->worker, forward, closed);
  bus_worker_pause(handle, ORDER_QUEUE_PLACE, closed);
}

static struct bus_periodic own_order_periodics[ORDER_PERIODICS];

/* Those that keep state of the process have it here in the worker. */
static void make_order_periodics(void) {
  for (size_t i = 0; i < ORDER_PERIODICS; i++) {
    struct bus_periodic *periodic = &own_order_periodics[i];
    *periodic = order_periodics[i];
    if (periodic->statement == FIND_DUE)
      periodic->args = due_args;
    if (periodic->statement == FIND_PUT_OFF)
      periodic->args = put_off_args;
    if (periodic->statement == COUNT_OPEN)
      periodic->rows = intake_rows;
  }
}

/* ---- inventory-svc ---- */

static bool lock_inventory(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                           struct bus_sql *sql, void **ret_model) {
  services_lock(inputs, count);
  return inventory_lock(context, inputs, count, arena, sql, ret_model);
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

static void decide_inventory(void *model, const struct bus_input *input, struct bus_effects *effects) {
  struct world *world = services_present->world;
  if (!services_begin(input))
    return;
  count_reservation(world, model, input);
  if (world->bug != BUG_NONE)
    bugs_decide_inventory(world, model, input, effects);
  else
    inventory_decide(model, input, effects);
  services_end(effects);
}

/* No sound story leads to an alarm: the order of what is missing or sold was decided otherwise. A reservation may be
 * held for long. */
static void look_at_reservation(void *context, const void *action) {
  const struct inventory_tally *tally = action;
  (void)context;
  if (tally->alarm == ALARM_MISSING || tally->alarm == ALARM_SOLD)
    world_violate(services_present->world, "a reservation is alarmed: %s", reservation_alarm_names[tally->alarm]);
}

/* ---- all of them ---- */

void services_make(void) {
  make_order_periodics();
}

static const char *const order_queues[] = {"order-svc", "order-svc.place"};
static const char *const inventory_queues[] = {"inventory-svc"};
static const char *const request_queues[] = {"inventory-svc.request"};

static const struct bus_service order_bus = {
    .name = "order-svc",
    .queues = order_queues,
    .queue_count = BUS_COUNT(order_queues),
    .statements = order_statements,
    .statement_count = ORDER_STATEMENTS,
    .periodics = own_order_periodics,
    .periodic_count = ORDER_PERIODICS,
    .lock = lock_orders,
    .load = order_load,
    .decide = decide_order,
    .conclude = order_conclude,
    .store = store_orders,
    .act = count_nothing,
};

/* Commands and requests are carried out by the same functions; the periodics run beside the commands. */
#define INVENTORY_BUS(taken, ...)                                                                                      \
  {                                                                                                                    \
    .name = "inventory-svc", .queues = (taken), .queue_count = BUS_COUNT(taken), .statements = inventory_statements,   \
    .statement_count = INVENTORY_STATEMENTS, .lock = lock_inventory, .load = inventory_load,                           \
    .decide = decide_inventory, .conclude = inventory_conclude, .store = inventory_store, .act = look_at_reservation,  \
    __VA_ARGS__                                                                                                        \
  }
static const struct bus_service inventory_bus = INVENTORY_BUS(inventory_queues, .periodics = inventory_periodics,
                                                              .periodic_count = INVENTORY_RESERVATION_PERIODICS);
static const struct bus_service request_bus = INVENTORY_BUS(request_queues, .periodics = NULL);

const struct service services[SERVICES] = {
    [SERVICE_ORDER] = {.queues = {QUEUE_ORDERS, QUEUE_PLACE}, .bus = &order_bus},
    [SERVICE_INVENTORY] = {.queues = {QUEUE_INVENTORY, -1}, .bus = &inventory_bus},
    [SERVICE_REQUESTS] = {.queues = {QUEUE_REQUESTS, -1}, .bus = &request_bus},
    [SERVICE_NOTIFY] = {.queues = {QUEUE_NOTIFY, -1}, .bus = &notify_bus},
    [SERVICE_PAYMENT] = {.queues = {QUEUE_PAYMENTS, -1}, .bus = &payment_bus},
};
