/* The rules that stand in the cells of payment.c's table: each applies one input to one payment. Pure; internal. */
#ifndef PAYMENT_RULES_H
#define PAYMENT_RULES_H

#include "payment.h"

struct payment_step {
  struct payment *payment;
  const struct payment_input *input;
  const struct payment_policy *policy;
  bus_time now;
  uint64_t random;
  struct payment_effects *effects;
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
  X(charge_again, "call again, or read back if pending; key old: UNKNOWN")                                             \
  X(refund_again, "call again, or read back if pending; key old: new key")                                             \
  X(announce, "answer as it is, if due")                                                                               \
  X(capture, "CAPTURED; refund noted: REFUNDING, call")                                                                \
  X(settle_capture, "CAPTURED; refund noted: REFUNDING, call")                                                         \
  X(settle_refund, "REFUNDED; none asked: alarm")                                                                      \
  X(give_back, "REFUNDING, call, alarm")                                                                               \
  X(same_capture, "another id: alarm")                                                                                 \
  X(decline, "DECLINED")                                                                                               \
  X(fail, "FAILED")                                                                                                    \
  X(refunded, "REFUNDED")                                                                                              \
  X(new_refund, "wait, new key, alarm")                                                                                \
  X(retry, "wait")                                                                                                     \
  X(read_back, "keep the id, wait")                                                                                    \
  X(take_back, "wait, not counted; refund noted, never sent: VOIDED")                                                  \
  X(suspect, "UNKNOWN, alarm")

#define PAYMENT_RULE_DECLARE(name, text) void payment_rule_##name(struct payment_step *step);
PAYMENT_RULES(PAYMENT_RULE_DECLARE)
#undef PAYMENT_RULE_DECLARE

#endif
