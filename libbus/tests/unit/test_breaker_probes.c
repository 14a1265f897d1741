/* bus/breaker.h: rests, probes, and calls that began before the breaker changed its state, in virtual time. */
#include "breaker_rig.h"

#include <bus/uuid.h>

#include "test.h"

/* ---- rests and probes ---- */

static void open_it(void) {
  fail_subjects(900, 5);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_rests_a_second_first_and_twice_as_long_after_each_failed_probe)
{
  static const int64_t rests[] = {1, 2, 4, 8, 16, 30, 30};
  begin(&defaults);
  open_it();
  for (size_t i = 0; i < BUS_COUNT(rests); i++) {
    now += rests[i] * BUS_SECOND - 1;
    assert_state(BUS_BREAKER_OPEN);
    assert_true(bus_breaker_retry_at(&breaker, 500, BUS_BREAKER_FRESH, now) == now + 1);
    now += 1;
    assert_state(BUS_BREAKER_HALF_OPEN);
    assert_true(bus_breaker_retry_at(&breaker, 500, BUS_BREAKER_FRESH, now) == now);
    fail_subject(i);
  }
}

TEST(breaker_rests_no_longer_than_it_may)
{
  struct bus_breaker_settings settings = defaults;
  settings.open_for = 300 * MS;
  begin(&settings);
  open_it();
  now += 300 * MS;
  fail_subject(1);
  now += 300 * MS;
  assert_state(BUS_BREAKER_HALF_OPEN);
}

TEST(breaker_closes_after_enough_successes)
{
  begin(&defaults);
  open_it();
  now += BUS_SECOND;
  assert_true(try_call(1));
  assert_true(try_call(2));
  assert_false(try_call(3));
  end_call(1, true);
  assert_state(BUS_BREAKER_HALF_OPEN);
  end_call(2, true);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subjects(10, 4); /* from zero again */
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(14);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_remembers_what_succeeded_before_it_opened)
{
  begin(&defaults);
  succeed_subjects(100, 20);
  fail_subjects(0, 20); /* half of forty */
  assert_state(BUS_BREAKER_OPEN);
  now += BUS_SECOND;
  succeed(50);
  succeed(51);
  fail_subjects(200, 21);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(221); /* 22 of 44 */
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_doubles_its_rest_once_for_probes_that_fail_together)
{
  begin(&defaults);
  open_it();
  now += BUS_SECOND;
  assert_true(try_call(1));
  assert_true(try_call(2));
  end_call(1, false);
  end_call(2, false);
  now += 2 * BUS_SECOND;
  assert_state(BUS_BREAKER_HALF_OPEN);
}

TEST(breaker_takes_a_hanging_probe_for_a_failed_one)
{
  begin_with_limit(2 * BUS_SECOND);
  open_it();
  now += BUS_SECOND;
  assert_true(try_call(1));
  assert_true(try_call(2));
  now += BUS_SECOND + 1;
  assert_state(BUS_BREAKER_OPEN);
  now += 2 * BUS_SECOND;
  assert_state(BUS_BREAKER_HALF_OPEN);
  assert_true(try_call(3));
  end_call(1, true); /* late, and an answer all the same */
  end_call(3, true);
  assert_state(BUS_BREAKER_CLOSED);
  end_call(2, false);
  assert_state(BUS_BREAKER_CLOSED);
}

TEST(breaker_sends_subjects_that_never_failed_before_those_that_did)
{
  begin(&defaults);
  open_it();
  now += BUS_SECOND;
  assert_int_equal(bus_breaker_room(&breaker, BUS_BREAKER_FRESH, now), 2);
  assert_true(try_call(1));
  assert_int_equal(bus_breaker_room(&breaker, BUS_BREAKER_FAILED, now), 0);
  assert_false(try_as(2, BUS_BREAKER_FAILED));
  assert_false(try_call(900)); /* failed within the window, whatever the caller knows */
  assert_true(try_call(3));
  end_call(1, true);
  end_call(3, true);
  assert_state(BUS_BREAKER_CLOSED);
}

TEST(breaker_bad_subjects_that_are_probed_never_delay_a_good_one)
{
  begin_with_limit(7 * BUS_SECOND);
  open_it();
  now += BUS_SECOND;
  for (int i = 0; i < 10; i++) { /* nothing but bad subjects, for minutes: failing, and hanging */
    assert_true(try_as(1, BUS_BREAKER_FAILED));
    if (i % 2 == 0)
      end_call(1, false);
    assert_true(bus_breaker_room(&breaker, BUS_BREAKER_FRESH, now) == 2);
    now += 40 * BUS_SECOND;
    assert_state(BUS_BREAKER_HALF_OPEN);
    if (i % 2 > 0)
      end_call(1, false);
    assert_true(bus_breaker_room(&breaker, BUS_BREAKER_FRESH, now) == 2);
  }
  assert_true(try_as(1, BUS_BREAKER_FAILED));
  assert_true(try_as(2, BUS_BREAKER_FAILED));
  succeed(3);
  succeed(4);
  assert_state(BUS_BREAKER_CLOSED);
}

TEST(breaker_rests_longer_for_subjects_that_failed)
{
  begin(&defaults);
  open_it();
  now += BUS_SECOND;
  assert_true(try_as(1, BUS_BREAKER_FAILED));
  end_call(1, false);
  assert_true(bus_breaker_retry_at(&breaker, 2, BUS_BREAKER_FAILED, now) == now + 2 * BUS_SECOND);
  assert_true(bus_breaker_retry_at(&breaker, 2, BUS_BREAKER_FRESH, now) == now);
  assert_true(bus_breaker_retry_at(&breaker, 1, BUS_BREAKER_FRESH, now) == now + 2 * BUS_SECOND);
}

TEST(breaker_closes_by_successes_of_subjects_that_failed_before)
{
  begin(&defaults);
  open_it();
  now += BUS_SECOND;
  assert_true(try_as(1, BUS_BREAKER_FAILED));
  assert_true(try_as(2, BUS_BREAKER_FAILED));
  assert_false(try_as(3, BUS_BREAKER_FAILED));
  end_call(1, true);
  end_call(2, true);
  assert_state(BUS_BREAKER_CLOSED);
}

/* A dependency that refuses each subject at first: the second try of the others shows that it works. */
TEST(breaker_lets_subjects_that_failed_probe_though_fresh_ones_fail)
{
  begin(&defaults);
  open_it();
  now += BUS_SECOND;
  fail_subject(1);
  assert_state(BUS_BREAKER_OPEN);
  assert_true(try_as(2, BUS_BREAKER_FAILED));
  assert_true(try_as(3, BUS_BREAKER_FAILED));
  end_call(2, true);
  end_call(3, true);
  assert_state(BUS_BREAKER_CLOSED);
}

TEST(breaker_is_closed_by_a_ping)
{
  begin(&defaults);
  open_it();
  bus_breaker_alive(&breaker, now);
  assert_state(BUS_BREAKER_CLOSED);
  for (int i = 0; i < 5; i++)
    fail_subject(1); /* a ping is no success */
  assert_state(BUS_BREAKER_OPEN);
  now += BUS_SECOND;
  assert_state(BUS_BREAKER_HALF_OPEN);
  bus_breaker_alive(&breaker, now);
  assert_state(BUS_BREAKER_CLOSED);
  bus_breaker_alive(&breaker, now);
  assert_state(BUS_BREAKER_CLOSED);
}

TEST(breaker_that_is_closed_may_be_tried_at_once)
{
  begin(&defaults);
  assert_true(bus_breaker_retry_at(&breaker, 1, BUS_BREAKER_FRESH, now) == now);
  open_it();
  assert_true(bus_breaker_retry_at(&breaker, 1, BUS_BREAKER_FRESH, now) == now + BUS_SECOND);
  now += BUS_SECOND;
  assert_true(bus_breaker_retry_at(&breaker, 1, BUS_BREAKER_FRESH, now) == now);
  bus_breaker_alive(&breaker, now);
  now -= 1;
  assert_true(bus_breaker_retry_at(&breaker, 1, BUS_BREAKER_FRESH, now) == now);
}

/* ---- calls from before a change ---- */

TEST(breaker_late_answers_of_before_are_no_probes)
{
  begin(&defaults);
  for (uint64_t subject = 0; subject < 20; subject++)
    assert_true(try_call(subject));
  for (uint64_t subject = 0; subject < 5; subject++)
    end_call(subject, false);
  assert_state(BUS_BREAKER_OPEN);
  for (uint64_t subject = 5; subject < 10; subject++)
    end_call(subject, true);
  assert_state(BUS_BREAKER_OPEN);
  now += BUS_SECOND;
  end_call(10, false); /* does not prolong the rest */
  assert_state(BUS_BREAKER_HALF_OPEN);
  assert_int_equal(bus_breaker_room(&breaker, BUS_BREAKER_FRESH, now), 2);
}

TEST(breaker_probe_of_an_earlier_opening_is_no_probe)
{
  begin(&defaults);
  open_it();
  now += BUS_SECOND;
  assert_true(try_call(1));
  bus_breaker_alive(&breaker, now);
  open_it();
  now += BUS_SECOND;
  assert_true(try_call(2));
  end_call(1, false);
  assert_state(BUS_BREAKER_HALF_OPEN);
  assert_int_equal(bus_breaker_room(&breaker, BUS_BREAKER_FRESH, now), 1);
  end_call(2, true);
}

TEST(breaker_counts_no_call_that_is_dropped)
{
  begin_with_limit(7 * BUS_SECOND);
  for (uint64_t subject = 0; subject < 8; subject++)
    assert_true(try_call(subject));
  for (uint64_t subject = 0; subject < 4; subject++)
    bus_breaker_drop(&breaker, &calls[subject], now);
  now += 4 * BUS_SECOND;
  assert_state(BUS_BREAKER_CLOSED); /* the other four are late */
  for (uint64_t subject = 4; subject < 8; subject++)
    bus_breaker_drop(&breaker, &calls[subject], now);
  assert_int_equal(breaker.failure_count, 0);
  open_it();
  now += BUS_SECOND;
  assert_true(try_call(1));
  bus_breaker_drop(&breaker, &calls[1], now);
  assert_state(BUS_BREAKER_HALF_OPEN);
  assert_int_equal(bus_breaker_room(&breaker, BUS_BREAKER_FRESH, now), 2);
}

/* The ping made the count of failed calls zero. */
TEST(breaker_forgets_no_failed_call_twice)
{
  begin_with_limit(7 * BUS_SECOND);
  for (uint64_t subject = 0; subject < 5; subject++)
    assert_true(try_call(subject));
  now += 4 * BUS_SECOND;
  assert_state(BUS_BREAKER_OPEN);
  bus_breaker_alive(&breaker, now);
  for (uint64_t subject = 0; subject < 5; subject++)
    bus_breaker_drop(&breaker, &calls[subject], now);
  assert_int_equal(breaker.failed_call_count, 0);
  fail_subjects(10, 4);
  assert_state(BUS_BREAKER_CLOSED);
  fail_subject(14);
  assert_state(BUS_BREAKER_OPEN);
}

/* Whatever happens to it: as many as it says may go, and then none. */
TEST(breaker_says_how_many_may_go)
{
  enum { MANY = 4, STEPS = 20000 };
  static struct bus_breaker_call tries[MANY], under_way[64];
  struct bus_uuid_source source;
  int64_t seen[MANY + 1] = {0};
  uint64_t subject = 1000; /* each try is for another */
  size_t count = 0;
  bus_uuid_source_init(&source, (const uint64_t[4]){1, 2, 3, 4});
  begin_with_limit(3 * BUS_SECOND);
  for (int step = 0; step < STEPS; step++) {
    uint64_t random = bus_uuid_source_random(&source);
    enum bus_breaker_past past = random >> 8 & 1 ? BUS_BREAKER_FAILED : BUS_BREAKER_FRESH;
    size_t room = bus_breaker_room(&breaker, past, now), gone = 0;
    while (gone < MANY && bus_breaker_begin(&breaker, &tries[gone], ++subject, past, now))
      gone++;
    assert_int_equal(gone, room < MANY ? room : MANY);
    seen[gone]++;
    while (gone-- > 0)
      bus_breaker_end(&breaker, &tries[gone], random >> (20 + gone) & 1, now);
    now += (int64_t)(random >> 32) % (300 * MS);
    if (random % 2 > 0 && count < BUS_COUNT(under_way) &&
        bus_breaker_begin(&breaker, &under_way[count], random >> 16 & 15, past, now))
      count++;
    else if (count > 0)
      bus_breaker_end(&breaker, &under_way[--count], random % 5 < 2, now);
  }
  assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0 && seen[3] == 0 && seen[MANY] > 0);
}
