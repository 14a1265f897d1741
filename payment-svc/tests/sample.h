/* Payments, inputs and results that the unit tests start from. */
#ifndef PAYMENT_SAMPLE_H
#define PAYMENT_SAMPLE_H

#include <payment.h>

#define NOW (INT64_C(1772000000) * BUS_SECOND)
#define SAMPLE_ORDER "0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a10"

extern const struct payment_policy sample_policy;

struct bus_uuid sample_order(void);
/* A valid row of 1998 EUR in that state; the open ones are in their first attempt, under lease until its end. */
struct payment sample_payment(enum payment_state state);
/* One that fits a sample in that state: results are of the attempt that is under way. */
struct payment_input sample_input(enum payment_input_kind kind, enum payment_state state,
                                  struct payment_result *result);

/* payment_decide with the sample policy, at `now`. */
struct payment_decision decide_at(struct payment *payment, const struct payment_input *input, bus_time now);
/* An input of that kind, as sample_input makes it. */
struct payment_decision decide_kind(struct payment *payment, enum payment_input_kind kind, bus_time now);

/* A result of the call: "pi_1" or "re_1", and the reason "said_so". */
struct payment_result result_of(enum payment_input_kind kind, const struct payment_call *call);
struct payment_decision give(struct payment *payment, enum payment_input_kind kind, const struct payment_call *call,
                             bus_time now);
/* A payment whose first call, *ret_call, was just granted. */
struct payment charged(struct payment_call *ret_call);
struct payment refunding(struct payment_call *ret_call);

#endif
