/* shed.c: when new orders are refused, and for how long one report counts. */
#include "shed.h"

#include "test.h"

#define NOW (1000 * BUS_SECOND)

static struct backlog backlog_of(int64_t limit) {
  struct backlog backlog = {.limit = limit};
  return backlog;
}

TEST(nothing_is_known_at_first)
{
  struct backlog backlog = backlog_of(30 * BUS_SECOND);
  assert_false(backlog_is_behind(&backlog, NOW));
  assert_int_equal(backlog_age(&backlog), 0);
}

TEST(behind_from_beyond_the_limit_until_it_is_younger)
{
  struct backlog backlog = backlog_of(30 * BUS_SECOND);
  assert_false(backlog_report(&backlog, 30 * BUS_SECOND, NOW));
  assert_false(backlog_is_behind(&backlog, NOW));
  assert_true(backlog_report(&backlog, 31 * BUS_SECOND, NOW + 1));
  assert_true(backlog_is_behind(&backlog, NOW + 2));
  assert_false(backlog_report(&backlog, 32 * BUS_SECOND, NOW + BUS_SECOND)); /* said already */
  assert_int_equal(backlog_age(&backlog), 32 * BUS_SECOND);
  assert_true(backlog_report(&backlog, 0, NOW + 2 * BUS_SECOND));
  assert_false(backlog_is_behind(&backlog, NOW + 2 * BUS_SECOND));
}

/* order-svc went away: what it said last is no reason to refuse orders for ever. */
TEST(a_report_counts_for_ten_seconds)
{
  struct backlog backlog = backlog_of(30 * BUS_SECOND);
  assert_true(backlog_report(&backlog, BUS_HOUR, NOW));
  assert_true(backlog_is_behind(&backlog, NOW + 10 * BUS_SECOND - 1));
  assert_false(backlog_is_behind(&backlog, NOW + 10 * BUS_SECOND));
  assert_true(backlog_report(&backlog, BUS_HOUR, NOW + 20 * BUS_SECOND)); /* said again */
}

TEST(a_clock_set_forward_makes_nothing_old)
{
  struct backlog backlog = backlog_of(30 * BUS_SECOND);
  assert_false(backlog_report(&backlog, 0, NOW));
  for (int64_t i = 1; i <= 5; i++)
    assert_false(backlog_report(&backlog, 600 * BUS_SECOND, NOW + i * BUS_SECOND));
  assert_int_equal(backlog_age(&backlog), 15 * BUS_SECOND); /* a second and the slack, five times */
  assert_false(backlog_is_behind(&backlog, NOW + 5 * BUS_SECOND));
}

TEST(without_a_limit_it_is_never_behind)
{
  struct backlog backlog = backlog_of(0);
  assert_false(backlog_report(&backlog, BUS_HOUR, NOW));
  assert_false(backlog_is_behind(&backlog, NOW));
}
