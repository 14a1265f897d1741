/* Responses in Stripe's shapes. Pure. Each returns an absent text when out of memory. */
#ifndef PSP_SANDBOX_RESPONSE_H
#define PSP_SANDBOX_RESPONSE_H

#include "charge.h"

struct psp_identity {
  struct bus_str id, charge_id;
  bus_time at;
};

/* status: "succeeded", or another of Stripe's; "requires_payment_method" has the method's decline as its last error. */
struct bus_str psp_response_intent(struct bus_arena *arena, const struct psp_identity *identity,
                                   const struct psp_charge *charge, const struct psp_form *form, const char *status);
/* A card_error that holds the failed intent. */
struct bus_str psp_response_decline(struct bus_arena *arena, const struct psp_identity *identity,
                                    const struct psp_charge *charge, const struct psp_form *form);
/* The intent inside a response that psp_response_decline made; absent where there is none. */
struct bus_str psp_response_failed_intent(struct bus_str response);
/* amount and currency are what was really refunded. status: "succeeded", or another of Stripe's. */
struct bus_str psp_response_refund(struct bus_arena *arena, const struct psp_identity *identity,
                                   const struct psp_refund *refund, int64_t amount, struct bus_str currency,
                                   const struct psp_form *form, const char *status);
struct bus_str psp_response_error(struct bus_arena *arena, const struct psp_error *error);

#endif
