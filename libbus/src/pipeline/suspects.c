/* Suspicion by queue. */
#include "suspects.h"

void suspects_see(struct suspects *suspects, const struct entry *entry) {
  assert(entry->consumer >= 0 && entry->consumer < QUEUES_MAX);
  if (suspects->first_seen[entry->consumer])
    return;
  suspects->first_seen[entry->consumer] = true;
  suspects->suspect[entry->consumer] = entry->envelope.redelivered; /* of an earlier process, or another one */
}

bool suspects_any(const struct suspects *suspects) {
  bool any = false;
  for (size_t queue = 0; queue < QUEUES_MAX; queue++)
    any = any || suspects->suspect[queue];
  return any;
}

bool suspects_must_be_alone(struct suspects *suspects, struct entry *entry) {
  size_t queue = BUS_BUG("suspects-of-one-queue", "a fresh message of any queue ends the suspicion of all")
                     ? 0
                     : (size_t)entry->consumer;
  if (!entry_is_delivery(entry) || !suspects->suspect[queue])
    return false;
  entry->alone = suspects->suspect[queue] = entry->envelope.redelivered;
  return entry->alone;
}

void suspects_count(struct suspects *suspects, struct entry *entry, int64_t tries) {
  assert(entry->alone && tries > 0);
  entry->suspect = true;
  suspects->counted = entry->envelope.message_id;
  if (tries <= SUSPECT_TRIES || entry->ruling.refused ||
      BUS_BUG("suspects-never-parked", "a message that crashes its consumer is tried for ever"))
    return;
  entry->ruling.refused = true;
  entry->ruling.verdict = BUS_PARK;
  (void)bus_fail(&entry->ruling.cause, BUS_E_CRASHED, "tried alone %d times and never finished", SUSPECT_TRIES);
}
