/* bus/breaker.h: sequences of answers against virtual time. */
#include <bus/breaker.h>
#include <bus/uuid.h>

#include "test.h"

/* Runs a script, one letter a step: F failure, S success, A allowed, R refused, '.' 100 ms pass, ' ' nothing. */
static void run(struct bus_breaker *breaker, int64_t *now, const char *script) {
  for (const char *step = script; *step; step++) {
    bool allowed;
    switch (*step) {
    case 'F':
      bus_breaker_failure(breaker, *now);
      break;
    case 'S':
      bus_breaker_success(breaker, *now);
      break;
    case 'A':
    case 'R':
      allowed = bus_breaker_allow(breaker, *now);
      if (allowed != (*step == 'A'))
        fail_msg("%s: step %d, state %s", script, (int)(step - script), bus_breaker_state_name(breaker->state));
      break;
    case '.':
      *now += 100 * BUS_MILLISECOND;
      break;
    default:
      break;
    }
  }
}

static const struct bus_breaker_settings settings = {
    .threshold = 3, .window = BUS_SECOND, .open_for = 500 * BUS_MILLISECOND, .success_threshold = 2};

static void assert_script(const char *script, enum bus_breaker_state expected) {
  struct bus_breaker breaker;
  int64_t now = 77 * BUS_SECOND;
  bus_breaker_init(&breaker, &settings);
  run(&breaker, &now, script);
  assert_string_equal(bus_breaker_state_name(bus_breaker_state(&breaker, now)), bus_breaker_state_name(expected));
}

TEST(breaker_opens_at_the_threshold)
{
  assert_script("A", BUS_BREAKER_CLOSED);
  assert_script("AF AF", BUS_BREAKER_CLOSED);
  assert_script("AF AF AF R", BUS_BREAKER_OPEN);
}

TEST(breaker_failures_leave_the_window)
{
  assert_script("AF..... AF...... AF A", BUS_BREAKER_CLOSED);
  assert_script("AF..... AF..... AF R", BUS_BREAKER_OPEN); /* exactly the window */
  assert_script("AF..... AF...... AF AF R", BUS_BREAKER_OPEN);
}

TEST(breaker_successes_between_do_not_hide_failures)
{ assert_script("AF AS AF AS AS AF R", BUS_BREAKER_OPEN); }

TEST(breaker_rests_then_probes)
{
  assert_script("AF AF AF .... R", BUS_BREAKER_OPEN);
  assert_script("AF AF AF .....", BUS_BREAKER_HALF_OPEN);
  assert_script("AF AF AF ..... A A R R", BUS_BREAKER_HALF_OPEN);
}

TEST(breaker_closes_after_enough_successes)
{
  assert_script("AF AF AF ..... A S", BUS_BREAKER_HALF_OPEN);
  assert_script("AF AF AF ..... A S A S A", BUS_BREAKER_CLOSED);
  assert_script("AF AF AF ..... A A S S A A A", BUS_BREAKER_CLOSED);
  assert_script("AF AF AF ..... A S A R", BUS_BREAKER_HALF_OPEN);
}

TEST(breaker_failed_probe_opens_again)
{
  assert_script("AF AF AF ..... A F R", BUS_BREAKER_OPEN);
  assert_script("AF AF AF ..... A S A F R", BUS_BREAKER_OPEN);
  assert_script("AF AF AF ..... A F .... R . A", BUS_BREAKER_HALF_OPEN);
  assert_script("AF AF AF ..... A F ..... A S A S A", BUS_BREAKER_CLOSED);
}

TEST(breaker_closed_again_counts_from_zero)
{
  assert_script("AF AF AF ..... A S A S AF AF A", BUS_BREAKER_CLOSED);
  assert_script("AF AF AF ..... A S A S AF AF AF R", BUS_BREAKER_OPEN);
}

/* Calls from before it opened answer late. */
TEST(breaker_late_answers_do_not_count)
{
  assert_script("A A A A A F F F F S S R", BUS_BREAKER_OPEN);
  assert_script("A A A A A F F F ..... S S A A R", BUS_BREAKER_HALF_OPEN);
  struct bus_breaker breaker;
  int64_t now = 0;
  bus_breaker_init(&breaker, &settings);
  run(&breaker, &now, "A A A A F F F ..... A S");
  bus_breaker_failure(&breaker, now); /* nobody probes: the fourth call of before */
  assert_int_equal(breaker.state, BUS_BREAKER_HALF_OPEN);
  assert_int_equal(breaker.probes, 0);
}

TEST(breaker_late_failure_does_not_prolong_the_rest)
{ assert_script("A A A A F F F .. F ...", BUS_BREAKER_HALF_OPEN); }

TEST(breaker_retry_at)
{
  struct bus_breaker breaker;
  int64_t now = BUS_SECOND;
  bus_breaker_init(&breaker, &settings);
  assert_true(bus_breaker_retry_at(&breaker, now) == now);
  run(&breaker, &now, "AFAFAF");
  int64_t opened = now;
  assert_true(bus_breaker_retry_at(&breaker, now) == opened + settings.open_for);
  run(&breaker, &now, "..");
  assert_true(bus_breaker_retry_at(&breaker, now) == opened + settings.open_for);
  run(&breaker, &now, "...");
  assert_true(bus_breaker_retry_at(&breaker, now) == now);
}

TEST(breaker_threshold_one_and_largest)
{
  struct bus_breaker_settings one = settings, most = settings;
  struct bus_breaker breaker;
  one.threshold = one.success_threshold = 1;
  most.threshold = BUS_BREAKER_THRESHOLD_MAX;
  bus_breaker_init(&breaker, &one);
  bus_breaker_failure(&breaker, 0);
  assert_int_equal(breaker.state, BUS_BREAKER_OPEN);
  bus_breaker_init(&breaker, &most);
  for (int i = 1; i < BUS_BREAKER_THRESHOLD_MAX; i++)
    bus_breaker_failure(&breaker, i);
  assert_int_equal(breaker.state, BUS_BREAKER_CLOSED);
  bus_breaker_failure(&breaker, BUS_BREAKER_THRESHOLD_MAX);
  assert_int_equal(breaker.state, BUS_BREAKER_OPEN);
}

TEST(breaker_ring_wraps_many_times)
{
  struct bus_breaker breaker;
  bus_breaker_init(&breaker, &settings);
  for (int64_t i = 0; i < 1000; i++) { /* two failures in any window */
    bus_breaker_failure(&breaker, i * 501 * BUS_MILLISECOND);
    assert_int_equal(breaker.state, BUS_BREAKER_CLOSED);
  }
  int64_t now = 999 * 501 * BUS_MILLISECOND;
  bus_breaker_failure(&breaker, now);
  assert_int_equal(breaker.state, BUS_BREAKER_OPEN);
}

/* Whatever happens to it: as many as it says may go, and then none. */
TEST(breaker_says_how_many_may_go)
{
  enum { MANY = 4 };
  struct bus_breaker breaker;
  struct bus_uuid_source source;
  bus_uuid_source_init(&source, (const uint64_t[4]){1, 2, 3, 4});
  bus_breaker_init(&breaker, &settings);
  int64_t now = 0, under_way = 0, seen[MANY + 1] = {0};
  for (int step = 0; step < 20000; step++) {
    uint64_t random = bus_uuid_source_random(&source);
    struct bus_breaker tried = breaker;
    size_t room = bus_breaker_room(&breaker, now), gone = 0;
    while (gone < MANY && bus_breaker_allow(&tried, now))
      gone++;
    assert_int_equal(gone, room < MANY ? room : MANY);
    seen[gone]++;
    now += (int64_t)(random >> 32) % (settings.open_for / 3);
    if (random % 2 > 0 && bus_breaker_allow(&breaker, now)) {
      under_way++;
    } else if (under_way > 0) {
      under_way--;
      (random % 5 < 3 ? bus_breaker_success : bus_breaker_failure)(&breaker, now);
    }
  }
  assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0 && seen[3] == 0 && seen[MANY] > 0);
}

TEST(breaker_defaults)
{
  struct bus_breaker_settings defaults = BUS_BREAKER_DEFAULTS;
  assert_int_equal(defaults.threshold, 5);
  assert_true(defaults.window == 10 * BUS_SECOND && defaults.open_for == 30 * BUS_SECOND);
  assert_int_equal(defaults.success_threshold, 2);
}

TEST(breaker_state_names)
{
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_CLOSED), "closed");
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_OPEN), "open");
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_HALF_OPEN), "half-open");
}
