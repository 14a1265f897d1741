/* Results of calls that wait a moment for those of the calls beside them, so that one transaction takes them together
 * and what it publishes travels together. Pure; times are of the monotonic clock. */
#ifndef PAYMENT_RESULTS_H
#define PAYMENT_RESULTS_H

#include "payment.h"

struct payment_results {
  struct payment_result *items; /* the caller's */
  size_t count, room;
  int64_t first_at; /* when the first of them came */
};

/* They are not full. */
void payment_results_add(struct payment_results *results, const struct payment_result *result, int64_t now);
bool payment_results_full(const struct payment_results *results);
/* How long they may still wait; 0: they are to be passed on now, or there are none. under_way: calls whose results may
 * still come. */
int64_t payment_results_wait(const struct payment_results *results, size_t under_way, int64_t now);

#endif
