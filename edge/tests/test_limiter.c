/* Rates of customers: bursts, refills, strangers, and a table that does not grow. */
#include "limiter.h"

#include <stdio.h>

#include "test.h"

static const uint8_t seed[32] = {1};
static struct limit limit;

static int allowed(struct limiter *limiter, const char *customer, int64_t now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; i++)
    count += limiter_take(limiter, bus_str(customer), now, &limit);
  return count;
}

TEST(R1_a_customer_has_a_burst_and_then_its_rate)
{
  struct limiter *limiter = limiter_new(1000, 50, 100, seed);
  int64_t now = 1000 * BUS_SECOND;
  assert_true(limiter_take(limiter, BUS_STR("a"), now, &limit));
  assert_int_equal(limit.remaining, 99);
  assert_int_equal(limit.reset_s, 1);
  assert_int_equal(allowed(limiter, "a", now, 200), 99);
  assert_int_equal(limit.remaining, 0);
  assert_int_equal(limit.retry_s, 1);
  assert_int_equal(limit.reset_s, 2);
  assert_int_equal(allowed(limiter, "a", now + 100 * BUS_MILLISECOND, 200), 5);
  assert_int_equal(allowed(limiter, "b", now, 200), 100);
  assert_int_equal(allowed(limiter, "a", now + 3600 * BUS_SECOND, 200), 100);
  limiter_free(limiter);
}

TEST(R3_a_crowd_of_customers_does_not_free_one_that_is_over_its_rate)
{
  struct limiter *limiter = limiter_new(64, 50, 100, seed);
  int64_t now = 1000 * BUS_SECOND;
  assert_int_equal(allowed(limiter, "a", now, 200), 100);
  for (int i = 0; i < 100000; i++) {
    char name[16];
    snprintf(name, sizeof name, "c-%d", i);
    assert_int_equal(allowed(limiter, name, now, 1), 1);
  }
  assert_int_equal(allowed(limiter, "a", now, 10), 0);
  limiter_free(limiter);
}

TEST(a_burst_of_one_is_one_at_a_time)
{
  struct limiter *limiter = limiter_new(1, 1, 1, seed);
  assert_int_equal(allowed(limiter, "a", 0, 3), 1);
  assert_int_equal(limit.retry_s, 1);
  assert_int_equal(allowed(limiter, "a", BUS_SECOND - 1, 3), 0);
  assert_int_equal(allowed(limiter, "a", BUS_SECOND, 3), 1);
  limiter_free(limiter);
}
