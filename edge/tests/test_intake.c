/* shed.c: when new orders are refused because order-svc takes none, and for how long one report counts. */
#include "shed.h"

#include "test.h"

#define NOW (1000 * BUS_SECOND)

TEST(what_order_svc_does_not_say_counts_as_open)
{
  struct intake intake = {.closed_until = 0};
  assert_false(intake_is_closed(&intake, NOW));
  assert_false(intake_report(&intake, BUS_NO_INT64, NOW));
  assert_false(intake_is_closed(&intake, NOW));
}

TEST(five_seconds_of_a_closed_intake_are_too_many)
{
  struct intake intake = {.closed_until = 0};
  assert_false(intake_report(&intake, 5 * BUS_SECOND - 1, NOW));
  assert_false(intake_is_closed(&intake, NOW));
  assert_true(intake_report(&intake, 5 * BUS_SECOND, NOW));
  assert_true(intake_is_closed(&intake, NOW));
  assert_false(intake_report(&intake, 6 * BUS_SECOND, NOW + BUS_SECOND)); /* said already */
  assert_true(intake_report(&intake, 0, NOW + 2 * BUS_SECOND));
  assert_false(intake_is_closed(&intake, NOW + 2 * BUS_SECOND));
}

TEST(order_svc_that_goes_away_refuses_nothing_after_ten_seconds)
{
  struct intake intake = {.closed_until = 0};
  assert_true(intake_report(&intake, BUS_HOUR, NOW));
  assert_true(intake_is_closed(&intake, NOW + 10 * BUS_SECOND - 1));
  assert_false(intake_is_closed(&intake, NOW + 10 * BUS_SECOND));
}
