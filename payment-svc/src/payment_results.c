/* Results of calls that wait a moment for those of the calls beside them. */
#include "payment_results.h"

#include <bus/clock.h>

#include <assert.h>

/* Calls of one transaction go out together, so their answers come together, as a fast provider gives them. */
#define TOGETHER (2 * BUS_MILLISECOND)

void payment_results_add(struct payment_results *results, const struct payment_result *result, int64_t now) {
  assert(!payment_results_full(results));
  if (results->count == 0)
    results->first_at = now;
  results->items[results->count++] = *result;
}

bool payment_results_full(const struct payment_results *results) {
  return results->count == results->room;
}

int64_t payment_results_wait(const struct payment_results *results, size_t under_way, int64_t now) {
  if (results->count == 0 || under_way == 0)
    return 0;
  int64_t left = results->first_at + TOGETHER - now;
  return left > 0 ? left : 0;
}
