/* When orders are looked at again, how many at once, and whether new ones are taken. */
#include "order_schedule.h"

#define CLOCK_MARGIN (5 * BUS_SECOND)

/* ---- deadlines ---- */

static int64_t wait_of(const struct order *order, const struct order_policy *policy) {
  if (order->status == ORDER_AWAITING_PAYMENT)
    return policy->pay_later;
  bool forward = order->status == ORDER_PENDING || order->status == ORDER_RESERVED;
  return forward ? policy->deadline : policy->resend;
}

static int64_t shorter(const struct order_policy *policy) {
  return policy->deadline < policy->resend ? policy->deadline : policy->resend;
}

int64_t order_longest_wait(const struct order_policy *policy) {
  return (policy->deadline > policy->resend ? policy->deadline : policy->resend) + CLOCK_MARGIN;
}

int64_t order_longest_wait_for_payment(const struct order_policy *policy) {
  int64_t longest = order_longest_wait(policy), awaited = policy->pay_later + CLOCK_MARGIN;
  return longest > awaited ? longest : awaited;
}

static int64_t longest_wait_of(const struct order *order, const struct order_policy *policy) {
  return order->status == ORDER_AWAITING_PAYMENT ? order_longest_wait_for_payment(policy) : order_longest_wait(policy);
}

bus_time order_expected_until(const struct order *order, const struct order_policy *policy, bus_time now) {
  int64_t forward = order->deadline - now;
  return order->deadline + forward + (order->pay_later ? policy->pay_later : 0);
}

int64_t order_late_after(const struct order_policy *policy) {
  return policy->deadline / 4;
}

int64_t order_late_within(const struct order_policy *policy) {
  return policy->deadline - order_late_after(policy);
}

void order_schedule(struct order *order, int before, bool deadline_reached, const struct order_policy *policy,
                    bus_time now) {
  const struct bus_saga_turn turn = {.begins = before == ORDER_NONE,
                                     .moves = order->status != before,
                                     .was_due = deadline_reached,
                                     .is_final = order_is_final(order),
                                     .wait = wait_of(order, policy),
                                     .longest = longest_wait_of(order, policy),
                                     .first_due = shorter(policy)};
  bus_saga_schedule(&turn, now, &order->deadline, &order->due_at);
}

/* ---- the budget of due orders ---- */

int64_t order_budget_take(struct order_budget *budget, int64_t now) {
  if (now - budget->second >= BUS_SECOND)
    *budget = (struct order_budget){.second = now};
  int64_t left = ORDER_DUE_PER_SECOND - budget->spent;
  int64_t granted = left < ORDER_DUE_AT_ONCE ? left : ORDER_DUE_AT_ONCE;
  budget->spent += granted;
  return granted;
}

/* ---- the intake ---- */

bool order_intake_is_full(const struct order_load *load, const struct order_limits *limits) {
  return load->open >= limits->open || (load->late >= limits->late && load->open > 0);
}

enum order_room order_room_for(int64_t unpaid_of_all, int64_t unpaid_of_customer,
                               const struct order_unpaid_limits *limits) {
  if (unpaid_of_customer >= limits->of_customer)
    return ORDER_ROOM_CUSTOMER_FULL;
  return unpaid_of_all >= limits->all ? ORDER_ROOM_FULL : ORDER_ROOM;
}

int64_t order_intake_rows(const struct order_limits *limits) {
  return 2 * (limits->open + limits->late);
}

int64_t order_intake_window(const struct order_limits *limits) {
  return 2 * limits->late;
}

bool order_intake_note(struct order_intake *intake, bool closed, int64_t now) {
  bool changed = closed != intake->closed;
  if (changed)
    intake->closed_at = now;
  intake->closed = closed;
  intake->looked = true;
  intake->looked_at = now;
  return changed;
}

int64_t order_intake_closed_for(const struct order_intake *intake, int64_t now) {
  if (!intake->looked || now - intake->looked_at >= ORDER_INTAKE_LIFE)
    return BUS_NO_INT64;
  return intake->closed ? now - intake->closed_at : 0;
}
