/* bus/backoff.h: bounds of delays, the schedule of retry tiers. */
#include <bus/backoff.h>

#include "test.h"

TEST(backoff_grows_and_stays_in_bounds)
{
  static const int64_t full[] = {1, 2, 4, 8, 10, 10, 10};
  for (size_t i = 0; i < BUS_COUNT(full); i++) {
    struct bus_backoff low = {BUS_SECOND, 10 * BUS_SECOND, (uint32_t)i}, high = low;
    int64_t half = full[i] * BUS_SECOND / 2;
    assert_true(bus_backoff_next(&low, 0) == half);
    assert_true(bus_backoff_next(&high, (uint64_t)half) == 2 * half);
    assert_int_equal(low.failures, i + 1);
  }
}

TEST(backoff_any_random_stays_in_the_upper_half)
{
  uint64_t random = 88172645463325252u;
  for (int i = 0; i < 10000; i++) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    struct bus_backoff backoff = {BUS_SECOND, 60 * BUS_SECOND, (uint32_t)(i % 12)};
    struct bus_backoff bound = backoff;
    int64_t least = bus_backoff_next(&bound, 0), delay = bus_backoff_next(&backoff, random);
    assert_true(delay >= least && delay <= 2 * least && delay <= 60 * BUS_SECOND);
  }
}

TEST(backoff_extremes_do_not_overflow)
{
  struct bus_backoff backoff = {INT64_MAX / 3, INT64_MAX, 0};
  for (int i = 0; i < 200; i++)
    assert_true(bus_backoff_next(&backoff, UINT64_MAX) > 0);
  backoff.failures = UINT32_MAX;
  assert_true(bus_backoff_next(&backoff, 1) > 0);
  assert_true(backoff.failures == UINT32_MAX);
}

TEST(backoff_first_above_max_and_zero)
{
  struct bus_backoff above = {5 * BUS_SECOND, BUS_SECOND, 0}, zero = {0, BUS_SECOND, 0};
  assert_true(bus_backoff_next(&above, 0) == BUS_SECOND / 2);
  assert_true(bus_backoff_next(&zero, 12345) == 0);
}

TEST(backoff_reset_begins_again)
{
  struct bus_backoff backoff = {BUS_SECOND, 60 * BUS_SECOND, 0};
  for (int i = 0; i < 5; i++)
    (void)bus_backoff_next(&backoff, 0);
  bus_backoff_reset(&backoff);
  assert_true(bus_backoff_next(&backoff, 0) == BUS_SECOND / 2);
}

/* Seconds at which a connection that nacks everything is given up. */
TEST(nacks_that_last_give_a_connection_up_later_each_time)
{
  static const int given_up[] = {1, 3, 7, 15, 31, 63, 123, 183};
  struct bus_nacks nacks = {0};
  size_t count = 0;
  for (int second = 0; second <= 200; second++)
    if (bus_nacks_add(&nacks, second * BUS_SECOND)) {
      assert_in_range(count, 0, BUS_COUNT(given_up) - 1);
      assert_int_equal(second, given_up[count++]);
    }
  assert_int_equal(count, BUS_COUNT(given_up));
}

TEST(nacks_that_end_are_forgotten)
{
  struct bus_nacks nacks = {0};
  for (int i = 0; i < 2; i++) {
    int64_t begin = i * BUS_HOUR;
    assert_false(bus_nacks_add(&nacks, begin));
    assert_false(bus_nacks_add(&nacks, begin + 999 * BUS_MILLISECOND));
    assert_true(bus_nacks_add(&nacks, begin + BUS_SECOND));
    assert_false(bus_nacks_add(&nacks, begin + 2 * BUS_SECOND));
    bus_nacks_end(&nacks);
    assert_false(bus_nacks_add(&nacks, begin + 7 * BUS_SECOND));
    assert_true(bus_nacks_add(&nacks, begin + 8 * BUS_SECOND));
  }
  assert_false(bus_nacks_add(&nacks, BUS_HOUR + 25 * BUS_SECOND)); /* by itself */
  assert_true(bus_nacks_add(&nacks, BUS_HOUR + 26 * BUS_SECOND));
}

TEST(rotation_tries_each_host_before_it_waits_longer)
{
  static const size_t hosts[] = {1, 2, 0, 1, 2, 0, 1};
  static const int64_t full[] = {1, 1, 1, 1, 1, 2, 1};
  struct bus_rotation rotation = {.backoff = {BUS_SECOND, 10 * BUS_SECOND, 0}, .hosts = 3};
  for (size_t i = 0; i < BUS_COUNT(hosts); i++) {
    assert_true(bus_rotation_next(&rotation, 0) == full[i] * BUS_SECOND / 2);
    assert_int_equal(rotation.host, hosts[i]);
  }
}

TEST(rotation_of_one_host_is_a_backoff)
{
  struct bus_rotation rotation = {.backoff = {BUS_SECOND, 10 * BUS_SECOND, 0}, .hosts = 1}, none = rotation;
  none.hosts = 0;
  for (int64_t full = 1; full <= 8; full *= 2) {
    assert_true(bus_rotation_next(&rotation, 0) == full * BUS_SECOND / 2);
    assert_true(bus_rotation_next(&none, 0) == full * BUS_SECOND / 2);
    assert_int_equal(rotation.host + none.host, 0);
  }
}

TEST(rotation_reset_stays_with_the_host_and_begins_a_round)
{
  struct bus_rotation rotation = {.backoff = {BUS_SECOND, 10 * BUS_SECOND, 0}, .hosts = 2};
  for (int i = 0; i < 5; i++)
    (void)bus_rotation_next(&rotation, 0);
  bus_rotation_reset(&rotation);
  assert_int_equal(rotation.host, 1);
  for (int i = 0; i < 2; i++)
    assert_true(bus_rotation_next(&rotation, 0) == BUS_SECOND / 2);
  assert_true(bus_rotation_next(&rotation, 0) == BUS_SECOND / 2);
  assert_true(bus_rotation_next(&rotation, 0) == BUS_SECOND);
}

TEST(retry_tier_schedule)
{
  static const int expected[] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2};
  for (size_t i = 0; i < BUS_COUNT(expected); i++)
    assert_int_equal(bus_retry_tier((int64_t)i, 3, BUS_HOUR, 24 * BUS_HOUR), expected[i]);
  assert_int_equal(bus_retry_tier(100000, 3, 24 * BUS_HOUR, 24 * BUS_HOUR), 2);
}

TEST(retry_tier_gives_up_only_in_the_last)
{
  assert_int_equal(bus_retry_tier(6, 3, 24 * BUS_HOUR + 1, 24 * BUS_HOUR), -1);
  assert_int_equal(bus_retry_tier(INT64_MAX, 3, 25 * BUS_HOUR, 24 * BUS_HOUR), -1);
  assert_int_equal(bus_retry_tier(5, 3, 25 * BUS_HOUR, 24 * BUS_HOUR), 1);
  assert_int_equal(bus_retry_tier(0, 1, 0, 0), 0);
  assert_int_equal(bus_retry_tier(0, 1, 1, 0), -1);
}

TEST(retry_tier_odd_arguments)
{
  assert_int_equal(bus_retry_tier(0, 0, 0, BUS_HOUR), -1);
  assert_int_equal(bus_retry_tier(-1, 3, 0, BUS_HOUR), 0);
  assert_int_equal(bus_retry_tier(INT64_MAX, 3, 0, BUS_HOUR), 2);
}

TEST(nacks_count_on_while_the_sweeper_leaves_no_longer_pause)
{
  struct bus_nacks nacks = {.patience = 0};
  assert_false(bus_nacks_add(&nacks, BUS_SECOND));
  assert_true(bus_nacks_add(&nacks, 16 * BUS_SECOND));
  bus_nacks_end(&nacks);
  assert_false(bus_nacks_add(&nacks, BUS_SECOND));
  assert_false(bus_nacks_add(&nacks, 16 * BUS_SECOND + 1)); /* begins again */
}
