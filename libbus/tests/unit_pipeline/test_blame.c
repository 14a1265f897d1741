/* blame.c: what proves that a message is to blame, and what proves nothing. */
#include "blame.h"

#include <test.h>

enum { FAILED_AT = 1000, BEFORE = 900, AFTER = 1100, PATIENCE = 500 };
static const enum bus_batch_outcome outcomes[] = {BUS_BATCH_CONFLICT, BUS_BATCH_DATA, BUS_BATCH_LOST, BUS_BATCH_OTHER,
                                                  BUS_BATCH_FAULT};

static struct blame_facts facts_of(enum bus_batch_outcome outcome) {
  return (struct blame_facts){.outcome = outcome,
                              .failing_since = FAILED_AT,
                              .alone_since = FAILED_AT,
                              .similar_at = BEFORE,
                              .commit_at = BEFORE,
                              .blamed = BLAME_WITHOUT_COMMIT,
                              .patience = PATIENCE,
                              .now = AFTER};
}

TEST(nobody_is_blamed_while_nothing_commits)
{
  for (size_t i = 0; i < BUS_COUNT(outcomes); i++) {
    struct blame_facts facts = facts_of(outcomes[i]);
    assert_int_equal(blame_of(&facts), BLAME_NOBODY);
    facts.similar_at = facts.commit_at = 0; /* a process that has just started */
    assert_int_equal(blame_of(&facts), BLAME_NOBODY);
  }
}

TEST(a_commit_of_its_own_type_proves_a_message_guilty)
{
  for (size_t i = 0; i < BUS_COUNT(outcomes); i++) {
    struct blame_facts facts = facts_of(outcomes[i]);
    facts.similar_at = facts.commit_at = AFTER;
    assert_int_equal(blame_of(&facts), BLAME_MESSAGE);
  }
}

/* A GRANT may be missing on the table of one type. */
TEST(a_commit_of_another_type_proves_that_only_the_others_can_go_on)
{
  for (size_t i = 0; i < BUS_COUNT(outcomes); i++) {
    struct blame_facts facts = facts_of(outcomes[i]);
    facts.commit_at = AFTER;
    assert_int_equal(blame_of(&facts), BLAME_SIMILAR);
  }
}

TEST(few_are_blamed_without_proof_for_what_may_be_their_own)
{
  for (size_t i = 0; i < BUS_COUNT(outcomes); i++) {
    struct blame_facts facts = facts_of(outcomes[i]);
    bool own = outcomes[i] == BUS_BATCH_DATA || outcomes[i] == BUS_BATCH_OTHER || outcomes[i] == BUS_BATCH_LOST;
    facts.blamed = BLAME_WITHOUT_COMMIT - 1;
    assert_int_equal(blame_of(&facts), own ? BLAME_MESSAGE : BLAME_NOBODY);
  }
}

TEST(a_probe_decides_once_a_message_has_failed_alone_for_long)
{
  for (size_t i = 0; i < BUS_COUNT(outcomes); i++) {
    struct blame_facts facts = facts_of(outcomes[i]);
    facts.now = FAILED_AT + PATIENCE - 1;
    assert_int_equal(blame_of(&facts), BLAME_NOBODY);
    facts.now = FAILED_AT + PATIENCE;
    assert_int_equal(blame_of(&facts), BLAME_ASK);
  }
}

/* A commit in the same step may have come before the failure. */
TEST(a_commit_at_the_time_of_the_first_failure_proves_nothing)
{
  for (size_t i = 0; i < BUS_COUNT(outcomes); i++) {
    struct blame_facts facts = facts_of(outcomes[i]);
    facts.similar_at = facts.commit_at = FAILED_AT;
    assert_int_equal(blame_of(&facts), BLAME_NOBODY);
  }
}
