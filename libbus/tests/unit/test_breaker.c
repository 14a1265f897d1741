/* bus/breaker.h: failing and hanging calls that open a breaker, and those that do not, in virtual time. */
#include "breaker_rig.h"

#include "test.h"

/* ---- when it opens ---- */

TEST(breaker_opens_when_enough_subjects_failed_and_nothing_succeeded)
{
  begin(&defaults);
  fail_subjects(0, 4);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(4);
  assert_state(BUS_BREAKER_OPEN);
  assert_false(try_call(5));
}

TEST(breaker_stays_closed_when_one_subject_fails_again_and_again)
{
  begin(&defaults);
  succeed(9);
  for (int i = 0; i < 100; i++) {
    fail_subject(1);
    now += 50 * MS;
    assert_state(BUS_BREAKER_CLOSED);
  }
}

TEST(breaker_stays_closed_when_a_few_bad_subjects_fail_among_good_ones)
{
  begin(&defaults);
  for (uint64_t i = 0; i < 600; i++) { /* 10 s at 60 a second: six bad subjects, each tried three times */
    succeed(100 + i);
    if (i % 33 == 0)
      fail_subject(i / 33 % 6);
    now += 16 * MS;
    assert_state(BUS_BREAKER_CLOSED);
  }
}

TEST(breaker_stays_closed_at_one_percent_of_any_rate)
{
  static const int64_t pauses[] = {100, 1000, 16000, 200000, 3000000}; /* µs between calls */
  for (size_t rate = 0; rate < BUS_COUNT(pauses); rate++) {
    begin(&defaults);
    for (uint64_t i = 0; i < 50000; i++) {
      uint64_t subject = i % CALLS;
      assert_true(try_call(subject));
      calls[subject].subject = i; /* each is a subject of its own */
      end_call(subject, i % 100 != 0);
      now += pauses[rate];
    }
    assert_state(BUS_BREAKER_CLOSED);
  }
}

TEST(breaker_opens_at_its_share_of_the_subjects)
{
  begin(&defaults);
  succeed_subjects(100, 6);
  fail_subjects(0, 5);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(5); /* six of twelve */
  assert_state(BUS_BREAKER_OPEN);
  struct bus_breaker_settings tenth = defaults;
  tenth.share_percent = 10;
  begin(&tenth);
  succeed_subjects(100, 46);
  fail_subjects(0, 5);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(5); /* six of 52 */
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_opens_when_calls_of_one_subject_fail_and_nothing_succeeds)
{
  begin(&defaults);
  for (int i = 0; i < 4; i++)
    fail_subject(1);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(1);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_counts_no_success_from_before_the_window)
{
  begin(&defaults);
  succeed_subjects(100, 50);
  now += 11 * BUS_SECOND;
  fail_subjects(0, 4);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(4);
  assert_state(BUS_BREAKER_OPEN);
}

/* One new success keeps the breaker from opening because every call fails: the share decides. */
TEST(breaker_takes_no_share_of_successes_from_before_the_window)
{
  begin(&defaults);
  succeed_subjects(100, 50);
  now += defaults.window / 2;
  succeed(200);
  now += defaults.window / 2 + defaults.window / BUS_BREAKER_SPANS;
  fail_subjects(0, 4);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(4);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_failures_leave_the_window)
{
  begin(&defaults);
  fail_subjects(0, 4);
  now += defaults.window + 1;
  fail_subjects(10, 4);
  assert_state(BUS_BREAKER_CLOSED);
  now += defaults.window;
  fail_subject(20);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_counts_an_subject_that_failed_and_then_succeeded_as_failed)
{
  begin(&defaults);
  for (uint64_t subject = 0; subject < 4; subject++) {
    fail_subject(subject);
    succeed(subject);
  }
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(4); /* five of five subjects failed */
  assert_state(BUS_BREAKER_OPEN);
}

/* More subjects fail than it remembers: then it looks at the time since the oldest that it remembers. */
TEST(breaker_keeps_the_share_when_it_forgets_failures)
{
  begin(&defaults);
  for (uint64_t i = 0; i < 100000; i++) {
    uint64_t subject = i % CALLS;
    assert_true(try_call(subject));
    calls[subject].subject = i;
    end_call(subject, i % 5 < 3); /* two of five fail */
    now += 10;
  }
  assert_state(BUS_BREAKER_CLOSED);
  for (uint64_t i = 0; i < 200 && bus_breaker_state(&breaker, now) == BUS_BREAKER_CLOSED; i++) {
    assert_true(try_call(i));
    calls[i].subject = 1000000 + i;
    end_call(i, i % 5 == 0); /* four of five fail */
  }
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_threshold_one_and_largest)
{
  struct bus_breaker_settings one = defaults, most = defaults;
  one.threshold = one.success_threshold = 1;
  most.threshold = BUS_BREAKER_THRESHOLD_MAX;
  begin(&one);
  fail_subject(1);
  assert_state(BUS_BREAKER_OPEN);
  begin(&most);
  fail_subjects(0, BUS_BREAKER_THRESHOLD_MAX - 1);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(BUS_BREAKER_THRESHOLD_MAX);
  assert_state(BUS_BREAKER_OPEN);
}

/* ---- calls that run ---- */

TEST(breaker_opens_while_calls_hang)
{
  begin_with_limit(7 * BUS_SECOND);
  for (uint64_t subject = 0; subject < 5; subject++)
    assert_true(try_call(subject));
  now += 3500 * MS;
  assert_state(BUS_BREAKER_CLOSED);
  now += 1;
  assert_state(BUS_BREAKER_OPEN);
  for (uint64_t subject = 0; subject < 5; subject++)
    assert_true(calls[subject].late);
}

TEST(breaker_takes_a_slow_success_for_a_success)
{
  begin_with_limit(7 * BUS_SECOND);
  for (uint64_t subject = 0; subject < 4; subject++)
    assert_true(try_call(subject));
  now += 4 * BUS_SECOND;
  for (uint64_t subject = 0; subject < 4; subject++)
    end_call(subject, true);
  fail_subjects(10, 4);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(14); /* five of nine */
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_counts_a_late_call_once)
{
  begin_with_limit(7 * BUS_SECOND);
  for (uint64_t subject = 0; subject < 4; subject++)
    assert_true(try_call(subject));
  now += 4 * BUS_SECOND;
  assert_state(BUS_BREAKER_CLOSED);
  for (uint64_t subject = 0; subject < 4; subject++)
    end_call(subject, false);
  assert_state(BUS_BREAKER_CLOSED);
  assert_int_equal(breaker.failed_call_count, 4);
  assert_int_equal(breaker.failure_count, 4);
}

TEST(breaker_forgets_a_failure_by_its_own_time_when_a_late_call_of_its_subject_succeeds)
{
  begin_with_limit(7 * BUS_SECOND);
  fail_subject(1);
  now += 2 * BUS_SECOND;
  assert_true(try_call(1));
  now += 4 * BUS_SECOND; /* the call is late: a failure until it ends */
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(2);
  end_call(1, true);
  assert_int_equal(breaker.failure_count, 2);
  assert_true(breaker.failures[0].subject == calls[1].subject && breaker.failures[0].at < breaker.failures[1].at);
  now += 5 * BUS_SECOND; /* 11 s after it failed, 9 s after it was late */
  fail_subjects(3, 3);
  assert_state(BUS_BREAKER_CLOSED); /* four of five */
  fail_subject(6);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_without_a_limit_waits_for_the_end)
{
  begin(&defaults);
  for (uint64_t subject = 0; subject < 5; subject++)
    assert_true(try_call(subject));
  now += BUS_HOUR;
  assert_state(BUS_BREAKER_CLOSED);
  for (uint64_t subject = 0; subject < 5; subject++)
    end_call(subject, true);
}

TEST(breaker_defaults)
{
  assert_int_equal(defaults.threshold, 5);
  assert_int_equal(defaults.share_percent, 50);
  assert_true(defaults.window == 10 * BUS_SECOND && defaults.open_for == 30 * BUS_SECOND);
  assert_true(defaults.first_rest == BUS_SECOND);
  assert_int_equal(defaults.success_threshold, 2);
}

TEST(breaker_subject_is_the_hash_of_an_id)
{
  assert_true(bus_breaker_subject("A", 1) == bus_breaker_subject("A", 1));
  assert_true(bus_breaker_subject("A", 1) != bus_breaker_subject("B", 1));
  assert_true(bus_breaker_subject("", 0) == UINT64_C(14695981039346656037));
}

TEST(breaker_state_names)
{
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_CLOSED), "closed");
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_HALF_OPEN), "half-open");
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_OPEN), "open");
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_STATES), "?");
}
