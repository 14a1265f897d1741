/* Builds the ledger entry of a charge or refund, together with its response. Pure. */
#ifndef PSP_OUTCOME_H
#define PSP_OUTCOME_H

#include "book.h"
#include "response.h"

/* The entry without key, fingerprint and time. step: CAPTURE, DECLINE or PEND. pending_for: microseconds until an
 * object that takes time is final. Texts lie in the arena or are the parameters'. False: out of memory. */
bool psp_outcome_of_charge(struct bus_arena *arena, const struct psp_identity *identity,
                           const struct psp_charge *charge, const struct psp_form *form, enum psp_step step,
                           int64_t pending_for, struct psp_entry *ret) BUS_MUST_CHECK;
bool psp_outcome_of_refund(struct bus_arena *arena, const struct psp_identity *identity,
                           const struct psp_refund *refund, const struct psp_reservation *reserved,
                           const struct psp_form *form, int64_t pending_for, struct psp_entry *ret) BUS_MUST_CHECK;

#endif
