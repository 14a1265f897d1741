/* The table state × input, and the rules that stand in its cells. */
#include "payment_rules.h"

#include <assert.h>

struct rule {
  const char *name;
  void (*apply)(struct payment_step *step);
};
#define RULE(function, text) static const struct rule on_##function = {text, payment_rule_##function};
PAYMENT_RULES(RULE)
#undef RULE

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
                    [PAYMENT_ON_PENDING] = &on_contradict,
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
                    [PAYMENT_ON_PENDING] = &on_read_back,
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
                    [PAYMENT_ON_PENDING] = &on_ignore,
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
                    [PAYMENT_ON_PENDING] = &on_ignore,
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
                    [PAYMENT_ON_PENDING] = &on_ignore,
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
                    [PAYMENT_ON_PENDING] = &on_contradict,
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
                    [PAYMENT_ON_PENDING] = &on_read_back,
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
                    [PAYMENT_ON_PENDING] = &on_ignore,
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
                    [PAYMENT_ON_PENDING] = &on_ignore,
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
  struct payment_step step = {payment, input, policy, now, random, ret};
  rules[payment->state][input->kind]->apply(&step);
  if (ret->changed) {
    payment->version++;
    assert(payment_is_valid(payment));
  }
}
