/* Conditions under which a step is one of a bundle, for the failpoints of test builds. */
#pragma once

#include "machine.h"

#ifdef ORDERBUS_FAILPOINTS

static inline bool points_are_of_one_delivery(const struct entry *a, const struct entry *b) {
  return entry_is_delivery(a) && entry_is_delivery(b) && a->tag == b->tag && a->epoch == b->epoch;
}

/* Does the second half, which lies below the first, begin within a bundle? */
static inline bool points_is_bundle_halved(const struct batch *batch) {
  size_t second = batch->bisect.segments[batch->bisect.count - 2].first;
  return points_are_of_one_delivery(batch->entries[second - 1], batch->entries[second]);
}

/* Does the inbox have some messages of a bundle, and not the others? */
static inline bool points_is_bundle_partly_known(const struct attempt *attempt) {
  for (size_t i = 1; i < attempt->count; i++)
    if (points_are_of_one_delivery(attempt->entries[i - 1], attempt->entries[i]) &&
        attempt->entries[i - 1]->duplicate != attempt->entries[i]->duplicate)
      return true;
  return false;
}

/* Are some messages of a bundle done, and not the others? */
static inline bool points_is_element_held(const struct attempt *attempt) {
  for (size_t i = 1; i < attempt->count; i++)
    if (points_are_of_one_delivery(attempt->entries[i - 1], attempt->entries[i]) &&
        (attempt->entries[i - 1]->ruling.verdict == BUS_DONE) != (attempt->entries[i]->ruling.verdict == BUS_DONE))
      return true;
  return false;
}

#endif
