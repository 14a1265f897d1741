/* The table state × input, and the rules that stand in its cells. */
#include "payment.h"

#include "payment_schedule.h"

#include <assert.h>

struct step {
  struct payment *payment;
  const struct payment_input *input;
  const struct payment_policy *policy;
  bus_time now;
  uint64_t random;
  struct payment_effects *effects;
};

static void copy_text(char *to, size_t size, const char *from, size_t len) {
  assert(len < size); /* bounds of the messages and of the PSP's fields */
  memcpy(to, from, len);
  to[len] = '\0';
}
#define COPY_VIEW(to, view) copy_text((to), sizeof(to), (view).data, (view).len)
#define COPY_TEXT(to, text) copy_text((to), sizeof(to), (text), strlen(text))

/* ---- what rules are made of ---- */

/* The one gate for a change of state. */
static void enter(struct step *step, enum payment_state state) {
  struct payment *payment = step->payment;
  payment->state = state;
  if (state != PAYMENT_PROCESSING && state != PAYMENT_UNKNOWN)
    payment->token[0] = '\0';
  if (!payment_is_open(state))
    payment->next_attempt_at = BUS_NO_TIME;
  step->effects->changed = step->effects->moved = true;
}

static void enter_because(struct step *step, enum payment_state state, const char *reason) {
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

static void alarm_with(struct step *step, enum payment_alarm alarm) {
  step->effects->alarm = alarm;
}

static void wait_for(struct step *step, int64_t delay) {
  step->payment->next_attempt_at = step->now + delay;
  step->effects->changed = true;
}

/* Lets one call go, and keeps it to itself for the lease. */
static void grant(struct step *step) {
  struct payment *payment = step->payment;
  bool charges = payment->state == PAYMENT_PROCESSING;
  payment->attempts++;
  if (payment->first_attempt_at == BUS_NO_TIME)
    payment->first_attempt_at = step->now;
  wait_for(step, step->policy->lease);
  struct payment_call *call = &step->effects->call;
  *call = (struct payment_call){.kind = charges ? PAYMENT_CALL_CHARGE : PAYMENT_CALL_REFUND,
                                .order_id = payment->order_id,
                                .attempt = payment->attempts,
                                .refund = payment->refunds,
                                .amount = payment->amount,
                                .trace = payment->trace};
  COPY_TEXT(call->currency, payment->currency);
  COPY_TEXT(call->token, payment->token);
  COPY_TEXT(call->psp_id, payment->psp_id);
  step->effects->calls = true;
}

/* A new idempotency key: the last one is used up (its answer is «no» for ever), or too old to be relied on. */
static void turn_refund_key(struct payment *payment) {
  payment->refunds++;
  payment->first_attempt_at = BUS_NO_TIME;
}

static void start_refund(struct step *step) {
  enter(step, PAYMENT_REFUNDING);
  step->payment->attempts = 0;
  turn_refund_key(step->payment);
  grant(step);
}

static bool is_due(const struct step *step) {
  bus_time at = step->payment->next_attempt_at;
  bool put_off = at > step->now + payment_longest_wait(step->policy);
  return at != BUS_NO_TIME && (at <= step->now || put_off);
}

static bool key_is_old(const struct step *step) {
  bus_time first = step->payment->first_attempt_at;
  return first != BUS_NO_TIME && step->now - first >= step->policy->key_life;
}

/* Not the result of a call whose lease ran out, so that another was granted since. */
static bool is_current(const struct step *step) {
  const struct payment *payment = step->payment;
  const struct payment_result *result = step->input->result;
  bool refunding = payment->state == PAYMENT_REFUNDING;
  return refunding == (result->call == PAYMENT_CALL_REFUND) && result->attempt == payment->attempts &&
         (!refunding || result->refund == payment->refunds);
}

/* ---- rules ---- */

static void ignore(struct step *step) {
  (void)step; /* named in the table so that no cell is empty */
}

static void answer(struct step *step) {
  step->effects->say = say_of(step->payment->state);
}

static void contradict(struct step *step) {
  alarm_with(step, PAYMENT_ALARM_CONTRADICTION);
}

static void charge(struct step *step) {
  struct payment *payment = step->payment;
  payment->amount = step->input->amount;
  COPY_VIEW(payment->currency, step->input->currency);
  COPY_VIEW(payment->token, step->input->token);
  payment->trace = step->input->trace;
  enter(step, payment->amount == 0 ? PAYMENT_CAPTURED : PAYMENT_PROCESSING);
  if (payment->state == PAYMENT_PROCESSING)
    grant(step);
  else
    answer(step); /* nothing to charge */
}

static void void_it(struct step *step) {
  enter_because(step, PAYMENT_VOIDED, "voided");
  answer(step);
}

static void note(struct step *step) {
  step->payment->refund_requested = true;
  step->payment->trace = step->input->trace;
  step->effects->changed = true;
}

static void make_void(struct step *step) {
  note(step);
  void_it(step);
}

static void refuse_voided(struct step *step) {
  step->effects->say = PAYMENT_SAY_FAILED;
}

/* Every call so far was held back, and none is out: nothing was ever sent. */
static bool was_never_sent(const struct payment *payment) {
  return payment->state == PAYMENT_PROCESSING && payment->attempts == 0;
}

static void note_refund(struct step *step) {
  if (!step->payment->refund_requested)
    note(step);
  if (was_never_sent(step->payment))
    void_it(step);
}

static void refund(struct step *step) {
  note(step);
  if (step->payment->amount > 0) {
    start_refund(step);
    return;
  }
  enter(step, PAYMENT_REFUNDED); /* nothing to give back */
  answer(step);
}

static void charge_again(struct step *step) {
  if (!is_due(step))
    return;
  if (!key_is_old(step)) {
    grant(step);
    return;
  }
  enter_because(step, PAYMENT_UNKNOWN, "no_definite_answer");
  alarm_with(step, PAYMENT_ALARM_EXPIRED);
}

static void refund_again(struct step *step) {
  if (!is_due(step))
    return;
  if (key_is_old(step))
    turn_refund_key(step->payment); /* the PSP refuses to refund twice what was captured once */
  grant(step);
}

/* An operator settled it, and set it due so that the answer goes out. */
static void announce(struct step *step) {
  if (!is_due(step))
    return;
  step->payment->next_attempt_at = BUS_NO_TIME;
  step->effects->changed = true;
  answer(step);
}

static void capture(struct step *step) {
  COPY_TEXT(step->payment->psp_id, step->input->result->psp_id);
  step->effects->money = PAYMENT_MONEY_TAKEN;
  step->effects->money_id = step->input->result->psp_id;
  step->payment->reason[0] = '\0';
  if (step->payment->refund_requested) {
    start_refund(step);
    return;
  }
  enter(step, PAYMENT_CAPTURED);
  answer(step);
}

static void give_back(struct step *step) {
  step->payment->refund_requested = true;
  capture(step);
  alarm_with(step, PAYMENT_ALARM_LATE_CAPTURE);
}

/* UNKNOWN keeps what was known before it: a charge, or the refund of what had been captured. */
static bool was_captured_before(const struct payment *payment) {
  return payment->refunds > 0;
}

static void same_capture(struct step *step) {
  if (strcmp(step->payment->psp_id, step->input->result->psp_id) != 0)
    contradict(step);
}

static void decline(struct step *step) {
  enter_because(step, PAYMENT_DECLINED, step->input->result->reason);
  answer(step);
}

static void fail(struct step *step) {
  enter_because(step, PAYMENT_FAILED, step->input->result->reason);
  answer(step);
}

static void refunded(struct step *step) {
  step->effects->money = PAYMENT_MONEY_RETURNED;
  step->effects->money_id = step->input->result->psp_id;
  step->payment->refunded_amount = step->payment->amount;
  step->payment->reason[0] = '\0';
  enter(step, PAYMENT_REFUNDED);
  answer(step);
}

static void settle_capture(struct step *step) {
  if (was_captured_before(step->payment))
    same_capture(step);
  else
    capture(step);
}

static void settle_refund(struct step *step) {
  if (was_captured_before(step->payment))
    refunded(step);
  else
    contradict(step);
}

static void new_refund(struct step *step) {
  if (!is_current(step))
    return;
  turn_refund_key(step->payment);
  wait_for(step, payment_slow_delay(step->policy, step->payment->attempts, step->random));
  alarm_with(step, PAYMENT_ALARM_REFUND);
}

static void retry(struct step *step) {
  if (!is_current(step))
    return;
  int64_t attempts = step->payment->attempts;
  wait_for(step, payment_retry_delay(step->policy, attempts, step->input->result->wait, step->random));
  if (step->payment->state == PAYMENT_REFUNDING && attempts >= step->policy->quick_attempts)
    alarm_with(step, PAYMENT_ALARM_REFUND);
}

static void take_back(struct step *step) {
  if (!is_current(step))
    return;
  struct payment *payment = step->payment;
  if (--payment->attempts == 0)
    payment->first_attempt_at = BUS_NO_TIME;
  wait_for(step, step->input->result->wait);
  if (payment->refund_requested && was_never_sent(payment))
    void_it(step);
}

/* Where it was already said that no money moved, money that moved nevertheless goes back. */
static void suspect(struct step *step) {
  if (step->payment->state != PAYMENT_PROCESSING)
    step->payment->refund_requested = true;
  if (step->payment->psp_id[0] == '\0')
    COPY_TEXT(step->payment->psp_id, step->input->result->psp_id);
  enter_because(step, PAYMENT_UNKNOWN, "mismatch");
  alarm_with(step, PAYMENT_ALARM_SUSPECT);
}

/* ---- the table ---- */

struct rule {
  const char *name;
  void (*apply)(struct step *step);
};
#define RULE(function, text) static const struct rule on_##function = {text, function}

RULE(ignore, "ignore");
RULE(answer, "answer as it is");
RULE(contradict, "alarm");
RULE(charge, "PROCESSING, call; amount 0: CAPTURED");
RULE(make_void, "VOIDED");
RULE(refuse_voided, "answer failed");
RULE(note_refund, "note it; never sent: VOIDED");
RULE(refund, "REFUNDING, call; amount 0: REFUNDED");
RULE(charge_again, "call again; key old: UNKNOWN");
RULE(refund_again, "call again; key old: new key");
RULE(announce, "answer as it is, if due");
RULE(capture, "CAPTURED; refund noted: REFUNDING, call");
RULE(settle_capture, "CAPTURED; refund noted: REFUNDING, call");
RULE(settle_refund, "REFUNDED; none asked: alarm");
RULE(give_back, "REFUNDING, call, alarm");
RULE(same_capture, "another id: alarm");
RULE(decline, "DECLINED");
RULE(fail, "FAILED");
RULE(refunded, "REFUNDED");
RULE(new_refund, "wait, new key, alarm");
RULE(retry, "wait");
RULE(take_back, "wait, not counted; refund noted, never sent: VOIDED");
RULE(suspect, "UNKNOWN, alarm");

static const struct rule
    *const rules[PAYMENT_STATES][PAYMENT_INPUTS] =
        {
            [PAYMENT_NONE] =
                {
                    [PAYMENT_ON_CHARGE] = &on_charge,
                    [PAYMENT_ON_REFUND] = &on_make_void,
                    [PAYMENT_ON_DUE] = &on_ignore,
                    [PAYMENT_ON_CAPTURED] = &on_contradict,
                    [PAYMENT_ON_DECLINED] = &on_ignore,
                    [PAYMENT_ON_REFUSED] = &on_ignore,
                    [PAYMENT_ON_REFUNDED] = &on_contradict,
                    [PAYMENT_ON_NOT_REFUNDED] = &on_ignore,
                    [PAYMENT_ON_UNSURE] = &on_ignore,
                    [PAYMENT_ON_NOT_STARTED] = &on_ignore,
                    [PAYMENT_ON_SUSPECT] = &on_contradict,
                },
            [PAYMENT_PROCESSING] =
                {
                    [PAYMENT_ON_CHARGE] = &on_ignore,
                    [PAYMENT_ON_REFUND] = &on_note_refund,
                    [PAYMENT_ON_DUE] = &on_charge_again,
                    [PAYMENT_ON_CAPTURED] = &on_capture,
                    [PAYMENT_ON_DECLINED] = &on_decline,
                    [PAYMENT_ON_REFUSED] = &on_fail,
                    [PAYMENT_ON_REFUNDED] = &on_contradict,
                    [PAYMENT_ON_NOT_REFUNDED] = &on_ignore,
                    [PAYMENT_ON_UNSURE] = &on_retry,
                    [PAYMENT_ON_NOT_STARTED] = &on_take_back,
                    [PAYMENT_ON_SUSPECT] = &on_suspect,
                },
            [PAYMENT_CAPTURED] =
                {
                    [PAYMENT_ON_CHARGE] = &on_answer,
                    [PAYMENT_ON_REFUND] = &on_refund,
                    [PAYMENT_ON_DUE] = &on_announce,
                    [PAYMENT_ON_CAPTURED] = &on_same_capture,
                    [PAYMENT_ON_DECLINED] = &on_contradict,
                    [PAYMENT_ON_REFUSED] = &on_contradict,
                    [PAYMENT_ON_REFUNDED] = &on_contradict,
                    [PAYMENT_ON_NOT_REFUNDED] = &on_ignore,
                    [PAYMENT_ON_UNSURE] = &on_ignore,
                    [PAYMENT_ON_NOT_STARTED] = &on_ignore,
                    [PAYMENT_ON_SUSPECT] = &on_contradict,
                },
            [PAYMENT_DECLINED] =
                {
                    [PAYMENT_ON_CHARGE] = &on_answer,
                    [PAYMENT_ON_REFUND] = &on_answer,
                    [PAYMENT_ON_DUE] = &on_announce,
                    [PAYMENT_ON_CAPTURED] = &on_give_back,
                    [PAYMENT_ON_DECLINED] = &on_ignore,
                    [PAYMENT_ON_REFUSED] = &on_ignore,
                    [PAYMENT_ON_REFUNDED] = &on_contradict,
                    [PAYMENT_ON_NOT_REFUNDED] = &on_ignore,
                    [PAYMENT_ON_UNSURE] = &on_ignore,
                    [PAYMENT_ON_NOT_STARTED] = &on_ignore,
                    [PAYMENT_ON_SUSPECT] = &on_suspect,
                },
            [PAYMENT_FAILED] =
                {
                    [PAYMENT_ON_CHARGE] = &on_answer,
                    [PAYMENT_ON_REFUND] = &on_answer,
                    [PAYMENT_ON_DUE] = &on_announce,
                    [PAYMENT_ON_CAPTURED] = &on_give_back,
                    [PAYMENT_ON_DECLINED] = &on_ignore,
                    [PAYMENT_ON_REFUSED] = &on_ignore,
                    [PAYMENT_ON_REFUNDED] = &on_contradict,
                    [PAYMENT_ON_NOT_REFUNDED] = &on_ignore,
                    [PAYMENT_ON_UNSURE] = &on_ignore,
                    [PAYMENT_ON_NOT_STARTED] = &on_ignore,
                    [PAYMENT_ON_SUSPECT] = &on_suspect,
                },
            [PAYMENT_VOIDED] =
                {
                    [PAYMENT_ON_CHARGE] = &on_refuse_voided,
                    [PAYMENT_ON_REFUND] = &on_answer,
                    [PAYMENT_ON_DUE] = &on_announce,
                    [PAYMENT_ON_CAPTURED] = &on_contradict,
                    [PAYMENT_ON_DECLINED] = &on_ignore,
                    [PAYMENT_ON_REFUSED] = &on_ignore,
                    [PAYMENT_ON_REFUNDED] = &on_contradict,
                    [PAYMENT_ON_NOT_REFUNDED] = &on_ignore,
                    [PAYMENT_ON_UNSURE] = &on_ignore,
                    [PAYMENT_ON_NOT_STARTED] = &on_ignore,
                    [PAYMENT_ON_SUSPECT] = &on_contradict,
                },
            [PAYMENT_REFUNDING] =
                {
                    [PAYMENT_ON_CHARGE] = &on_ignore,
                    [PAYMENT_ON_REFUND] = &on_ignore,
                    [PAYMENT_ON_DUE] = &on_refund_again,
                    [PAYMENT_ON_CAPTURED] = &on_same_capture,
                    [PAYMENT_ON_DECLINED] = &on_contradict,
                    [PAYMENT_ON_REFUSED] = &on_contradict,
                    [PAYMENT_ON_REFUNDED] = &on_refunded,
                    [PAYMENT_ON_NOT_REFUNDED] = &on_new_refund,
                    [PAYMENT_ON_UNSURE] = &on_retry,
                    [PAYMENT_ON_NOT_STARTED] = &on_take_back,
                    [PAYMENT_ON_SUSPECT] = &on_suspect,
                },
            [PAYMENT_REFUNDED] =
                {
                    [PAYMENT_ON_CHARGE] = &on_answer,
                    [PAYMENT_ON_REFUND] = &on_answer,
                    [PAYMENT_ON_DUE] = &on_announce,
                    [PAYMENT_ON_CAPTURED] = &on_same_capture,
                    [PAYMENT_ON_DECLINED] = &on_contradict,
                    [PAYMENT_ON_REFUSED] = &on_contradict,
                    [PAYMENT_ON_REFUNDED] = &on_ignore,
                    [PAYMENT_ON_NOT_REFUNDED] = &on_ignore,
                    [PAYMENT_ON_UNSURE] = &on_ignore,
                    [PAYMENT_ON_NOT_STARTED] = &on_ignore,
                    [PAYMENT_ON_SUSPECT] = &on_contradict,
                },
            [PAYMENT_UNKNOWN] =
                {
                    [PAYMENT_ON_CHARGE] = &on_ignore,
                    [PAYMENT_ON_REFUND] = &on_note_refund,
                    [PAYMENT_ON_DUE] = &on_ignore,
                    [PAYMENT_ON_CAPTURED] = &on_settle_capture,
                    [PAYMENT_ON_DECLINED] = &on_contradict,
                    [PAYMENT_ON_REFUSED] = &on_contradict,
                    [PAYMENT_ON_REFUNDED] = &on_settle_refund,
                    [PAYMENT_ON_NOT_REFUNDED] = &on_ignore,
                    [PAYMENT_ON_UNSURE] = &on_ignore,
                    [PAYMENT_ON_NOT_STARTED] = &on_ignore,
                    [PAYMENT_ON_SUSPECT] = &on_contradict,
                },
};

const char *payment_rule_name(enum payment_state state, enum payment_input_kind input) {
  const struct rule *rule = rules[state][input];
  return rule ? rule->name : NULL;
}

void payment_decide(struct payment *payment, const struct payment_input *input, const struct payment_policy *policy,
                    bus_time now, uint64_t random, struct payment_effects *ret) {
  assert(payment->state < PAYMENT_STATES && input->kind < PAYMENT_INPUTS);
  *ret = (struct payment_effects){.changed = false};
  struct step step = {payment, input, policy, now, random, ret};
  rules[payment->state][input->kind]->apply(&step);
  if (ret->changed) {
    payment->version++;
    assert(payment_is_valid(payment));
  }
}
