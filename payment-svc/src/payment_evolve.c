/* Applies what was decided, and says what a valid payment is; names of states, inputs and calls. */
#include "payment.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

const char *const payment_state_names[] = {"none",   "processing", "captured", "declined", "failed",
                                           "voided", "refunding",  "refunded", "unknown",  NULL};
const char *const payment_money_names[] = {"none", "captured", "refunded", NULL};
const char *const payment_input_names[] = {"charge",   "refund",   "refund part", "check",    "due",
                                           "captured", "declined", "refused",     "refunded", "not refunded",
                                           "pending",  "unsure",   "not started", "suspect",  NULL};
const char *const refund_state_names[] = {"none", "open", "done", NULL};
const char *const payment_call_names[] = {"charge", "refund", "charge_read", "refund_read", NULL};
const char *const payment_alarm_names[] = {"none",         "expired",        "suspect",  "contradiction",
                                           "late_capture", "refund_failing", "disputed", NULL};

size_t payment_call_name(const struct payment_call *call) {
  return (size_t)call->kind + (call->read_id[0] ? 2 : 0);
}

struct bus_uuid payment_row_id(const struct bus_uuid *order_id, int64_t pay_attempt) {
  struct bus_uuid id = *order_id;
  char name[40];
  int length = snprintf(name, sizeof name, "attempt-%" PRId64, pay_attempt); /* fits: 28 characters */
  if (pay_attempt > 0)
    bus_uuid_v5(order_id, (struct bus_str){name, (size_t)length}, &id);
  return id;
}

struct bus_uuid payment_order(const struct payment *payment) {
  return payment->pay_attempt > 0 ? payment->attempt_of : payment->order_id;
}

bool payment_is_open(enum payment_state state) {
  return state == PAYMENT_PROCESSING || state == PAYMENT_REFUNDING;
}

static bool had_been_captured(enum payment_state state) {
  return state == PAYMENT_CAPTURED || state == PAYMENT_REFUNDING || state == PAYMENT_REFUNDED;
}

int64_t payment_left(const struct payment *payment) {
  return had_been_captured(payment->state) ? payment->amount - payment->refunded_amount : 0;
}

int64_t payment_refundable(const struct payment *payment) {
  bool open = payment->state == PAYMENT_CAPTURED || payment->state == PAYMENT_REFUNDING;
  return open && !payment->refund_requested ? payment->amount - payment->promised_amount : 0;
}

/* The amounts carried out, under way and promised are never more than what was captured. */
static bool are_refunds_valid(const struct payment *payment) {
  enum payment_state state = payment->state;
  bool of_operator = !bus_uuid_is_nil(&payment->refund_id);
  return payment->refunded_amount >= 0 && payment->refund_amount >= 0 &&
         payment->refunded_amount + payment->refund_amount <= payment->amount && payment->promised_amount >= 0 &&
         payment->promised_amount <= payment->amount && of_operator == (payment->refund_amount > 0) &&
         bus_implies(state == PAYMENT_REFUNDED, payment->refunded_amount == payment->amount) &&
         bus_implies(state == PAYMENT_CAPTURED && payment->amount > 0, payment_left(payment) > 0) &&
         bus_implies(payment->promised_amount > 0 || payment->refunded_amount > 0,
                     had_been_captured(state) || state == PAYMENT_UNKNOWN) &&
         bus_implies(of_operator, state == PAYMENT_REFUNDING || state == PAYMENT_UNKNOWN) &&
         bus_implies(state == PAYMENT_REFUNDING, payment->refunds > 0 && (payment->refund_requested || of_operator));
}

bool payment_is_valid(const struct payment *payment) {
  enum payment_state state = payment->state;
  bool has_token = payment->token[0] != '\0', has_reason = payment->reason[0] != '\0';
  bool explained =
      state == PAYMENT_DECLINED || state == PAYMENT_FAILED || state == PAYMENT_VOIDED || state == PAYMENT_UNKNOWN;
  return state != PAYMENT_NONE && payment->version > 0 && payment->attempts >= 0 && payment->amount >= 0 &&
         are_refunds_valid(payment) && payment->pay_attempt >= 0 &&
         bus_implies(state == PAYMENT_PROCESSING, has_token && payment->amount > 0) &&
         bus_implies(has_token, state == PAYMENT_PROCESSING || state == PAYMENT_UNKNOWN) &&
         bus_implies(explained, has_reason) &&
         bus_implies(had_been_captured(state) && payment->amount > 0, payment->psp_id[0] != '\0') &&
         bus_implies(payment_is_open(state), payment->next_attempt_at != BUS_NO_TIME) &&
         bus_implies(payment->psp_refund_id[0] != '\0', state == PAYMENT_REFUNDING);
}

void payment_evolve(struct payment *payment, const struct payment_decision *decision) {
  if (!decision->changed)
    return;
  *payment = decision->next;
  payment->version++;
  assert(payment_is_valid(payment));
}
