/* Waits between calls: quick, then slow, jittered, bounded. */
#include "sample.h"

#include <test.h>

static int64_t longest(int64_t attempts) {
  return payment_retry_delay(&sample_policy, attempts, 0, UINT64_MAX - UINT64_MAX % 2);
}

TEST(schedule_without_luck_is_half)
{
  assert_int_equal(payment_retry_delay(&sample_policy, 1, 0, 0), BUS_SECOND / 2);
  assert_int_equal(payment_retry_delay(&sample_policy, 2, 0, 0), BUS_SECOND);
  assert_int_equal(payment_retry_delay(&sample_policy, 3, 0, 0), 15 * BUS_SECOND);
}

TEST(schedule_jitter_stays_in_the_upper_half)
{
  uint64_t random = 88172645463325252u;
  for (int i = 0; i < 10000; i++) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    int64_t attempts = i % 60 + 1;
    int64_t least = payment_retry_delay(&sample_policy, attempts, 0, 0);
    int64_t delay = payment_retry_delay(&sample_policy, attempts, 0, random);
    assert_true(delay >= least && delay <= 2 * least);
  }
}

TEST(schedule_slow_waits_grow_by_a_quarter_up_to_the_longest)
{
  int64_t last = 0;
  for (int64_t attempts = 3; attempts < 100; attempts++) {
    int64_t least = payment_slow_delay(&sample_policy, attempts, 0);
    assert_true(least >= last && least <= 5 * BUS_MINUTE);
    assert_true(last == 0 || least <= last + last / 4 + 2);
    last = least;
  }
  assert_int_equal(last, 5 * BUS_MINUTE); /* half of ten: the other half is luck */
}

/* The saga's promise after an outage rests on this bound. */
TEST(schedule_wait_is_at_most_a_third_of_the_outage_and_half_a_minute)
{
  int64_t age = 0;
  for (int64_t attempts = 1; attempts < 40; attempts++) {
    int64_t most = 2 * payment_retry_delay(&sample_policy, attempts, 0, 0);
    assert_true(most <= age / 3 + 31 * BUS_SECOND || most <= 10 * BUS_MINUTE + 1);
    if (age > 4 * BUS_MINUTE && age < 30 * BUS_MINUTE)
      assert_true(most <= age / 3 + 31 * BUS_SECOND);
    age += most;
  }
}

TEST(schedule_takes_what_the_psp_asks_for_within_reason)
{
  assert_int_equal(payment_retry_delay(&sample_policy, 1, 20 * BUS_SECOND, 0), 20 * BUS_SECOND);
  assert_int_equal(payment_retry_delay(&sample_policy, 1, BUS_HOUR, 0), 10 * BUS_MINUTE);
  assert_int_equal(payment_retry_delay(&sample_policy, 3, BUS_SECOND, 0), 15 * BUS_SECOND);
}

TEST(schedule_survives_any_policy)
{
  struct payment_policy policy = {PAYMENT_POLICY_DEFAULTS};
  policy.quick_attempts = 10;
  policy.quick_first = BUS_MINUTE;
  policy.slow_first = policy.slow_max = BUS_MILLISECOND;
  for (int64_t attempts = 1; attempts < 1000; attempts++)
    assert_in_range(payment_retry_delay(&policy, attempts, 0, 12345), 0, BUS_MILLISECOND);
  assert_true(longest(INT64_MAX) <= 10 * BUS_MINUTE);
}

TEST(schedule_reads_back_after_about_as_long_again)
{
  const struct payment_policy policy = {PAYMENT_POLICY_DEFAULTS};
  static const int64_t pending[] = {-BUS_HOUR, 0, BUS_SECOND, 8 * BUS_SECOND, 5 * BUS_MINUTE, 19 * BUS_HOUR};
  static const int64_t most[] = {BUS_SECOND, BUS_SECOND, BUS_SECOND, 8 * BUS_SECOND, 5 * BUS_MINUTE, 10 * BUS_MINUTE};
  for (size_t i = 0; i < BUS_COUNT(pending); i++)
    for (uint64_t random = 0; random < 1000; random += 7)
      assert_in_range(payment_read_delay(&policy, pending[i], 0, random * 1000003), most[i] / 2, most[i]);
  assert_int_equal(payment_read_delay(&policy, 0, 40 * BUS_SECOND, 0), 40 * BUS_SECOND);
  assert_int_equal(payment_read_delay(&policy, 0, BUS_HOUR, 0), 10 * BUS_MINUTE);
}
