/* Decides whether a message that failed alone is to blame: proof is a commit since it failed first. */
#include "blame.h"

/* A value that the database refuses, a statement that takes too long for its rows, a session that dies of it. A rule
 * that every message violates looks the same, so few of them in a row are blamed without proof. */
static bool may_be_its_own(enum bus_batch_outcome outcome) {
  return outcome == BUS_BATCH_DATA || outcome == BUS_BATCH_OTHER || outcome == BUS_BATCH_LOST;
}

enum blame blame_of(const struct blame_facts *facts) {
  if (facts->similar_at > facts->failing_since)
    return BLAME_MESSAGE;
  if (may_be_its_own(facts->outcome) && facts->blamed < BLAME_WITHOUT_COMMIT)
    return BLAME_MESSAGE;
  if (facts->commit_at > facts->failing_since)
    return BLAME_SIMILAR;
  return facts->now - facts->alone_since >= facts->patience ? BLAME_ASK : BLAME_NOBODY;
}
