/* The rules of the state table: keys, leases, waits, reasons, events, calls, ledger rows and alarms. */
#include "currency.h"
#include "payment_table.h"

#include <assert.h>

static void copy_text(char *to, size_t size, const char *from, size_t len) {
  assert(len < size); /* bounds of the messages and of the PSP's fields */
  memcpy(to, from, len);
  to[len] = '\0';
}
#define COPY_VIEW(to, view) copy_text((to), sizeof(to), (view).data, (view).len)
#define COPY_TEXT(to, text) copy_text((to), sizeof(to), (text), strlen(text))

/* ---- what rules are made of ---- */

/* The one gate for a change of state. */
static void enter(struct payment_step *step, enum payment_state state) {
  struct payment *payment = step->payment;
  payment->state = state;
  if (state != PAYMENT_PROCESSING && state != PAYMENT_UNKNOWN)
    payment->token[0] = '\0';
  if (state != PAYMENT_REFUNDING)
    payment->psp_refund_id[0] = '\0';
  if (!payment_is_open(state))
    payment->next_attempt_at = BUS_NO_TIME;
  step->effects->changed = step->effects->moved = true;
}

static void enter_because(struct payment_step *step, enum payment_state state, const char *reason) {
  COPY_TEXT(step->payment->reason, reason);
  enter(step, state);
}

static enum payment_say say_of(enum payment_state state) {
  static const enum payment_say says[PAYMENT_STATES] = {
      [PAYMENT_CAPTURED] = PAYMENT_SAY_CAPTURED, [PAYMENT_DECLINED] = PAYMENT_SAY_DECLINED,
      [PAYMENT_FAILED] = PAYMENT_SAY_FAILED,     [PAYMENT_VOIDED] = PAYMENT_SAY_REFUNDED,
      [PAYMENT_REFUNDED] = PAYMENT_SAY_REFUNDED,
  };
  return says[state];
}

static void alarm_with(struct payment_step *step, enum payment_alarm alarm) {
  step->effects->alarm = alarm;
}

static void wait_for(struct payment_step *step, int64_t delay) {
  step->payment->next_attempt_at = step->now + delay;
  step->effects->changed = true;
}

/* ---- refunds ---- */

static const struct bus_uuid no_refund;

/* The amount of the refund under way. */
static int64_t under_way(const struct payment *payment) {
  bool of_operator = !bus_uuid_is_nil(&payment->refund_id);
  return of_operator ? payment->refund_amount : payment->amount - payment->refunded_amount;
}

/* A second refund with another key would be of more than what is left, so the PSP refuses it. */
static bool takes_rest(const struct payment *payment) {
  return under_way(payment) == payment->amount - payment->refunded_amount;
}

/* The id by which the charge or refund that is open is read back; "": the PSP has not told it. */
static const char *pending_id(const struct payment *payment) {
  return payment->state == PAYMENT_REFUNDING ? payment->psp_refund_id : payment->psp_id;
}

/* Lets one call go, and keeps it to itself for the lease. */
static void grant(struct payment_step *step) {
  struct payment *payment = step->payment;
  bool charges = payment->state == PAYMENT_PROCESSING;
  payment->attempts++;
  if (payment->first_attempt_at == BUS_NO_TIME)
    payment->first_attempt_at = step->now;
  wait_for(step, step->policy->lease);
  struct payment_call *call = &step->effects->call;
  *call = (struct payment_call){.kind = charges ? PAYMENT_CALL_CHARGE : PAYMENT_CALL_REFUND,
                                .order_id = payment_order(payment),
                                .pay_attempt = payment->pay_attempt,
                                .attempt = payment->attempts,
                                .refund = payment->refunds,
                                .refund_id = payment->refund_id,
                                .is_rest = !charges && takes_rest(payment),
                                .amount = charges ? payment->amount : under_way(payment),
                                .trace = payment->cause.trace};
  COPY_TEXT(call->currency, payment->currency);
  COPY_TEXT(call->token, payment->token);
  COPY_TEXT(call->psp_id, payment->psp_id);
  COPY_TEXT(call->read_id, pending_id(payment));
  if (call->trace.state.data) /* the batch's, which ends before the call */
    COPY_VIEW(call->tracestate, call->trace.state);
  call->trace.state = BUS_NO_STR;
  step->effects->calls = true;
}

/* A new idempotency key: the last one is used up, because its refusal is final, or too old to be valid. */
static void turn_refund_key(struct payment_step *step) {
  struct payment *payment = step->payment;
  payment->refunds++;
  payment->psp_refund_id[0] = '\0';
  payment->first_attempt_at = BUS_NO_TIME;
}

static void start_refund(struct payment_step *step, const struct bus_uuid *refund_id, int64_t amount) {
  enter(step, PAYMENT_REFUNDING);
  step->payment->refund_id = *refund_id;
  step->payment->refund_amount = amount;
  step->payment->attempts = 0;
  turn_refund_key(step);
  grant(step);
}

/* All that is left, for order-svc. */
static void refund_rest(struct payment_step *step) {
  start_refund(step, &no_refund, 0);
}

static void start_waiting(struct payment_step *step) {
  start_refund(step, &step->input->waiting->refund_id, step->input->waiting->amount);
}

static bool is_due(const struct payment_step *step) {
  bus_time at = step->payment->next_attempt_at;
  bool put_off = at > step->now + payment_longest_wait(step->policy);
  return at != BUS_NO_TIME && (at <= step->now || put_off);
}

static bool key_is_old(const struct payment_step *step) {
  bus_time first = step->payment->first_attempt_at;
  return first != BUS_NO_TIME && step->now - first >= step->policy->key_life;
}

/* Not the result of a call whose lease ran out, so that another was granted since. */
static bool is_current(const struct payment_step *step) {
  const struct payment *payment = step->payment;
  const struct payment_result *result = step->input->result;
  bool refunding = payment->state == PAYMENT_REFUNDING;
  return refunding == (result->call == PAYMENT_CALL_REFUND) && result->attempt == payment->attempts &&
         (!refunding || result->refund == payment->refunds);
}

/* ---- rules ---- */

void payment_rule_ignore(struct payment_step *step) {
  (void)step; /* named in the table so that no cell is empty */
}

void payment_rule_answer(struct payment_step *step) {
  step->effects->say = say_of(step->payment->state);
}

void payment_rule_contradict(struct payment_step *step) {
  alarm_with(step, PAYMENT_ALARM_CONTRADICTION);
}

void payment_rule_charge(struct payment_step *step) {
  struct payment *payment = step->payment;
  payment->amount = step->input->amount;
  COPY_VIEW(payment->currency, step->input->currency);
  COPY_VIEW(payment->token, step->input->token);
  payment->cause = step->input->cause;
  enter(step, payment->amount == 0 ? PAYMENT_CAPTURED : PAYMENT_PROCESSING);
  if (payment->state == PAYMENT_PROCESSING)
    grant(step);
  else
    payment_rule_answer(step); /* nothing to charge */
}

static void void_it(struct payment_step *step) {
  enter_because(step, PAYMENT_VOIDED, "voided");
  payment_rule_answer(step);
}

static void note(struct payment_step *step) {
  step->payment->refund_requested = true;
  step->payment->cause = step->input->cause;
  step->effects->changed = true;
}

void payment_rule_make_void(struct payment_step *step) {
  note(step);
  void_it(step);
}

void payment_rule_refuse_voided(struct payment_step *step) {
  step->effects->say = PAYMENT_SAY_FAILED;
}

/* Every call so far was held back, and none is out: nothing was ever sent. */
static bool was_never_sent(const struct payment *payment) {
  return payment->state == PAYMENT_PROCESSING && payment->attempts == 0;
}

void payment_rule_note_refund(struct payment_step *step) {
  if (!step->payment->refund_requested)
    note(step);
  if (was_never_sent(step->payment))
    void_it(step);
}

void payment_rule_refund(struct payment_step *step) {
  note(step);
  if (step->payment->amount > 0) {
    refund_rest(step);
    return;
  }
  enter(step, PAYMENT_REFUNDED); /* nothing to give back */
  payment_rule_answer(step);
}

/* In a currency that the provider takes no more, the provider decides. */
static bool is_taken(const struct payment *payment, int64_t amount) {
  const struct currency *currency = currency_find(bus_str(payment->currency));
  return !currency || currency_takes(currency, amount);
}

void payment_rule_refund_part(struct payment_step *step) {
  struct payment *payment = step->payment;
  int64_t left = payment_refundable(payment);
  int64_t amount = step->input->amount == BUS_NO_INT64 ? left : step->input->amount;
  if (payment->refund_requested) {
    payment_rule_refuse_part(step);
    return;
  }
  if (left == 0 || amount > left) {
    step->effects->outcome = PAYMENT_REFUND_TOO_LARGE;
    return;
  }
  if (step->input->amount != BUS_NO_INT64 && !is_taken(payment, amount)) {
    step->effects->outcome = PAYMENT_REFUND_UNEVEN;
    return;
  }
  step->effects->outcome = PAYMENT_REFUND_ACCEPTED;
  step->effects->accepted = amount;
  step->effects->changed = true;
  payment->promised_amount += amount;
  payment->cause = step->input->cause;
  if (payment->state == PAYMENT_CAPTURED)
    start_refund(step, &step->input->refund_id, amount);
}

void payment_rule_refuse_part(struct payment_step *step) {
  step->effects->outcome = PAYMENT_NOT_REFUNDABLE;
}

/* Its key is too old, and with another one the PSP might carry it out twice. */
static void give_up(struct payment_step *step) {
  enter_because(step, PAYMENT_UNKNOWN, "no_definite_answer");
  alarm_with(step, PAYMENT_ALARM_EXPIRED);
}

void payment_rule_charge_again(struct payment_step *step) {
  if (!is_due(step))
    return;
  if (!key_is_old(step)) {
    grant(step);
    return;
  }
  give_up(step);
}

void payment_rule_refund_again(struct payment_step *step) {
  if (!is_due(step))
    return;
  bool is_known = step->payment->psp_refund_id[0] != '\0'; /* it is read back: its key is not used again */
  bool is_lost = key_is_old(step) && !is_known;
  if (is_lost && !takes_rest(step->payment)) {
    give_up(step);
    return;
  }
  if (is_lost)
    turn_refund_key(step); /* the PSP refuses to refund twice what was captured once */
  grant(step);
}

/* The PSP says that the object has changed: it need not wait for its time. A call that may be out is not repeated: it
 * is due again within a lease. */
void payment_rule_call_now(struct payment_step *step) {
  const struct payment *payment = step->payment;
  const char *known = pending_id(payment);
  bool waits = payment->next_attempt_at > step->now + step->policy->lease;
  if (known[0] ? bus_str_is(step->input->psp_id, known) : waits && !key_is_old(step))
    grant(step);
}

/* An operator settled it, and set it due so that the answer goes out. */
void payment_rule_announce(struct payment_step *step) {
  if (!is_due(step))
    return;
  step->payment->next_attempt_at = BUS_NO_TIME;
  step->effects->changed = true;
  bool is_partly_refunded = step->payment->state == PAYMENT_CAPTURED && step->payment->refunded_amount > 0;
  if (is_partly_refunded)
    step->effects->say = PAYMENT_SAY_REFUNDED;
  else
    payment_rule_answer(step);
  if (step->payment->state == PAYMENT_CAPTURED && step->input->waiting)
    start_waiting(step);
}

static bool is_another(const char *known, const char *told) {
  return known[0] != '\0' && strcmp(known, told) != 0;
}

void payment_rule_capture(struct payment_step *step) {
  if (is_another(step->payment->psp_id, step->input->result->psp_id))
    payment_rule_contradict(step);
  COPY_TEXT(step->payment->psp_id, step->input->result->psp_id);
  step->effects->money = PAYMENT_MONEY_TAKEN;
  step->effects->money_amount = step->payment->amount;
  step->effects->money_id = step->input->result->psp_id;
  step->payment->reason[0] = '\0';
  if (step->payment->refund_requested) {
    refund_rest(step);
    return;
  }
  enter(step, PAYMENT_CAPTURED);
  payment_rule_answer(step);
}

void payment_rule_give_back(struct payment_step *step) {
  step->payment->refund_requested = true;
  payment_rule_capture(step);
  alarm_with(step, PAYMENT_ALARM_LATE_CAPTURE);
}

/* UNKNOWN keeps what was known before it: a charge, or the refund of what had been captured. */
static bool was_captured_before(const struct payment *payment) {
  return payment->refunds > 0;
}

void payment_rule_same_capture(struct payment_step *step) {
  if (strcmp(step->payment->psp_id, step->input->result->psp_id) != 0)
    payment_rule_contradict(step);
}

void payment_rule_decline(struct payment_step *step) {
  enter_because(step, PAYMENT_DECLINED, step->input->result->reason);
  payment_rule_answer(step);
}

void payment_rule_fail(struct payment_step *step) {
  enter_because(step, PAYMENT_FAILED, step->input->result->reason);
  payment_rule_answer(step);
}

/* The refund under way is carried out: its amount moved. */
static void book_refund(struct payment_step *step) {
  struct payment *payment = step->payment;
  struct payment_decision *effects = step->effects;
  effects->money = PAYMENT_MONEY_RETURNED;
  effects->money_amount = under_way(payment);
  effects->money_refund = step->input->result->refund;
  effects->money_id = step->input->result->psp_id;
  effects->is_refunded = true;
  effects->refunded_id = payment->refund_id;
  effects->say = PAYMENT_SAY_REFUNDED;
  payment->refunded_amount += effects->money_amount;
  payment->refund_id = no_refund;
  payment->refund_amount = 0;
  payment->reason[0] = '\0';
}

static bool is_of_refund_under_way(const struct payment_step *step) {
  return bus_uuid_equal(&step->input->result->refund_id, &step->payment->refund_id);
}

void payment_rule_refunded(struct payment_step *step) {
  if (!is_of_refund_under_way(step))
    return; /* of one that was carried out before: the same call twice */
  book_refund(step);
  if (step->payment->refunded_amount == step->payment->amount)
    enter(step, PAYMENT_REFUNDED);
  else if (step->payment->refund_requested)
    refund_rest(step);
  else if (step->input->waiting)
    start_waiting(step);
  else
    enter(step, PAYMENT_CAPTURED);
}

/* A call for a refund that was carried out before. */
void payment_rule_same_refund(struct payment_step *step) {
  if (step->payment->refunded_amount == 0)
    payment_rule_contradict(step);
}

void payment_rule_settle_capture(struct payment_step *step) {
  if (was_captured_before(step->payment))
    payment_rule_same_capture(step);
  else
    payment_rule_capture(step);
}

void payment_rule_settle_refund(struct payment_step *step) {
  if (was_captured_before(step->payment))
    payment_rule_refunded(step);
  else
    payment_rule_contradict(step);
}

void payment_rule_new_refund(struct payment_step *step) {
  if (!is_current(step))
    return;
  turn_refund_key(step);
  wait_for(step, payment_slow_delay(step->policy, step->payment->attempts, step->random));
  alarm_with(step, PAYMENT_ALARM_REFUND);
}

void payment_rule_retry(struct payment_step *step) {
  if (!is_current(step))
    return;
  const struct payment *payment = step->payment;
  wait_for(step, payment_retry_delay(step->policy, payment->attempts, step->input->result->wait, step->random));
  bool is_pending = payment->psp_refund_id[0] != '\0'; /* the PSP has it: it is not failing */
  if (payment->state == PAYMENT_REFUNDING && !is_pending && payment->attempts >= step->policy->quick_attempts)
    alarm_with(step, PAYMENT_ALARM_REFUND);
}

/* The result of the charge that is PROCESSING or of the refund whose key is in use, perhaps of an earlier attempt. */
static bool is_of_this_object(const struct payment_step *step) {
  const struct payment *payment = step->payment;
  const struct payment_result *result = step->input->result;
  if (payment->state == PAYMENT_REFUNDING)
    return result->call == PAYMENT_CALL_REFUND && result->refund == payment->refunds;
  return result->call == PAYMENT_CALL_CHARGE;
}

/* From now on the object is read back by its id, and never asked for again. */
void payment_rule_read_back(struct payment_step *step) {
  struct payment *payment = step->payment;
  const struct payment_result *result = step->input->result;
  char *known = payment->state == PAYMENT_REFUNDING ? payment->psp_refund_id : payment->psp_id;
  if (!is_of_this_object(step))
    return;
  if (is_another(known, result->psp_id)) {
    payment_rule_contradict(step);
    return;
  }
  if (known[0] == '\0') {
    copy_text(known, PAYMENT_PSP_ID_SIZE, result->psp_id, strlen(result->psp_id));
    step->effects->changed = true;
  }
  if (is_current(step))
    wait_for(step, payment_read_delay(step->policy, step->now - payment->first_attempt_at, result->wait, step->random));
}

void payment_rule_take_back(struct payment_step *step) {
  if (!is_current(step))
    return;
  struct payment *payment = step->payment;
  if (--payment->attempts == 0)
    payment->first_attempt_at = BUS_NO_TIME;
  wait_for(step, step->input->result->wait);
  if (payment->refund_requested && was_never_sent(payment))
    void_it(step);
}

/* Refunds money that moved although an event has already said that none moved. */
void payment_rule_suspect(struct payment_step *step) {
  if (step->payment->state != PAYMENT_PROCESSING)
    step->payment->refund_requested = true;
  if (step->payment->psp_id[0] == '\0')
    COPY_TEXT(step->payment->psp_id, step->input->result->psp_id);
  enter_because(step, PAYMENT_UNKNOWN, "mismatch");
  alarm_with(step, PAYMENT_ALARM_SUSPECT);
}

void payment_decide(const struct payment *payment, const struct payment_input *input,
                    const struct payment_policy *policy, bus_time now, uint64_t random, struct payment_decision *ret) {
  assert(payment->state < PAYMENT_STATES && input->kind < PAYMENT_INPUTS);
  *ret = (struct payment_decision){.next = *payment};
  if (payment->state == PAYMENT_NONE) {
    ret->next.attempt_of = input->attempt_of;
    ret->next.pay_attempt = input->pay_attempt;
  }
  struct payment_step step = {&ret->next, input, policy, now, random, ret};
  payment_rule_of(payment->state, input->kind)->apply(&step);
}
