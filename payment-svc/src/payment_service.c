/* A batch: the payments of its inputs; and inputs and effects between the bus and the payment. */
#include "payment_service.h"

#include "payment_columns.h"

#include <assert.h>

/* ---- the model ---- */

static const struct bus_uuid *order_of_delivery(const struct bus_input *input) {
  if (input->type == &payment_charge_type)
    return &((const struct payment_charge *)input->body)->order_id;
  if (input->type == &payment_refund_type)
    return &((const struct payment_refund *)input->body)->order_id;
  return NULL;
}

const struct bus_uuid *payment_order_of(const struct bus_input *input) {
  switch (input->kind) {
  case BUS_INPUT_DELIVERY:
    return order_of_delivery(input);
  case BUS_INPUT_DEADLINE:
    return &((const struct payment_due *)input->body)->order_id;
  case BUS_INPUT_COMPLETION:
    return &((const struct payment_result *)input->body)->order_id;
  }
  return NULL;
}

bool payment_model_new(const struct bus_input *inputs, size_t count, const struct payment_policy *policy,
                       struct bus_arena *arena, struct payment_model **ret) {
  struct payment_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->policy = policy;
  bus_set_init(&model->payments, &payment_columns, 0, arena);
  for (size_t i = 0; i < count; i++)
    if (payment_order_of(&inputs[i]))
      bus_set_add(&model->payments, payment_order_of(&inputs[i]));
  *ret = model;
  return bus_set_open(&model->payments);
}

struct payment *payment_model_find(const struct payment_model *model, const struct bus_uuid *order_id) {
  return bus_set_find(&model->payments, order_id);
}

/* ---- inputs ---- */

static struct payment_input input_of_delivery(const struct bus_input *input) {
  struct payment_input in = {.kind = PAYMENT_ON_REFUND, .cause = {input->envelope->trace, input->envelope->message_id}};
  if (input->type != &payment_charge_type)
    return in;
  const struct payment_charge *charge = input->body;
  in.kind = PAYMENT_ON_CHARGE;
  in.amount = charge->amount;
  in.currency = charge->currency;
  in.token = charge->token;
  return in;
}

static struct payment_input payment_input_of(const struct bus_input *input) {
  if (input->kind == BUS_INPUT_DELIVERY)
    return input_of_delivery(input);
  if (input->kind == BUS_INPUT_DEADLINE)
    return (struct payment_input){.kind = PAYMENT_ON_DUE};
  const struct payment_result *result = input->body;
  return (struct payment_input){.kind = result->kind, .result = result};
}

/* ---- effects ---- */

/* Caused by the command that is answered; else by the last command. */
static void tell_payment(struct bus_effects *effects, const struct payment *payment, enum payment_say what) {
  static const struct bus_message_type *const types[] = {[PAYMENT_SAY_CAPTURED] = &payment_captured_type,
                                                         [PAYMENT_SAY_DECLINED] = &payment_declined_type,
                                                         [PAYMENT_SAY_FAILED] = &payment_failed_type,
                                                         [PAYMENT_SAY_REFUNDED] = &payment_refunded_type};
  const struct payment_event event = {.order_id = payment->order_id,
                                      .amount =
                                          what == PAYMENT_SAY_REFUNDED ? payment->refunded_amount : payment->amount,
                                      .currency = payment->currency[0] ? bus_str(payment->currency) : BUS_NO_STR};
  const struct payment_refusal refusal = {.order_id = payment->order_id, .reason = bus_str(payment->reason)};
  bool moved = what == PAYMENT_SAY_CAPTURED || what == PAYMENT_SAY_REFUNDED;
  if (what != PAYMENT_SAY_NOTHING)
    bus_emit_caused(effects, types[what], &payment->order_id, &payment->cause,
                    moved ? (const void *)&event : (const void *)&refusal);
}

static void book_money(struct payment_model *model, const struct payment *payment, const struct payment_decision *done,
                       struct bus_effects *effects) {
  if (done->money == PAYMENT_MONEY_NONE)
    return;
  struct payment_booking *booking = bus_effects_array(effects, 1, sizeof *booking);
  if (!booking)
    return;
  *booking = (struct payment_booking){.order_id = payment->order_id,
                                      .entry = done->money,
                                      .amount = payment->amount,
                                      .currency = bus_str(payment->currency),
                                      .psp_id = bus_str(done->money_id),
                                      .next = model->bookings};
  model->bookings = booking;
}

static void act_on(const struct payment *payment, const struct payment_decision *done, struct bus_effects *effects) {
  if (!done->calls && !done->moved && done->alarm == PAYMENT_NO_ALARM)
    return;
  struct payment_action *action = bus_effects_array(effects, 1, sizeof *action);
  if (!action)
    return;
  *action = (struct payment_action){.calls = done->calls,
                                    .call = done->call,
                                    .moved = done->moved,
                                    .state = payment->state,
                                    .alarm = done->alarm,
                                    .order_id = payment->order_id,
                                    .trace = payment->cause.trace,
                                    .attempts = payment->attempts};
  bus_act(effects, action);
}

/* ---- deciding ---- */

void payment_service_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  struct payment_model *model = context;
  const struct bus_uuid *order_id = payment_order_of(input);
  struct payment *payment = order_id ? payment_model_find(model, order_id) : NULL;
  if (!payment) {
    bus_park(effects, "no payment command");
    return;
  }
  struct payment_input in = payment_input_of(input);
  struct payment_decision done;
  payment_decide(payment, &in, model->policy, effects->now, bus_uuid_source_random(effects->ids), &done);
  payment_evolve(payment, &done);
  if (done.changed)
    bus_set_change(&model->payments, payment);
  tell_payment(effects, payment, done.say);
  book_money(model, payment, &done, effects);
  act_on(payment, &done, effects);
}

void payment_query_decide(void *model, const struct bus_input *input, struct bus_effects *effects) {
  assert(input->type == &payment_ping_type);
  bus_answer(effects, &payment_pong_type, model);
}
