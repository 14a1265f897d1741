/* How long to wait before the next try: exponential with jitter for connections and calls, tiers for messages. Pure. */
#ifndef BUS_BACKOFF_H
#define BUS_BACKOFF_H

#include <bus/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bus_backoff {
  int64_t first, max; /* microseconds */
  uint32_t failures;  /* in a row */
};

/* The next delay: first × 2^failures, at most max, of which the upper half is random (`random`: 64 random bits);
 * counts the failure. */
int64_t bus_backoff_next(struct bus_backoff *backoff, uint64_t random);
void bus_backoff_reset(struct bus_backoff *backoff);

/* Where a message goes whose attempt-th try (0 = the first delivery) failed: index of a tier, or -1: park it.
 * Three tries in each tier but the last, which repeats until `age` (since the first failure) passes `give_up`. */
int bus_retry_tier(int64_t attempt, size_t tiers, int64_t age, int64_t give_up);

#ifdef __cplusplus
}
#endif
#endif
