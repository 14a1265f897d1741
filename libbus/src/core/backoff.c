/* Delays between tries. */
#include <bus/backoff.h>

enum { TRIES_PER_TIER = 3 };
#define NACKS_FIRST BUS_SECOND
#define NACKS_MAX (60 * BUS_SECOND)
#define NACKS_OVER (15 * BUS_SECOND) /* longer than a sweeper leaves a row that was nacked */

/* first × 2^failures, at most max, without overflow. */
static int64_t full_delay(const struct bus_backoff *backoff) {
  int64_t delay = backoff->first;
  for (uint32_t i = 0; i < backoff->failures && delay < backoff->max; i++)
    delay = delay > backoff->max / 2 ? backoff->max : delay * 2;
  return delay < backoff->max ? delay : backoff->max;
}

int64_t bus_backoff_next(struct bus_backoff *backoff, uint64_t random) {
  int64_t delay = full_delay(backoff), half = delay / 2;
  if (backoff->failures < UINT32_MAX)
    backoff->failures++;
  return delay - half + (int64_t)(random % (uint64_t)(half + 1));
}

void bus_backoff_reset(struct bus_backoff *backoff) {
  backoff->failures = 0;
}

int64_t bus_rotation_next(struct bus_rotation *rotation, uint64_t random) {
  struct bus_backoff shortest = {.first = rotation->backoff.first, .max = rotation->backoff.max};
  rotation->host = rotation->host + 1 < rotation->hosts ? rotation->host + 1 : 0;
  if (++rotation->failed < rotation->hosts)
    return bus_backoff_next(&shortest, random);
  rotation->failed = 0;
  return bus_backoff_next(&rotation->backoff, random);
}

void bus_rotation_reset(struct bus_rotation *rotation) {
  rotation->failed = 0;
  bus_backoff_reset(&rotation->backoff);
}

bool bus_nacks_add(struct bus_nacks *nacks, int64_t now) {
  if (nacks->patience == 0 || now - nacks->last > NACKS_OVER)
    *nacks = (struct bus_nacks){.since = now, .patience = NACKS_FIRST};
  nacks->last = now;
  if (now - nacks->since < nacks->patience)
    return false;
  nacks->since = now;
  nacks->patience = nacks->patience < NACKS_MAX / 2 ? nacks->patience * 2 : NACKS_MAX;
  return true;
}

void bus_nacks_end(struct bus_nacks *nacks) {
  nacks->patience = 0;
}

int bus_retry_tier(int64_t attempt, size_t tiers, int64_t age, int64_t give_up) {
  if (tiers == 0)
    return -1;
  int64_t tier = attempt < 0 ? 0 : attempt / TRIES_PER_TIER, last = (int64_t)tiers - 1;
  if (tier < last)
    return (int)tier;
  return age > give_up ? -1 : (int)last;
}
