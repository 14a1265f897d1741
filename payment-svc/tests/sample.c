/* Samples for the unit tests. */
#include "sample.h"

#include <payment_columns.h>

#include <stdlib.h>

const struct payment_policy sample_policy = {PAYMENT_POLICY_DEFAULTS};

struct bus_uuid sample_order(void) {
  struct bus_uuid id;
  if (!bus_uuid_parse(BUS_STR(SAMPLE_ORDER), &id))
    abort();
  return id;
}

static bool was_captured(enum payment_state state) {
  return state == PAYMENT_CAPTURED || state == PAYMENT_REFUNDING || state == PAYMENT_REFUNDED;
}

struct payment sample_payment(enum payment_state state) {
  struct payment payment;
  const struct bus_uuid id = sample_order();
  bus_row_init(&payment_columns, &payment);
  payment.order_id = id;
  if (state == PAYMENT_NONE)
    return payment;
  payment.state = state;
  payment.version = 3;
  payment.amount = 1998;
  memcpy(payment.currency, "EUR", sizeof "EUR");
  if (state == PAYMENT_PROCESSING || state == PAYMENT_UNKNOWN)
    memcpy(payment.token, "pm_card_visa", sizeof "pm_card_visa");
  if (was_captured(state))
    memcpy(payment.psp_id, "pi_1", sizeof "pi_1");
  else if (state != PAYMENT_PROCESSING)
    memcpy(payment.reason, "because", sizeof "because");
  if (state == PAYMENT_REFUNDING || state == PAYMENT_REFUNDED) {
    payment.refund_requested = true;
    payment.refunds = 1;
  }
  payment.refunded_amount = state == PAYMENT_REFUNDED ? payment.amount : 0;
  payment.attempts = 1;
  payment.first_attempt_at = NOW;
  if (payment_is_open(state))
    payment.next_attempt_at = NOW + sample_policy.lease;
  return payment;
}

static bool is_refund_result(enum payment_input_kind kind, enum payment_state state) {
  return kind == PAYMENT_ON_REFUNDED || kind == PAYMENT_ON_NOT_REFUNDED ||
         (kind >= PAYMENT_ON_PENDING && state == PAYMENT_REFUNDING);
}

struct payment_input sample_input(enum payment_input_kind kind, enum payment_state state,
                                  struct payment_result *result) {
  struct payment_input input = {.kind = kind};
  if (kind == PAYMENT_ON_CHARGE) {
    input.amount = 1998;
    input.currency = BUS_STR("EUR");
    input.token = BUS_STR("pm_card_visa");
  }
  if (kind == PAYMENT_ON_REFUND_PART) {
    input.amount = 500;
    input.refund_id = (struct bus_uuid){{1}};
  }
  if (kind == PAYMENT_ON_CHARGE || kind == PAYMENT_ON_REFUND || kind == PAYMENT_ON_REFUND_PART)
    input.cause = (struct bus_cause){.trace = {.trace_id = {1}, .span_id = {2}, .flags = 1, .state = BUS_STR("a=b")},
                                     .message_id = {{3}}};
  if (kind < PAYMENT_ON_CAPTURED)
    return input;
  bool refund = is_refund_result(kind, state);
  *result = (struct payment_result){.order_id = sample_order(),
                                    .call = refund ? PAYMENT_CALL_REFUND : PAYMENT_CALL_CHARGE,
                                    .kind = kind,
                                    .attempt = 1,
                                    .refund = refund ? 1 : 0};
  if (refund)
    memcpy(result->psp_id, "re_1", sizeof "re_1");
  else
    memcpy(result->psp_id, "pi_1", sizeof "pi_1");
  memcpy(result->reason, "said_so", sizeof "said_so");
  input.result = result;
  return input;
}

struct payment_decision decide_at(struct payment *payment, const struct payment_input *input, bus_time now) {
  struct payment_decision effects;
  payment_decide(payment, input, &sample_policy, now, 0, &effects);
  payment_evolve(payment, &effects);
  return effects;
}

struct payment_decision decide_kind(struct payment *payment, enum payment_input_kind kind, bus_time now) {
  struct payment_result result;
  struct payment_input input = sample_input(kind, payment->state, &result);
  struct payment_decision effects = decide_at(payment, &input, now);
  effects.money_id = NULL; /* it pointed into `result` */
  return effects;
}

struct payment_result result_of(enum payment_input_kind kind, const struct payment_call *call) {
  struct payment_result result = {
      .order_id = call->order_id, .call = call->kind, .kind = kind, .attempt = call->attempt, .refund = call->refund};
  strncpy(result.psp_id, call->kind == PAYMENT_CALL_CHARGE ? "pi_1" : "re_1", sizeof result.psp_id - 1);
  strncpy(result.reason, "said_so", sizeof result.reason - 1);
  return result;
}

struct payment_decision give(struct payment *payment, enum payment_input_kind kind, const struct payment_call *call,
                             bus_time now) {
  static struct payment_result result;
  result = result_of(kind, call);
  const struct payment_input input = {.kind = kind, .result = &result};
  return decide_at(payment, &input, now);
}

struct payment charged(struct payment_call *ret_call) {
  struct payment payment = sample_payment(PAYMENT_NONE);
  struct payment_decision done = decide_kind(&payment, PAYMENT_ON_CHARGE, NOW);
  *ret_call = done.call;
  return payment;
}

struct payment refunding(struct payment_call *ret_call) {
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  *ret_call = decide_kind(&payment, PAYMENT_ON_REFUND, NOW).call;
  return payment;
}
