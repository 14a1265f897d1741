/* The table state × input: each cell is a rule that decides one input. Pure; internal to the domain. */
#ifndef PAYMENT_TABLE_H
#define PAYMENT_TABLE_H

#include "payment.h"

struct payment_step {
  struct payment *payment; /* the decision's `next` */
  const struct payment_input *input;
  const struct payment_policy *policy;
  bus_time now;
  uint64_t random;
  struct payment_decision *effects;
};

struct payment_rule {
  const char *name; /* as the README's table has it */
  void (*apply)(struct payment_step *step);
};

/* X(name, what the README's table says) */
#define PAYMENT_RULES(X)                                                                                               \
  X(ignore, "ignore")                                                                                                  \
  X(answer, "answer as it is")                                                                                         \
  X(contradict, "alarm")                                                                                               \
  X(charge, "PROCESSING, call; amount 0: CAPTURED")                                                                    \
  X(make_void, "VOIDED")                                                                                               \
  X(refuse_voided, "answer failed")                                                                                    \
  X(note_refund, "note it; never sent: VOIDED")                                                                        \
  X(refund, "REFUNDING, call; amount 0: REFUNDED")                                                                     \
  X(refund_part, "accept up to what is left; none under way: REFUNDING, call")                                         \
  X(refuse_part, "refuse")                                                                                             \
  X(charge_again, "call again, or read back if pending; key old: UNKNOWN")                                             \
  X(refund_again, "call again, or read back if pending; key old: new key, or UNKNOWN for a part")                      \
  X(announce, "answer as it is, if due; a refund waits: REFUNDING, call")                                              \
  X(call_now, "call now if far from due, or read back if pending")                                                     \
  X(capture, "CAPTURED; refund noted: REFUNDING, call")                                                                \
  X(settle_capture, "CAPTURED; refund noted: REFUNDING, call")                                                         \
  X(settle_refund, "REFUNDED; of a part: the next refund, or CAPTURED; none asked: alarm")                             \
  X(give_back, "REFUNDING, call, alarm")                                                                               \
  X(same_capture, "another id: alarm")                                                                                 \
  X(decline, "DECLINED")                                                                                               \
  X(fail, "FAILED")                                                                                                    \
  X(refunded, "REFUNDED; of a part: the next refund, or CAPTURED")                                                     \
  X(same_refund, "of no refund: alarm")                                                                                \
  X(new_refund, "wait, new key, alarm")                                                                                \
  X(retry, "wait")                                                                                                     \
  X(read_back, "keep the id, wait")                                                                                    \
  X(take_back, "wait, not counted; refund noted, never sent: VOIDED")                                                  \
  X(suspect, "UNKNOWN, alarm")

#define PAYMENT_RULE_DECLARE(name, text) void payment_rule_##name(struct payment_step *step);
PAYMENT_RULES(PAYMENT_RULE_DECLARE)
#undef PAYMENT_RULE_DECLARE

/* Every cell has a rule. */
const struct payment_rule *payment_rule_of(enum payment_state state, enum payment_input_kind input);

/* The table in Markdown: one line a state, what each input does to it; inputs that are ignored are left out. */
void payment_table_print(void (*write)(void *context, const char *text), void *context);

#endif
