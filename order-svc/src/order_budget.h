/* How many due orders may be looked at in a second, by all workers of a process together: an outage must not end in a
 * storm of cancellations. Pure: time is an argument. */
#ifndef ORDER_BUDGET_H
#define ORDER_BUDGET_H

#include <bus/base.h>

struct order_budget {
  int64_t second; /* µs of the monotonic clock, when this second began */
  int64_t spent;  /* in it */
};

enum { ORDER_DUE_PER_SECOND = 500, ORDER_DUE_AT_ONCE = 250 };

/* How many may be looked at now: 0 to ORDER_DUE_AT_ONCE. */
int64_t order_budget_take(struct order_budget *budget, int64_t now);

#endif
