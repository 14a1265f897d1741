/* requester_publish.c: how long commands wait for others before they leave. */
#include "requester.h"

#include <bus/clock.h>

#include <test.h>

#define GATHER (10 * BUS_MILLISECOND)

static struct bus_pending command;

/* A command waits; the last batch began now. */
static struct bus_requester waiting(double rate) {
  return (struct bus_requester){.lock = PTHREAD_MUTEX_INITIALIZER,
                                .gather = GATHER,
                                .queue_first = &command,
                                .pace = {.began_at = bus_monotonic(), .rate = rate}};
}

static void assert_left(struct bus_requester *requester, int64_t after) {
  int64_t until = requester->pace.began_at + after, earliest = bus_monotonic();
  int64_t left = requester_gather_left(requester);
  int64_t least = until - bus_monotonic(), most = until - earliest;
  assert_in_range(left, least > 0 ? least : 0, most > 0 ? most : 0);
}

TEST(few_commands_do_not_wait)
{
  struct bus_requester requester = waiting(99.0); /* less than one in the time */
  assert_int_equal(requester_gather_left(&requester), 0);
}

TEST(commands_wait_for_others_and_half_as_long_where_many_come)
{
  static const struct {
    double rate;
    int64_t after;
  } cases[] = {{101.0, GATHER}, {1599.0, GATHER}, {1601.0, GATHER / 2}, {1e6, GATHER / 2}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct bus_requester requester = waiting(cases[i].rate);
    requester.pace.began_at += BUS_HOUR; /* however slow this machine is */
    assert_left(&requester, cases[i].after);
  }
}

TEST(commands_that_have_waited_leave)
{
  struct bus_requester requester = waiting(1e3);
  requester.pace.began_at -= GATHER;
  assert_int_equal(requester_gather_left(&requester), 0);
}

TEST(nothing_waits_without_time_to_gather_or_once_it_is_urgent)
{
  struct bus_requester requester = waiting(1e3);
  requester.pace.began_at += BUS_HOUR;
  assert_true(requester_gather_left(&requester) > 0);
  requester.urgent = true;
  assert_int_equal(requester_gather_left(&requester), 0);
  requester.urgent = false;
  requester.closing = true;
  assert_int_equal(requester_gather_left(&requester), 0);
  requester.closing = false;
  requester.gather = 0;
  assert_int_equal(requester_gather_left(&requester), 0);
  requester.gather = GATHER;
  requester.queue_first = NULL; /* nothing is there to wait */
  assert_int_equal(requester_gather_left(&requester), 0);
}

TEST(what_waits_stays_in_the_queue)
{
  struct bus_error err;
  struct bus_requester requester = waiting(1e3);
  requester.pace.began_at += BUS_HOUR;
  assert_true(requester_publish_queue(&requester, &err));
  assert_ptr_equal(requester.queue_first, &command);
  requester.queue_first = NULL;
  assert_true(requester_publish_queue(&requester, &err));
  assert_true(requester.pace.began_at > bus_monotonic()); /* no batch has begun */
}
