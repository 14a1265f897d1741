/* Entries of charges and refunds: final ones, and those that become final later. */
#include "outcome.h"

/* The status of an object of that type once it is final. */
static const char *final_status(int type) {
  static const char *const statuses[PSP_ENTRY_TYPES] = {
      [PSP_CAPTURED] = "succeeded",   [PSP_DECLINED] = "requires_payment_method",
      [PSP_REFUNDED] = "succeeded",   [PSP_CANCELED] = "canceled",
      [PSP_REFUND_FAILED] = "failed", [PSP_REFUND_CANCELED] = "canceled",
  };
  return statuses[type];
}

/* NULL: out of memory. */
static struct psp_turn *turn(struct bus_arena *arena, const struct psp_course *course, bus_time at,
                             struct bus_str answer) {
  struct psp_turn *made = answer.data ? bus_arena_alloc(arena, sizeof *made) : NULL;
  if (made)
    *made = (struct psp_turn){.type = course->becomes, .at = at, .answer = answer};
  return made;
}

static bool follows(const struct psp_course *course) {
  return !course->at_once && course->becomes != PSP_STAYS;
}

bool psp_outcome_of_charge(struct bus_arena *arena, const struct psp_identity *identity,
                           const struct psp_charge *charge, const struct psp_form *form, enum psp_step step,
                           int64_t pending_for, struct psp_entry *ret) {
  const struct psp_course *course = step == PSP_PEND ? charge->method->course : NULL;
  struct psp_entry entry = {.type = step == PSP_CAPTURE ? PSP_CAPTURED : PSP_DECLINED,
                            .id = identity->id,
                            .at = identity->at,
                            .amount = charge->amount,
                            .currency = charge->currency,
                            .order_id = charge->order_id,
                            .payment_method = bus_str(charge->method->token),
                            .status = step == PSP_DECLINE ? charge->method->decline->status : 200};
  if (course)
    entry.type = course->at_once ? course->becomes : PSP_PENDING;
  if (step == PSP_DECLINE)
    entry.answer = psp_response_decline(arena, identity, charge, form);
  else
    entry.answer = psp_response_intent(arena, identity, charge, form, course ? course->status : "succeeded");
  if (course && follows(course)) {
    entry.then = turn(arena, course, identity->at + pending_for,
                      psp_response_intent(arena, identity, charge, form, final_status(course->becomes)));
    if (!entry.then)
      return false;
  }
  *ret = entry;
  return entry.answer.data != NULL;
}

bool psp_outcome_of_refund(struct bus_arena *arena, const struct psp_identity *identity,
                           const struct psp_refund *refund, const struct psp_reservation *reserved,
                           const struct psp_form *form, int64_t pending_for, struct psp_entry *ret) {
  const struct psp_course *course = reserved->course;
  const struct psp_record *intent = reserved->intent;
  struct psp_entry entry = {.type = PSP_REFUNDED,
                            .id = identity->id,
                            .at = identity->at,
                            .amount = reserved->amount,
                            .currency = intent->currency,
                            .order_id = refund->order_id,
                            .payment_intent = intent->id,
                            .status = 200};
  if (course)
    entry.type = course->at_once ? course->becomes : PSP_REFUND_PENDING;
  entry.answer = psp_response_refund(arena, identity, refund, reserved->amount, intent->currency, form,
                                     course ? course->status : "succeeded");
  if (course && follows(course)) {
    entry.then = turn(arena, course, identity->at + pending_for,
                      psp_response_refund(arena, identity, refund, reserved->amount, intent->currency, form,
                                          final_status(course->becomes)));
    if (!entry.then)
      return false;
  }
  *ret = entry;
  return entry.answer.data != NULL;
}
