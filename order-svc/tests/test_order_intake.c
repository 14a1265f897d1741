/* The intake: which load closes it, and what is known of it when. */
#include "order_schedule.h"
#include "test.h"

#define NOW (1000 * BUS_SECOND)

static bool is_full(int64_t open, int64_t late) {
  const struct order_load load = {open, late};
  const struct order_limits limits = {10000, 500};
  return order_intake_is_full(&load, &limits);
}

TEST(many_open_or_many_late_orders_close_the_intake)
{
  assert_false(is_full(0, 0));
  assert_false(is_full(9999, 499));
  assert_true(is_full(10000, 0));
  assert_true(is_full(500, 500));
}

/* They wait to be undone, perhaps for a person: with none open, one must be let through to see whether others succeed.
 */
TEST(late_orders_alone_never_close_the_intake)
{
  assert_false(is_full(0, 500));
  assert_true(is_full(1, 500));
}

TEST(enough_rows_are_looked_at_to_reach_either_limit)
{
  const struct order_limits limits = {5, 500};
  assert_true(order_intake_rows(&limits) >= limits.open + limits.late);
}

/* So many of the newest orders are searched that the limit is half of them: a hundredth of all orders never reaches it.
 */
TEST(late_orders_close_the_intake_only_if_they_are_half_of_the_newest)
{
  const struct order_limits limits = {10000, 500};
  int64_t window = order_intake_window(&limits);
  assert_true(is_full(window, window / 2));
  assert_false(is_full(window, window / 2 - 1));
  assert_false(is_full(window, window / 100));
}

TEST(it_is_known_for_how_long_the_intake_is_closed)
{
  struct order_intake intake = {.looked = false};
  assert_int_equal(order_intake_closed_for(&intake, NOW), BUS_NO_INT64);
  assert_false(order_intake_note(&intake, false, NOW));
  assert_int_equal(order_intake_closed_for(&intake, NOW + BUS_SECOND), 0);
  assert_true(order_intake_note(&intake, true, NOW + BUS_SECOND));
  assert_false(order_intake_note(&intake, true, NOW + 4 * BUS_SECOND));
  assert_int_equal(order_intake_closed_for(&intake, NOW + 6 * BUS_SECOND), 5 * BUS_SECOND);
  assert_true(order_intake_note(&intake, false, NOW + 7 * BUS_SECOND));
  assert_int_equal(order_intake_closed_for(&intake, NOW + 7 * BUS_SECOND), 0);
  assert_true(order_intake_note(&intake, true, NOW + 8 * BUS_SECOND)); /* from here on, not from the first time */
  assert_int_equal(order_intake_closed_for(&intake, NOW + 9 * BUS_SECOND), BUS_SECOND);
}

/* The workers have lost their database: what they saw last says nothing of now. */
TEST(a_look_of_long_ago_says_nothing)
{
  struct order_intake intake = {.looked = false};
  assert_true(order_intake_note(&intake, true, NOW));
  assert_int_equal(order_intake_closed_for(&intake, NOW + 5 * BUS_SECOND - 1), 5 * BUS_SECOND - 1);
  assert_int_equal(order_intake_closed_for(&intake, NOW + 5 * BUS_SECOND), BUS_NO_INT64);
}
