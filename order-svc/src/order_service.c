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
BEGINS_WITH_ID(stock_reserved);
BEGINS_WITH_ID(stock_rejected);
BEGINS_WITH_ID(stock_event);
BEGINS_WITH_ID(payment_event);
BEGINS_WITH_ID(payment_refusal);
BEGINS_WITH_ID(order_due);

static const struct bus_message_type *const types[ORDER_MESSAGES] = {
    [ORDER_ON_PLACE] = &order_place_type,
    [ORDER_ON_CANCEL] = &order_cancel_type,
    [ORDER_ON_STOCK_RESERVED] = &stock_reserved_type,
    [ORDER_ON_STOCK_REJECTED] = &stock_rejected_type,
    [ORDER_ON_STOCK_RELEASED] = &stock_released_type,
    [ORDER_ON_STOCK_MISSING] = &stock_missing_type,
    [ORDER_ON_STOCK_HELD] = &stock_held_type,
    [ORDER_ON_STOCK_COMMITTED] = &stock_committed_type,
    [ORDER_ON_PAYMENT_CAPTURED] = &payment_captured_type,
    [ORDER_ON_PAYMENT_DECLINED] = &payment_declined_type,
    [ORDER_ON_PAYMENT_FAILED] = &payment_failed_type,
    [ORDER_ON_PAYMENT_REFUNDED] = &payment_refunded_type,
};

static int message_of(const struct bus_input *input) {
  if (input->kind == BUS_INPUT_DEADLINE)
    return ORDER_ON_DEADLINE;
  int message = 0;
  while (message < ORDER_MESSAGES && (!types[message] || types[message] != input->type))
    message++;
  return message;
}

bool order_input_read(const struct bus_input *input, enum order_message *ret_message, struct bus_uuid *ret_order_id) {
  int message = message_of(input);
  if (message == ORDER_MESSAGES)
    return false;
  *ret_message = (enum order_message)message;
  *ret_order_id = *(const struct bus_uuid *)input->body;
  return true;
}

bool order_model_new(const struct bus_input *inputs, size_t count, const struct order_policy *policy,
                     struct bus_arena *arena, struct order_model **ret) {
  struct order_model *model = bus_arena_alloc(arena, sizeof *model);
  enum order_message message;
  struct bus_uuid order_id;
  if (!model)
    return false;
  *model = (struct order_model){.arena = arena, .policy = policy};
  bus_set_init(&model->orders, &order_columns, sizeof(struct order_entry), arena);
  for (size_t i = 0; i < count; i++)
    if (order_input_read(&inputs[i], &message, &order_id))
      bus_set_add(&model->orders, &order_id);
  if (!bus_set_open(&model->orders))
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

bool order_model_keep_cancel(struct order_model *model, struct order_entry *entry, const struct order_cancel *cancel) {
  const struct order_tombstone tombstone = {
      .order_id = cancel->order_id, .customer_id = cancel->customer_id, .reason = cancel->reason};
  return order_model_add_tombstone(model, entry, &tombstone);
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
  struct order *order;
  const struct order_decision *decision;
  struct bus_effects *effects;
  int before;                   /* the status before it */
  struct bus_str payment_token; /* as it was before it was given up */
};

/* ---- messages to other services ---- */

static void emit(const struct turn *turn, const struct bus_message_type *type, const void *body) {
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
                                         order_expected_until(order, turn->effects->now)};
  emit(turn, &inventory_reserve_type, &body);
}

static void send_charge(const struct turn *turn) {
  const struct order *order = turn->order;
  const struct payment_charge body = {order->order_id, order->total, order->currency, turn->payment_token};
  emit(turn, &payment_charge_type, &body);
}

static void publish(const struct turn *turn, const struct bus_message_type *type) {
  const struct order *order = turn->order;
  const struct order_event body = {.order_id = order->order_id,
                                   .customer_id = order->customer_id,
                                   .items = order->items,
                                   .item_count = order->item_count,
                                   .total = order->total,
                                   .currency = order->currency,
                                   .reason = type == &order_created_type ? BUS_NO_STR : order->reason};
  emit(turn, type, &body);
}

static void send_commands(const struct turn *turn) {
  unsigned sends = turn->decision->sends;
  const struct inventory_order stock = {turn->order->order_id};
  const struct payment_refund refund = {turn->order->order_id};
  if (sends & SEND_RESERVE)
    send_reserve(turn);
  if (sends & SEND_CHARGE)
    send_charge(turn);
  if (sends & SEND_CONFIRMED)
    publish(turn, &order_confirmed_type);
  if (sends & SEND_RELEASE)
    emit(turn, &inventory_release_type, &stock);
  if (sends & SEND_REFUND)
    emit(turn, &payment_refund_type, &refund);
}

static void publish_events(const struct turn *turn) {
  static const struct bus_message_type *const events[FACT_TYPES] = {
      [FACT_CREATED] = &order_created_type,
      [FACT_CONFIRMED] = &order_confirmed_type,
      [FACT_REJECTED] = &order_rejected_type,
      [FACT_CANCELLED] = &order_cancelled_type,
  };
  for (size_t i = 0; i < turn->decision->fact_count; i++)
    if (events[turn->decision->facts[i].type])
      publish(turn, events[turn->decision->facts[i].type]);
}

/* ---- answers ---- */

static bool shows_order(const struct turn *turn) {
  int outcome = turn->decision->outcome;
  return turn->order->status != ORDER_NONE && outcome != ORDER_NOT_FOUND && outcome != ORDER_KEY_REUSED;
}

static void answer(const struct turn *turn) {
  struct order_view view = order_view_of(turn->order);
  const struct order_answer body = {turn->decision->outcome, shows_order(turn) ? &view : NULL};
  if (body.outcome != ORDER_NO_OUTCOME)
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
static bool keep_asker(struct order *order, const struct bus_envelope *envelope, const struct order_place *place,
                       bus_time now) {
  if (place->wait_ms == BUS_NO_INT64 || place->wait_ms <= 0 || !is_address(envelope->reply_to))
    return false;
  order->asker = (struct bus_asker){envelope->reply_to, envelope->message_id};
  order->reply_until = now + place->wait_ms * BUS_MILLISECOND;
  return true;
}

/* ---- one input ---- */

static bool happen(struct order_model *model, struct order_entry *entry, const struct order_decision *decision,
                   bus_time now) {
  for (size_t i = 0; i < decision->fact_count; i++)
    if (!order_model_record(model, entry, &decision->facts[i], now))
      return false;
  return true;
}

static void begin_saga(struct order_entry *entry, const struct bus_input *input) {
  const struct order_place *place = input->body;
  entry->now.payment_token = place->payment_token;
  entry->now.cause = (struct bus_cause){input->envelope->trace, input->envelope->message_id};
}

/* Columns that the log does not hold: deadlines, waiting askers, data that is no longer needed. */
static void keep_books(struct order_model *model, struct order_entry *entry, const struct turn *turn,
                       enum order_message message) {
  const struct bus_input *input = turn->effects->input;
  struct order *order = &entry->now;
  bus_time now = turn->effects->now;
  bool waits = turn->decision->outcome == ORDER_ACCEPTED ||
               (turn->decision->outcome == ORDER_REPLAYED && !order_is_final(order));
  if (message == ORDER_ON_PLACE && waits && keep_asker(order, input->envelope, input->body, now))
    bus_set_change(&model->orders, entry);
  if (order->status != ORDER_PENDING)
    order->payment_token = BUS_NO_STR;
  if (turn->decision->resend && !order_is_final(order))
    order->resends++;
  if (message == ORDER_ON_DEADLINE && order->status != ORDER_NONE && !order_is_final(order))
    bus_set_change(&model->orders, entry);
  order_schedule(order, turn->before, message == ORDER_ON_DEADLINE, model->policy, now);
}

static void tally_earnings(const struct order *order, struct order_tally *action) {
  action->earned = order->captured - order->refunded;
  if (order->currency.data && order->currency.len < sizeof action->currency)
    memcpy(action->currency, order->currency.data, order->currency.len);
}

static void tally(const struct turn *turn) {
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
                                 .age = finished ? turn->order->updated_at - turn->order->created_at : 0,
                                 .resent = resent,
                                 .alarm = decision->alarm,
                                 .status = turn->order->status};
  if (action->finished == ORDER_CONFIRMED)
    tally_earnings(turn->order, action);
  bus_act(turn->effects, action);
}

static void carry_out(struct order_model *model, struct order_entry *entry, enum order_message message,
                      const struct order_decision *decision, struct bus_effects *effects) {
  struct turn turn = {&entry->now, decision, effects, entry->now.status, BUS_NO_STR};
  if (message == ORDER_ON_PLACE && entry->now.status == ORDER_NONE)
    begin_saga(entry, effects->input);
  turn.payment_token = entry->now.payment_token;
  if (!happen(model, entry, decision, effects->now) ||
      (decision->keeps_cancel && !order_model_keep_cancel(model, entry, effects->input->body))) {
    effects->failed = true;
    return;
  }
  if (entry->now.status != ORDER_NONE)
    keep_books(model, entry, &turn, message);
  send_commands(&turn);
  publish_events(&turn);
  answer(&turn);
  if (turn.before != entry->now.status && order_is_final(&entry->now))
    answer_final(&turn);
  tally(&turn);
}

void order_decide_input(void *context, const struct bus_input *input, struct bus_effects *effects) {
  struct order_model *model = context;
  enum order_message message;
  struct bus_uuid order_id;
  struct order_decision decision;
  if (!order_input_read(input, &message, &order_id)) {
    bus_park(effects, "order-svc takes no such message");
    return;
  }
  struct order_entry *entry = order_model_find(model, &order_id);
  assert(entry);
  if (!order_decide(&entry->now, message, input->body, effects->now, model->arena, &decision))
    effects->failed = true;
  else if (decision.unusable)
    bus_park(effects, "%s in state %s: %s", order_message_names[message], order_state_name(entry->now.status),
             decision.unusable);
  else
    carry_out(model, entry, message, &decision, effects);
}
