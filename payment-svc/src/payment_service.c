/* A batch: the payments of its inputs; and inputs and effects between the bus and the payment. */
#include "payment_service.h"

#include "payment_columns.h"

#include <inventory_messages.h>

#include <assert.h>

/* ---- the model ---- */

/* 0: the order's one charge. */
static int64_t attempt_of(int64_t told) {
  return told == BUS_NO_INT64 ? 0 : told;
}

static bool key_of_delivery(const struct bus_input *input, struct bus_uuid *ret) {
  const struct payment_charge *charge = input->body;
  const struct payment_refund *refund = input->body;
  bool charges = input->type == &payment_charge_type;
  assert(input->body);
  if (!charges && input->type != &payment_refund_type)
    return false;
  *ret = charges ? payment_row_id(&charge->order_id, attempt_of(charge->attempt))
                 : payment_row_id(&refund->order_id, attempt_of(refund->attempt));
  return true;
}

/* The key of the payment that an input is about. */
static bool key_of(const struct bus_input *input, struct bus_uuid *ret) {
  const struct payment_result *result = input->body;
  switch (input->kind) {
  case BUS_INPUT_DELIVERY:
    return key_of_delivery(input, ret);
  case BUS_INPUT_DEADLINE:
    *ret = ((const struct payment_due *)input->body)->order_id;
    return true;
  case BUS_INPUT_COMPLETION:
    *ret = payment_row_id(&result->order_id, result->pay_attempt);
    return true;
  }
  return false;
}

/* Operators and the PSP name the order, and not the attempt to pay it. */
static const struct bus_uuid *order_named(const struct bus_input *input) {
  bool delivered = input->kind == BUS_INPUT_DELIVERY;
  if (delivered && input->type == &payment_refund_part_type)
    return &((const struct payment_refund_part *)input->body)->order_id;
  if (delivered && input->type == &payment_check_type)
    return &((const struct payment_check *)input->body)->order_id;
  return NULL;
}

void payment_add_keys(struct bus_set *payments, const struct bus_uuid *id) {
  for (int64_t attempt = 0; attempt <= PAYMENT_ATTEMPTS_MAX; attempt++) {
    const struct bus_uuid key = payment_row_id(id, attempt);
    bus_set_add(payments, &key);
  }
}

struct payment *payment_last_of(const struct bus_set *payments, const struct bus_uuid *id) {
  struct payment *last = bus_set_find(payments, id);
  for (size_t i = 0; i < payments->count; i++) {
    struct payment *payment = bus_set_at(payments, i);
    bool later = payment->state != PAYMENT_NONE && payment->pay_attempt > 0 && bus_uuid_equal(&payment->attempt_of, id);
    if (later && (!last || last->pay_attempt < payment->pay_attempt))
      last = payment;
  }
  return last;
}

bool payment_model_new(const struct bus_input *inputs, size_t count, const struct payment_policy *policy,
                       struct bus_arena *arena, struct payment_model **ret) {
  struct payment_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->policy = policy;
  bus_set_init(&model->payments, &payment_columns, 0, arena);
  bus_set_init(&model->refunds, &refund_columns, 0, arena);
  for (size_t i = 0; i < count; i++) {
    struct bus_uuid key;
    if (order_named(&inputs[i]))
      payment_add_keys(&model->payments, order_named(&inputs[i]));
    else if (key_of(&inputs[i], &key))
      bus_set_add(&model->payments, &key);
    if (inputs[i].type == &payment_refund_part_type)
      bus_set_add(&model->refunds, &((const struct payment_refund_part *)inputs[i].body)->refund_id);
  }
  *ret = model;
  return bus_set_open(&model->payments) && bus_set_open(&model->refunds);
}

struct payment *payment_model_find(const struct payment_model *model, const struct bus_uuid *key) {
  return bus_set_find(&model->payments, key);
}

struct payment *payment_model_of(const struct payment_model *model, const struct bus_input *input) {
  struct bus_uuid key;
  if (order_named(input))
    return payment_last_of(&model->payments, order_named(input));
  return key_of(input, &key) ? payment_model_find(model, &key) : NULL;
}

/* ---- refunds of operators ---- */

static bool is_open_of(const struct refund *refund, const struct payment *payment) {
  return refund->state == REFUND_OPEN && bus_uuid_equal(&refund->order_id, &payment->order_id);
}

/* The next one that waits for its turn. */
static const struct refund *find_waiting(const struct payment_model *model, const struct payment *payment) {
  const struct refund *first = NULL;
  for (size_t i = 0; i < model->refunds.count; i++) {
    const struct refund *refund = bus_set_at(&model->refunds, i);
    if (is_open_of(refund, payment) && !bus_uuid_equal(&refund->refund_id, &payment->refund_id) &&
        (!first || refund->number < first->number))
      first = refund;
  }
  return first;
}

static void finish_refund(struct payment_model *model, struct refund *refund, const struct payment *payment,
                          struct bus_str psp_id, struct bus_effects *effects) {
  const struct inventory_order order = {.order_id = payment_order(payment)};
  refund->state = REFUND_DONE;
  refund->psp_id = psp_id;
  bus_set_change(&model->refunds, refund);
  if (refund->restock)
    bus_emit_caused(effects, &inventory_restock_type, &order.order_id, &payment->cause, &order);
}

static void finish_refunds(struct payment_model *model, const struct payment *payment,
                           const struct payment_decision *done, struct bus_effects *effects) {
  bool all = payment->state == PAYMENT_REFUNDED; /* also those that order-svc's refund came before */
  for (size_t i = 0; done->is_refunded && i < model->refunds.count; i++) {
    struct refund *refund = bus_set_at(&model->refunds, i);
    if (is_open_of(refund, payment) && (all || bus_uuid_equal(&refund->refund_id, &done->refunded_id)))
      finish_refund(model, refund, payment, bus_str(done->money_id), effects);
  }
}

void refund_view_of(const struct refund *refund, const struct payment *payment, struct refund_view *ret) {
  *ret = (struct refund_view){.refund_id = refund->refund_id,
                              .order_id = payment_order(payment),
                              .status = refund->state == REFUND_DONE ? REFUND_SUCCEEDED : REFUND_PENDING,
                              .amount = refund->amount,
                              .currency = bus_str(payment->currency),
                              .reason = refund->reason,
                              .restock = refund->restock,
                              .created_at = refund->created_at};
}

void payment_view_of(const struct payment *payment, struct payment_view *ret) {
  *ret = (struct payment_view){.payment_id = payment->order_id,
                               .order_id = payment_order(payment),
                               .attempt = payment->pay_attempt > 0 ? payment->pay_attempt : BUS_NO_INT64,
                               .status = bus_str(payment_state_names[payment->state]),
                               .amount = payment->amount,
                               .currency = payment->currency[0] ? bus_str(payment->currency) : BUS_NO_STR,
                               .refunded = payment->refunded_amount,
                               .refundable = payment_refundable(payment),
                               .version = payment->version};
}

static void answer_part(struct bus_effects *effects, int outcome, const struct payment *payment,
                        const struct refund *refund) {
  struct payment_view payment_view;
  struct refund_view refund_view;
  struct payment_answer answer = {.outcome = outcome};
  if (payment->state != PAYMENT_NONE) {
    payment_view_of(payment, &payment_view);
    answer.payment = &payment_view;
  }
  if (refund) {
    refund_view_of(refund, payment, &refund_view);
    answer.refund = &refund_view;
  }
  bus_answer(effects, &payment_answer_type, &answer);
}

static bool is_same_refund(const struct refund *refund, const struct payment *payment,
                           const struct payment_refund_part *part) {
  bool same_amount = part->amount == BUS_NO_INT64 ? refund->whole : !refund->whole && refund->amount == part->amount;
  return same_amount && bus_uuid_equal(&refund->order_id, &payment->order_id) &&
         bus_str_equal(refund->reason, part->reason) && refund->restock == part->restock;
}

static void keep_refund(struct payment_model *model, struct refund *refund, const struct payment_refund_part *part,
                        const struct payment *payment, const struct payment_decision *done, bus_time now) {
  *refund = (struct refund){.refund_id = part->refund_id,
                            .order_id = payment->order_id,
                            .state = REFUND_OPEN,
                            .number = payment->version,
                            .amount = done->accepted,
                            .whole = part->amount == BUS_NO_INT64,
                            .reason = part->reason,
                            .restock = part->restock,
                            .created_at = now};
  bus_set_change(&model->refunds, refund);
}

/* ---- inputs ---- */

static void name_attempt(struct payment_input *in, const struct bus_uuid *order_id, int64_t told) {
  in->pay_attempt = attempt_of(told);
  if (in->pay_attempt > 0)
    in->attempt_of = *order_id;
}

static struct payment_input input_of_delivery(const struct bus_input *input) {
  struct payment_input in = {.kind = PAYMENT_ON_REFUND, .cause = {input->envelope->trace, input->envelope->message_id}};
  if (input->type == &payment_refund_part_type) {
    const struct payment_refund_part *part = input->body;
    in.kind = PAYMENT_ON_REFUND_PART;
    in.amount = part->amount;
    in.refund_id = part->refund_id;
    return in;
  }
  if (input->type == &payment_check_type) {
    in.kind = PAYMENT_ON_CHECK;
    in.psp_id = ((const struct payment_check *)input->body)->psp_id;
    return in;
  }
  const struct payment_charge *charge = input->body;
  const struct payment_refund *refund = input->body;
  if (input->type != &payment_charge_type) {
    name_attempt(&in, &refund->order_id, refund->attempt);
    return in;
  }
  name_attempt(&in, &charge->order_id, charge->attempt);
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
  const struct bus_uuid order_id = payment_order(payment);
  int64_t attempt = payment->pay_attempt > 0 ? payment->pay_attempt : BUS_NO_INT64;
  const struct payment_event event = {
      .order_id = order_id,
      .amount = what == PAYMENT_SAY_REFUNDED ? payment->refunded_amount : payment->amount,
      .currency = payment->currency[0] ? bus_str(payment->currency) : BUS_NO_STR,
      .left = what == PAYMENT_SAY_REFUNDED && payment_left(payment) > 0 ? payment_left(payment) : BUS_NO_INT64,
      .attempt = attempt};
  const struct payment_refusal refusal = {.order_id = order_id, .reason = bus_str(payment->reason), .attempt = attempt};
  bool moved = what == PAYMENT_SAY_CAPTURED || what == PAYMENT_SAY_REFUNDED;
  if (what != PAYMENT_SAY_NOTHING)
    bus_emit_caused(effects, types[what], &order_id, &payment->cause,
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
                                      .refund = done->money == PAYMENT_MONEY_RETURNED ? done->money_refund : 0,
                                      .amount = done->money_amount,
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
                                    .order_id = payment_order(payment),
                                    .trace = payment->cause.trace,
                                    .attempts = payment->attempts};
  bus_act(effects, action);
}

/* ---- disputes ---- */

/* Each piece of news is a row: they come in any order, and the provider's time tells which is the last. */
static void record_dispute(struct payment_model *model, const struct bus_input *input, struct bus_effects *effects) {
  struct payment_dispute_news *news = bus_effects_array(effects, 1, sizeof *news);
  struct payment_action *action = bus_effects_array(effects, 1, sizeof *action);
  if (!news || !action)
    return;
  const struct payment_dispute *told = input->body;
  *news = (struct payment_dispute_news){.event_id = input->envelope->message_id,
                                        .dispute_id = told->dispute_id,
                                        .psp_id = told->psp_id,
                                        .amount = told->amount,
                                        .currency = told->currency,
                                        .reason = told->reason,
                                        .status = told->status,
                                        .at = told->at,
                                        .next = model->disputes};
  model->disputes = news;
  *action = (struct payment_action){.alarm = PAYMENT_ALARM_DISPUTE, .trace = input->envelope->trace, .dispute = news};
  bus_act(effects, action);
}

/* ---- deciding ---- */

static void carry_out(struct payment_model *model, struct payment *payment, const struct payment_input *in,
                      struct payment_decision *done, struct bus_effects *effects) {
  payment_decide(payment, in, model->policy, effects->now, bus_uuid_source_random(effects->ids), done);
  payment_evolve(payment, done);
  if (done->changed)
    bus_set_change(&model->payments, payment);
  tell_payment(effects, payment, done->say);
  book_money(model, payment, done, effects);
  finish_refunds(model, payment, done, effects);
  act_on(payment, done, effects);
}

/* A refund that is known is answered again, whatever the payment's state. */
static void decide_part(struct payment_model *model, struct payment *payment, const struct payment_input *in,
                        const struct payment_refund_part *part, struct bus_effects *effects) {
  struct refund *refund = bus_set_find(&model->refunds, &part->refund_id);
  struct payment_decision done;
  assert(refund);
  if (refund->state != REFUND_NONE) {
    bool same = is_same_refund(refund, payment, part);
    answer_part(effects, same ? PAYMENT_REFUND_REPLAYED : PAYMENT_REFUND_KEY_REUSED, payment, same ? refund : NULL);
    return;
  }
  if (payment->state == PAYMENT_NONE) {
    answer_part(effects, PAYMENT_NOT_FOUND, payment, NULL);
    return;
  }
  carry_out(model, payment, in, &done, effects);
  bool accepted = done.outcome == PAYMENT_REFUND_ACCEPTED;
  if (accepted)
    keep_refund(model, refund, part, payment, &done, effects->now);
  answer_part(effects, done.outcome, payment, accepted ? refund : NULL);
}

void payment_service_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  struct payment_model *model = context;
  if (input->type == &payment_dispute_type) {
    record_dispute(model, input, effects);
    return;
  }
  struct payment *payment = payment_model_of(model, input);
  if (!payment) {
    bus_park(effects, "no payment command");
    return;
  }
  struct payment_input in = payment_input_of(input);
  in.waiting = find_waiting(model, payment);
  if (in.kind == PAYMENT_ON_REFUND_PART) {
    decide_part(model, payment, &in, input->body, effects);
    return;
  }
  struct payment_decision done;
  carry_out(model, payment, &in, &done, effects);
}
