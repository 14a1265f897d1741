/* Sums: buckets of durations, slots of times, shares of orders. */
#include "data.h"

#include <test.h>

TEST(buckets_follow_one_another_and_are_narrow)
{
  int64_t last = report_bucket(0);
  assert_int_equal(last, 0);
  for (int64_t ms = 1; ms < 3000000; ms += ms < 5000 ? 1 : 97) {
    int64_t bucket = report_bucket(ms);
    assert_true(bucket == last || bucket == last + 1);
    assert_true(report_bucket_begin(bucket) <= ms && ms < report_bucket_begin(bucket + 1));
    assert_true((report_bucket_begin(bucket + 1) - report_bucket_begin(bucket)) * 4 <= (ms < 4 ? 4 : ms));
    last = bucket;
  }
  assert_true(report_bucket(INT64_MAX / 1000) < REPORT_BUCKETS);
  assert_int_equal(report_bucket(-5), 0);
}

TEST(slots_begin_at_the_hour_and_at_midnight)
{
  const bus_time day = INT64_C(1767225600) * BUS_SECOND;
  assert_int_equal(report_slot_of(day, REPORT_HOUR), day);
  assert_int_equal(report_slot_of(day + BUS_HOUR - 1, REPORT_HOUR), day);
  assert_int_equal(report_slot_of(day + 5 * BUS_HOUR + 7, REPORT_HOUR), day + 5 * BUS_HOUR);
  assert_int_equal(report_slot_of(day + 5 * BUS_HOUR + 7, REPORT_DAY), day);
  assert_int_equal(report_slot_of(-1, REPORT_HOUR), -BUS_HOUR);
}

static struct share share(const char *currency, const char *reason, int64_t orders) {
  return (struct share){
      .currency = bus_str(currency), .reason = bus_str(reason), .orders = orders, .amount = 10 * orders};
}

TEST(shares_of_equal_keys_are_added_and_zero_sums_dropped)
{
  struct share shares[] = {share("USD", "", 1), share("EUR", "timeout", 2), share("EUR", "", -3), share("USD", "", 4),
                           share("EUR", "timeout", -2)};
  assert_int_equal(report_shares_merge(shares, BUS_COUNT(shares)), 2);
  assert_true(bus_str_is(shares[0].currency, "EUR"));
  assert_int_equal(shares[0].orders, -3);
  assert_true(bus_str_is(shares[1].currency, "USD"));
  assert_int_equal(shares[1].amount, 50);
  assert_int_equal(report_shares_merge(shares, 0), 0);
}

TEST(an_order_that_ends_before_it_was_placed_took_no_time)
{
  const struct report report = {
      .status = REPORT_REJECTED, .placed_at = BUS_SECOND, .finished_at = 0, .total = BUS_NO_INT64};
  struct share of_it;
  report_share(&report, REPORT_DAY, 1, &of_it);
  assert_int_equal(of_it.duration_ms, 0);
  assert_int_equal(of_it.bucket, 0);
  assert_int_equal(of_it.amount, 0);
  assert_int_equal(of_it.orders, 1);
}
