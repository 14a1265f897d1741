/* pace.c: batches begin at once while messages are few, and apart from each other when they are many. */
#include "../core/pace.h"

#include <test.h>

#define WINDOW (8 * BUS_MILLISECOND)

/* So many batches of so many messages, so far apart; when the next one may begin, counted from the last one. */
static int64_t after(int batches, size_t count, int64_t apart) {
  struct pace pace = {.began_at = BUS_SECOND};
  for (int i = 1; i <= batches; i++)
    pace_begin(&pace, BUS_SECOND + i * apart, count, count);
  return pace_next(&pace, pace.rate, WINDOW, 16.0) - pace.began_at;
}

TEST(few_messages_wait_for_nobody)
{
  assert_int_equal(after(1000, 1, 1250), 0); /* 800 a second */
  assert_int_equal(after(100, 100, BUS_SECOND), 0);
}

TEST(many_messages_come_in_larger_batches)
{
  assert_int_equal(after(1000, 4, 1000), WINDOW); /* 4,000 a second */
  assert_int_equal(after(100, 100, 10 * BUS_MILLISECOND), WINDOW);
}

/* One crowd, after a pause or of a prefetch that was full, is no rate. */
TEST(one_crowd_is_not_enough)
{ assert_int_equal(after(1, 200, BUS_SECOND), 0); }

TEST(what_was_is_soon_forgotten)
{
  struct pace pace = {0};
  for (int64_t now = BUS_SECOND; now < 2 * BUS_SECOND; now += BUS_MILLISECOND)
    pace_begin(&pace, now, 10, 10);
  assert_true(pace_next(&pace, pace.rate, WINDOW, 16.0) > pace.began_at);
  pace_begin(&pace, 3 * BUS_SECOND, 1, 1);
  assert_int_equal(pace_next(&pace, pace.rate, WINDOW, 16.0), pace.began_at);
}

TEST(a_bundle_is_one_arrival_of_many_inputs)
{
  struct pace pace = {0};
  for (int64_t now = BUS_SECOND; now < 2 * BUS_SECOND; now += 10 * BUS_MILLISECOND)
    pace_begin(&pace, now, 50, 1);
  assert_in_range(pace.rate, 4900, 5000);
  assert_in_range(pace.arrivals, 98, 100);
}

TEST(no_window_no_wait)
{
  struct pace pace = {.began_at = 5, .rate = 1e6};
  assert_int_equal(pace_next(&pace, pace.rate, 0, 16.0), 5);
}

TEST(the_time_of_batches_is_a_mean_that_forgets)
{
  struct pace pace = {.began_at = BUS_SECOND};
  for (int i = 0; i < 40; i++)
    pace_end(&pace, BUS_SECOND + 8000);
  assert_in_range(pace.took, 7990, 8000);
  for (int i = 0; i < 8; i++)
    pace_end(&pace, BUS_SECOND + 400);
  assert_in_range(pace.took, 400, 1300);
}
