/* The pace of sagas: deadlines, how many due orders are looked at in a second, and whether new orders are taken. Pure:
 * time is an argument. */
#pragma once

#include "order.h"

/* ---- deadlines ---- */

struct order_policy {
  int64_t deadline;  /* µs in PENDING and in RESERVED; then it is undone */
  int64_t resend;    /* µs between repetitions in COMPENSATING */
  int64_t pay_later; /* µs in AWAITING_PAYMENT; then it is undone */
};
/* µs: nothing is put off for longer, transactions that began a little later included. A deadline that is further away
 * was set before the clock was set back, and is set anew when it is looked at. */
int64_t order_longest_wait(const struct order_policy *policy);
/* The same in AWAITING_PAYMENT. */
int64_t order_longest_wait_for_payment(const struct order_policy *policy);
/* When a new order is decided at the latest, if its deadlines are met: it may spend one in PENDING and one in RESERVED,
 * or one in AWAITING_PAYMENT and a little time to be undone in. */
bus_time order_expected_until(const struct order *order, const struct order_policy *policy, bus_time now);
/* µs, a quarter of the deadline: an order that is younger is not late. */
int64_t order_late_after(const struct order_policy *policy);
/* µs: an order whose deadline is no further away has waited for more than a quarter of it, and is late. */
int64_t order_late_within(const struct order_policy *policy);
/* Sets deadline and due_at after a decision; before: the status before it. due_at is indexed and follows the deadline
 * only where it must (the deadline came closer) or when it is reached, so that the common steps leave the index alone.
 */
void order_schedule(struct order *order, int before, bool deadline_reached, const struct order_policy *policy,
                    bus_time now);

/* ---- the budget: how many due orders may be looked at in a second, by all workers of a process together. An outage
 * must not end in a storm of cancellations. ---- */

struct order_budget {
  int64_t second; /* µs of the monotonic clock, when this second began */
  int64_t spent;  /* in it */
};

enum { ORDER_DUE_PER_SECOND = 500, ORDER_DUE_AT_ONCE = 250 };

/* How many may be looked at now: 0 to ORDER_DUE_AT_ONCE. */
int64_t order_budget_take(struct order_budget *budget, int64_t now);

/* ---- the intake: whether new orders are taken from their queue, and for how long they have not been ---- */

/* Counts from the database. */
struct order_load {
  /* PENDING and RESERVED; COMPENSATING orders wait only to be undone, AWAITING_PAYMENT ones for their customers */
  int64_t open;
  /* Among the newest order_intake_window() orders that are older than a quarter of the deadline: reserved or paid too
   * late, and no newer order is CONFIRMED, so that the order itself is not the cause. */
  int64_t late;
};

struct order_limits {
  int64_t open, late; /* new orders wait from so many on */
};

/* How many open orders may be orders that are paid later: of all, and of a customer. */
struct order_unpaid_limits {
  int64_t all, of_customer;
};
enum order_room order_room_for(int64_t unpaid_of_all, int64_t unpaid_of_customer,
                               const struct order_unpaid_limits *limits);

/* Late orders close the intake only while an order is open: one must be let through to find out that orders succeed
 * again. */
bool order_intake_is_full(const struct order_load *load, const struct order_limits *limits);
/* How many of the newest open orders are looked at: enough to see either limit reached. */
int64_t order_intake_rows(const struct order_limits *limits);
/* How many of the newest orders are searched for late ones: limits->late of them are at least half. Fewer late orders
 * do not close the intake: most orders of the same age came through, or were rejected, in time. */
int64_t order_intake_window(const struct order_limits *limits);

/* A look at the load counts for so long. */
#define ORDER_INTAKE_LIFE (5 * BUS_SECOND)

/* All zero: nobody has looked yet. */
struct order_intake {
  bool looked, closed;
  int64_t closed_at, looked_at; /* monotonic */
};

/* Keeps the newest look. True: the intake was opened or closed by it. */
bool order_intake_note(struct order_intake *intake, bool closed, int64_t now);
/* µs since it was closed; 0: open; BUS_NO_INT64: nobody has looked lately. */
int64_t order_intake_closed_for(const struct order_intake *intake, int64_t now);
