/* The orders of a batch, and one input after the other: decide, let it happen, send, answer. */
#include "order_service.h"

#include "order_columns.h"

#include <inventory_messages.h>
#include <payment_messages.h>

#include <assert.h>

/* ---- the orders of a batch ---- */

/* Every body that comes in begins with the order's id. */
#define BEGINS_WITH_ID(S) _Static_assert(offsetof(struct S, order_id) == 0, "the order's id comes first")
BEGINS_WITH_ID(order_place);
BEGINS_WITH_ID(order_cancel);
BEGINS_WITH_ID(order_pay);
BEGINS_WITH_ID(stock_reserved);
BEGINS_WITH_ID(stock_rejected);
BEGINS_WITH_ID(stock_event);
BEGINS_WITH_ID(payment_event);
BEGINS_WITH_ID(payment_refusal);

enum order_message order_input_message(const struct bus_input *input) {
  return (enum order_message)bus_saga_message(&order_saga, input);
}

static void note_need(struct order_model *model, const struct bus_input *input) {
  enum order_message message = order_input_message(input);
  const struct order_place *place = message == ORDER_ON_PLACE ? input->body : NULL;
  const struct order_cancel *cancel = message == ORDER_ON_CANCEL ? input->body : NULL;
  struct order_need *need = &model->need;
  if (message != ORDER_MESSAGES)
    bus_set_add(&model->orders, input->body);
  if (place && place->pay_later)
    bus_set_add(&model->customers, &place->customer_id);
  need->tombstones |= place || cancel;
  need->alone |= cancel && cancel->accepted;
  need->customers |= place && place->pay_later;
  need->attempts |= message == ORDER_ON_PAY;
}

bool order_model_new(const struct bus_input *inputs, size_t count, const struct order_policy *policy,
                     const struct order_unpaid_limits *unpaid, struct bus_arena *arena, struct order_model **ret) {
  struct order_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  *model = (struct order_model){.arena = arena, .policy = policy, .unpaid = unpaid};
  bus_set_init(&model->orders, &order_columns, sizeof(struct order_entry), arena);
  bus_set_init(&model->customers, &customer_columns, 0, arena);
  for (size_t i = 0; i < count; i++)
    note_need(model, &inputs[i]);
  if (!bus_set_open(&model->orders) || !bus_set_open(&model->customers))
    return false;
  for (size_t i = 0; i < model->orders.count; i++) {
    struct order *order = bus_set_at(&model->orders, i);
    const struct bus_uuid id = order->order_id;
    order_init(order, &id);
  }
  *ret = model;
  return true;
}

struct order_entry *order_model_find(const struct order_model *model, const struct bus_uuid *order_id) {
  return bus_set_find(&model->orders, order_id);
}

bool order_model_add_tombstone(struct order_model *model, struct order_entry *entry,
                               const struct order_tombstone *tombstone) {
  struct order_tombstone *added = bus_arena_alloc(model->arena, sizeof *added);
  if (!added)
    return false;
  *added = *tombstone;
  added->next = entry->now.tombstones;
  entry->now.tombstones = added;
  return true;
}

bool order_model_add_attempt(struct order_model *model, struct order_entry *entry, const struct order_fact *requested) {
  struct order_attempt *added = bus_arena_alloc(model->arena, sizeof *added);
  if (!added)
    return false;
  *added = (struct order_attempt){entry->now.order_id, requested->pay_id, requested->request_hash, entry->now.tried};
  entry->now.tried = added;
  return true;
}

bool order_model_record(struct order_model *model, struct order_entry *entry, const struct order_fact *fact,
                        bus_time now) {
  struct order_record *record = bus_arena_alloc(model->arena, sizeof *record);
  if (!record || !order_fact_encode(fact, model->arena, &record->data))
    return false;
  order_evolve(&entry->now, fact, now);
  record->order_id = entry->now.order_id;
  record->type = fact->type;
  record->seq = entry->now.version;
  record->at = entry->now.updated_at;
  if (entry->last)
    entry->last->next = record;
  else
    entry->first = record;
  entry->last = record;
  bus_set_change(&model->orders, entry);
  return true;
}

/* ---- one input ---- */

/* One decision that has happened. */
struct turn {
  struct order_model *model;
  struct order_entry *entry;
  struct order *order; /* the entry's */
  enum order_message message;
  const void *body;
  const struct order_decision *decision;
  struct bus_effects *effects;
  int before;                   /* the status before it */
  struct bus_str payment_token; /* for a charge: as it was before it was given up, or as the order is paid with now */
};

/* ---- messages to other services ---- */

static void emit_for(const struct turn *turn, const struct bus_message_type *type, const void *body) {
  bus_emit_caused(turn->effects, type, &turn->order->order_id, &turn->order->cause, body);
}

static void send_reserve(const struct turn *turn) {
  const struct order *order = turn->order;
  struct stock_item *items = bus_effects_array(turn->effects, order->item_count, sizeof *items);
  if (!items)
    return;
  for (size_t i = 0; i < order->item_count; i++)
    items[i] = (struct stock_item){order->items[i].product_id, order->items[i].quantity, BUS_NO_INT64};
  const struct inventory_reserve body = {order->order_id, items, order->item_count, order->request.expected_total,
                                         order_expected_until(order, turn->model->policy, turn->effects->now)};
  emit_for(turn, &inventory_reserve_type, &body);
}

const struct bus_message_type *order_event_type(enum order_fact_type fact) {
  static const struct bus_message_type *const events[FACT_TYPES] = {
      [FACT_CREATED] = &order_created_type,
      [FACT_CONFIRMED] = &order_confirmed_type,
      [FACT_REJECTED] = &order_rejected_type,
      [FACT_CANCELLED] = &order_cancelled_type,
  };
  return events[fact];
}

struct order_event order_event_of(const struct order *order, const struct bus_message_type *type) {
  return (struct order_event){.order_id = order->order_id,
                              .customer_id = order->customer_id,
                              .items = order->items,
                              .item_count = order->item_count,
                              .total = order->total,
                              .currency = order->currency,
                              .reason = type == &order_created_type ? BUS_NO_STR : order->reason,
                              .placed_at = order->created_at,
                              .at = order->updated_at};
}

static void send_event(const struct turn *turn, const struct bus_message_type *type) {
  const struct order_event body = order_event_of(turn->order, type);
  emit_for(turn, type, &body);
}

static void send_commands(const struct turn *turn) {
  const struct order *order = turn->order;
  unsigned sends = turn->decision->sends;
  int64_t attempt = order->attempts > 0 ? order->attempts : BUS_NO_INT64;
  const struct payment_charge charge = {order->order_id, order->total, order->currency, turn->payment_token, attempt};
  const struct inventory_order stock = {order->order_id};
  const struct payment_refund refund = {order->order_id, attempt};
  if (sends & SEND_RESERVE)
    send_reserve(turn);
  if (sends & SEND_CHARGE)
    emit_for(turn, &payment_charge_type, &charge);
  if (sends & SEND_CONFIRMED)
    send_event(turn, &order_confirmed_type);
  if (sends & SEND_RELEASE)
    emit_for(turn, &inventory_release_type, &stock);
  if (sends & SEND_REFUND)
    emit_for(turn, &payment_refund_type, &refund);
}

static void send_refunded(const struct turn *turn) {
  const struct order *order = turn->order;
  const struct order_refunded body = {order->order_id, order->customer_id, order->refunded,  order->total,
                                      order->currency, order->created_at,  order->updated_at};
  if (order->refunded > 0) /* else nothing had been captured */
    emit_for(turn, &order_refunded_type, &body);
}

static void send_events(const struct turn *turn) {
  for (size_t i = 0; i < turn->decision->fact_count; i++) {
    const struct bus_message_type *type = order_event_type(turn->decision->facts[i].type);
    if (type)
      send_event(turn, type);
    else if (turn->decision->facts[i].type == FACT_PAYMENT_REFUNDED)
      send_refunded(turn);
  }
}

/* ---- answers ---- */

static void answer_command(const struct turn *turn) {
  int outcome = turn->decision->outcome;
  bool shows = turn->order->status != ORDER_NONE && outcome != ORDER_NOT_FOUND && outcome != ORDER_KEY_REUSED;
  struct order_view view = order_view_of(turn->order);
  const struct order_answer body = {outcome, shows ? &view : NULL};
  if (outcome != ORDER_NO_OUTCOME)
    bus_answer(turn->effects, &order_answer_type, &body);
}

/* The second answer, to whoever still waits. */
static void answer_final(const struct turn *turn) {
  struct order *order = turn->order;
  struct order_view view = order_view_of(order);
  const struct order_answer body = {.outcome = ORDER_FINAL, .order = &view};
  if (order->asker.reply_to.data && turn->effects->now <= order->reply_until)
    bus_answer_to(turn->effects, &order->asker, &order_answer_type, &body);
  order->asker = (struct bus_asker){.reply_to = BUS_NO_STR};
  order->reply_until = BUS_NO_TIME;
}

/* A queue's name as we keep it: what else a broker takes for one is nobody of ours. */
static bool is_address(struct bus_str reply_to) {
  for (size_t i = 0; i < reply_to.len; i++)
    if (reply_to.data[i] <= ' ' || reply_to.data[i] > '~')
      return false;
  return reply_to.len > 0 && reply_to.len <= ORDER_REPLY_TO_MAX;
}

/* The last asker is answered: an earlier one has timed out, or would not ask again. */
static bool keep_asker(const struct turn *turn) {
  const struct bus_envelope *envelope = turn->effects->input->envelope;
  const struct order_place *place = turn->body;
  int outcome = turn->decision->outcome;
  bool waits = outcome == ORDER_ACCEPTED || (outcome == ORDER_REPLAYED && !order_is_final(turn->order));
  if (turn->message != ORDER_ON_PLACE || !waits || place->wait_ms == BUS_NO_INT64 || place->wait_ms <= 0 ||
      !is_address(envelope->reply_to))
    return false;
  turn->order->asker = (struct bus_asker){envelope->reply_to, envelope->message_id};
  turn->order->reply_until = turn->effects->now + place->wait_ms * BUS_MILLISECOND;
  return true;
}

/* ---- what happens to the order ---- */

static void begin_saga(struct order *order, const struct bus_input *input) {
  const struct order_place *place = input->body;
  order->payment_token = place->payment_token;
  order->cause = (struct bus_cause){input->envelope->trace, input->envelope->message_id};
}

/* False when out of memory. */
static bool record_decision(const struct turn *turn) {
  for (size_t i = 0; i < turn->decision->fact_count; i++)
    if (!order_model_record(turn->model, turn->entry, &turn->decision->facts[i], turn->effects->now) ||
        (turn->decision->facts[i].type == FACT_PAYMENT_REQUESTED &&
         !order_model_add_attempt(turn->model, turn->entry, &turn->decision->facts[i])))
      return false;
  if (!turn->decision->keeps_cancel)
    return true;
  const struct order_cancel *cancel = turn->body;
  const struct order_tombstone tombstone = {
      .order_id = cancel->order_id, .customer_id = cancel->customer_id, .reason = cancel->reason};
  return order_model_add_tombstone(turn->model, turn->entry, &tombstone);
}

/* Columns that the log does not hold: deadlines, waiting askers, data that is no longer needed. */
static void keep_books(const struct turn *turn) {
  struct order *order = turn->order;
  bool deadline = turn->message == ORDER_ON_DEADLINE;
  if (keep_asker(turn) || (deadline && !order_is_final(order)))
    bus_set_change(&turn->model->orders, turn->entry);
  if (order->status != ORDER_PENDING)
    order->payment_token = BUS_NO_STR;
  if (turn->decision->resend && !order_is_final(order))
    order->resends++;
  order_schedule(order, turn->before, deadline, turn->model->policy, turn->effects->now);
}

static void tally_earnings(const struct order *order, struct order_tally *action) {
  action->earned = order->captured - order->refunded;
  if (order->currency.data && order->currency.len < sizeof action->currency)
    memcpy(action->currency, order->currency.data, order->currency.len);
}

static void tally_turn(const struct turn *turn) {
  const struct order_decision *decision = turn->decision;
  bool finished = order_is_final(turn->order) && turn->order->status != turn->before;
  bool created = turn->before == ORDER_NONE && decision->fact_count > 0;
  unsigned resent = decision->resend ? decision->sends : 0;
  if (!finished && !created && !resent && !decision->alarm)
    return;
  struct order_tally *action = bus_effects_array(turn->effects, 1, sizeof *action);
  if (!action)
    return;
  *action = (struct order_tally){.order_id = turn->order->order_id,
                                 .created = created,
                                 .finished = finished ? turn->order->status : -1,
                                 .why = order_why_find(turn->order->reason),
                                 .trace = turn->order->cause.trace,
                                 .age = finished ? turn->order->updated_at - turn->order->created_at : 0,
                                 .resent = resent,
                                 .alarm = decision->alarm,
                                 .status = turn->order->status};
  action->trace.state = BUS_NO_STR;
  if (action->finished == ORDER_CONFIRMED)
    tally_earnings(turn->order, action);
  bus_act(turn->effects, action);
}

/* An order of a customer that is paid later: the batch counts it with those that the database had. */
static void count_unpaid(const struct turn *turn) {
  bool created = turn->before == ORDER_NONE && turn->decision->fact_count > 0;
  struct order_customer *customer = created && turn->order->pay_later && !order_is_final(turn->order)
                                        ? bus_set_find(&turn->model->customers, &turn->order->customer_id)
                                        : NULL;
  if (!customer)
    return;
  customer->unpaid++;
  turn->model->placed_unpaid++;
}

/* A client that waits for the order's end is also answered when the order begins to await its payment. */
static bool is_answered(const struct order *order) {
  return order_is_final(order) || order->status == ORDER_AWAITING_PAYMENT;
}

static void finish_turn(struct turn *turn) {
  if (turn->message == ORDER_ON_PLACE && turn->before == ORDER_NONE)
    begin_saga(turn->order, turn->effects->input);
  turn->payment_token = turn->message == ORDER_ON_PAY ? ((const struct order_pay *)turn->body)->payment_token
                                                      : turn->order->payment_token;
  if (!record_decision(turn)) {
    turn->effects->failed = true;
    return;
  }
  if (turn->order->status != ORDER_NONE)
    keep_books(turn);
  count_unpaid(turn);
  send_commands(turn);
  send_events(turn);
  answer_command(turn);
  if (turn->before != turn->order->status && is_answered(turn->order))
    answer_final(turn);
  tally_turn(turn);
}

static enum order_room room_of(const struct order_model *model, const struct order_place *place) {
  const struct order_customer *customer = bus_set_find(&model->customers, &place->customer_id);
  if (!customer || !place->pay_later)
    return ORDER_ROOM;
  return order_room_for(customer->unpaid_of_all + model->placed_unpaid, customer->unpaid, model->unpaid);
}

void order_decide_input(void *context, const struct bus_input *input, struct bus_effects *effects) {
  struct order_model *model = context;
  enum order_message message = order_input_message(input);
  if (message == ORDER_MESSAGES) {
    bus_park(effects, "order-svc takes no such message");
    return;
  }
  struct order_entry *entry = order_model_find(model, input->body);
  assert(entry);
  struct order *order = &entry->now;
  struct order_decision decision;
  if (message == ORDER_ON_PLACE)
    order->room = room_of(model, input->body);
  struct turn turn = {model, entry, order, message, input->body, &decision, effects, order->status, BUS_NO_STR};
  if (!order_decide(order, message, input->body, effects->now, model->arena, &decision))
    effects->failed = true;
  else if (decision.unusable)
    bus_park(effects, "%s in state %s: %s", order_saga.messages[message].name, order_state_name(order->status),
             decision.unusable);
  else
    finish_turn(&turn);
}

/* ---- the batch ---- */

/* Orders whose log has grown. */
static bool take_change(const void *row, void *ret) {
  const struct order_entry *entry = row;
  if (entry->last)
    *(struct order_change *)ret = (struct order_change){entry->now.order_id, entry->now.version, entry->now.status};
  return entry->last;
}

void order_conclude(void *context, struct bus_effects *effects) {
  const struct order_model *model = context;
  bus_set_notify(&model->orders, effects, &order_changed_type, take_change);
}
