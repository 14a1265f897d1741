/* When a call of the PSP is tried again. */
#include "payment_table.h"

#define CLOCK_MARGIN (5 * BUS_SECOND)

static int64_t least_delay(int64_t a, int64_t b) {
  return a < b ? a : b;
}

int64_t payment_longest_wait(const struct payment_policy *policy) {
  return (policy->slow_max > policy->lease ? policy->slow_max : policy->lease) + CLOCK_MARGIN;
}

/* Between half of the delay and all of it, so that rows that failed together do not come back together. */
static int64_t jitter(int64_t delay, uint64_t random) {
  int64_t half = delay / 2;
  return delay - half + (int64_t)(random % (uint64_t)(half + 1));
}

static int64_t quick_delay(const struct payment_policy *policy, int64_t attempts) {
  int64_t delay = policy->quick_first;
  for (int64_t i = 1; i < attempts && delay < policy->slow_first; i++)
    delay *= 2;
  return least_delay(delay, policy->slow_first);
}

int64_t payment_slow_delay(const struct payment_policy *policy, int64_t attempts, uint64_t random) {
  int64_t delay = policy->slow_first;
  for (int64_t i = policy->quick_attempts; i < attempts && delay < policy->slow_max; i++)
    delay += delay / 4 + 1;
  return jitter(least_delay(delay, policy->slow_max), random);
}

int64_t payment_read_delay(const struct payment_policy *policy, int64_t pending, int64_t asked, uint64_t random) {
  int64_t delay = least_delay(pending > policy->quick_first ? pending : policy->quick_first, policy->slow_max);
  int64_t floor = least_delay(asked, policy->slow_max);
  delay = jitter(delay, random);
  return delay > floor ? delay : floor;
}

int64_t payment_retry_delay(const struct payment_policy *policy, int64_t attempts, int64_t asked, uint64_t random) {
  int64_t delay = attempts < policy->quick_attempts ? jitter(quick_delay(policy, attempts), random)
                                                    : payment_slow_delay(policy, attempts, random);
  int64_t floor = least_delay(asked, policy->slow_max);
  return delay > floor ? delay : floor;
}
