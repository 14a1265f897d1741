/* Answers in Stripe's shapes. Pure. Each returns an absent text when out of memory. */
#ifndef PSP_SANDBOX_ANSWER_H
#define PSP_SANDBOX_ANSWER_H

#include "charge.h"

struct psp_identity {
  struct bus_str id, charge_id;
  bus_time at;
};

/* status: "succeeded", or another of Stripe's; "requires_payment_method" has the method's decline as its last error. */
struct bus_str psp_answer_intent(struct bus_arena *arena, const struct psp_identity *identity,
                                 const struct psp_charge *charge, const struct psp_form *form, const char *status);
/* A card_error that holds the failed intent. */
struct bus_str psp_answer_decline(struct bus_arena *arena, const struct psp_identity *identity,
                                  const struct psp_charge *charge, const struct psp_form *form);
/* The intent inside an answer that psp_answer_decline made; absent where there is none. */
struct bus_str psp_answer_failed_intent(struct bus_str answer);
/* amount and currency are what was really refunded. status: "succeeded", or another of Stripe's. */
struct bus_str psp_answer_refund(struct bus_arena *arena, const struct psp_identity *identity,
                                 const struct psp_refund *refund, int64_t amount, struct bus_str currency,
                                 const struct psp_form *form, const char *status);
struct bus_str psp_answer_error(struct bus_arena *arena, const struct psp_error *error);

#endif
