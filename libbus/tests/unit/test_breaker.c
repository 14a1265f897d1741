/* bus/breaker.h: calls for items, and their ends, in virtual time. */
#include <bus/breaker.h>
#include <bus/uuid.h>

#include "test.h"

enum { CALLS = 1000 };
#define MS BUS_MILLISECOND

static const struct bus_breaker_settings defaults = BUS_BREAKER_DEFAULTS;
static struct bus_breaker breaker;
static struct bus_breaker_call calls[CALLS]; /* of the item with that number */
static int64_t now;

static void begin(const struct bus_breaker_settings *settings) {
  bus_breaker_init(&breaker, settings);
  now = 77 * BUS_SECOND;
}

static void begin_with_limit(int64_t time_limit) {
  struct bus_breaker_settings settings = defaults;
  settings.time_limit = time_limit;
  begin(&settings);
}

static bool try_as(uint64_t item, enum bus_breaker_past past) {
  return bus_breaker_begin(&breaker, &calls[item], item, past, now);
}

static bool try_call(uint64_t item) {
  return try_as(item, BUS_BREAKER_FRESH);
}

static void end_call(uint64_t item, bool works) {
  bus_breaker_end(&breaker, &calls[item], works, now);
}

static void fail_item(uint64_t item) {
  assert_true(try_call(item));
  end_call(item, false);
}

static void succeed(uint64_t item) {
  assert_true(try_call(item));
  end_call(item, true);
}

static void fail_items(uint64_t first, uint64_t count) {
  for (uint64_t item = first; item < first + count; item++)
    fail_item(item);
}

static void succeed_items(uint64_t first, uint64_t count) {
  for (uint64_t item = first; item < first + count; item++)
    succeed(item);
}

static void assert_state(enum bus_breaker_state expected) {
  assert_string_equal(bus_breaker_state_name(bus_breaker_state(&breaker, now)), bus_breaker_state_name(expected));
}

/* ---- when it opens ---- */

TEST(breaker_opens_when_enough_items_failed_and_nothing_succeeded)
{
  begin(&defaults);
  fail_items(0, 4);
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(4);
  assert_state(BUS_BREAKER_OPEN);
  assert_false(try_call(5));
}

TEST(breaker_stays_closed_when_one_item_fails_again_and_again)
{
  begin(&defaults);
  succeed(9);
  for (int i = 0; i < 100; i++) {
    fail_item(1);
    now += 50 * MS;
    assert_state(BUS_BREAKER_CLOSED);
  }
}

TEST(breaker_stays_closed_when_a_few_bad_items_fail_among_good_ones)
{
  begin(&defaults);
  for (uint64_t i = 0; i < 600; i++) { /* 10 s at 60 a second: six bad items, each tried three times */
    succeed(100 + i);
    if (i % 33 == 0)
      fail_item(i / 33 % 6);
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
      uint64_t item = i % CALLS;
      assert_true(try_call(item));
      calls[item].item = i; /* each is an item of its own */
      end_call(item, i % 100 != 0);
      now += pauses[rate];
    }
    assert_state(BUS_BREAKER_CLOSED);
  }
}

TEST(breaker_opens_at_its_share_of_the_items)
{
  begin(&defaults);
  succeed_items(100, 6);
  fail_items(0, 5);
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(5); /* six of twelve */
  assert_state(BUS_BREAKER_OPEN);
  struct bus_breaker_settings tenth = defaults;
  tenth.share_percent = 10;
  begin(&tenth);
  succeed_items(100, 46);
  fail_items(0, 5);
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(5); /* six of 52 */
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_opens_when_calls_of_one_item_fail_and_nothing_succeeds)
{
  begin(&defaults);
  for (int i = 0; i < 4; i++)
    fail_item(1);
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(1);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_counts_no_success_from_before_the_window)
{
  begin(&defaults);
  succeed_items(100, 50);
  now += 11 * BUS_SECOND;
  fail_items(0, 4);
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(4);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_failures_leave_the_window)
{
  begin(&defaults);
  fail_items(0, 4);
  now += defaults.window + 1;
  fail_items(10, 4);
  assert_state(BUS_BREAKER_CLOSED);
  now += defaults.window;
  fail_item(20);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_counts_an_item_that_failed_and_then_succeeded_as_failed)
{
  begin(&defaults);
  for (uint64_t item = 0; item < 4; item++) {
    fail_item(item);
    succeed(item);
  }
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(4); /* five of five items failed */
  assert_state(BUS_BREAKER_OPEN);
}

/* More items fail than it remembers: then it looks at the time since the oldest that it remembers. */
TEST(breaker_keeps_the_share_when_it_forgets_failures)
{
  begin(&defaults);
  for (uint64_t i = 0; i < 100000; i++) {
    uint64_t item = i % CALLS;
    assert_true(try_call(item));
    calls[item].item = i;
    end_call(item, i % 5 < 3); /* two of five fail */
    now += 10;
  }
  assert_state(BUS_BREAKER_CLOSED);
  for (uint64_t i = 0; i < 200 && bus_breaker_state(&breaker, now) == BUS_BREAKER_CLOSED; i++) {
    assert_true(try_call(i));
    calls[i].item = 1000000 + i;
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
  fail_item(1);
  assert_state(BUS_BREAKER_OPEN);
  begin(&most);
  fail_items(0, BUS_BREAKER_THRESHOLD_MAX - 1);
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(BUS_BREAKER_THRESHOLD_MAX);
  assert_state(BUS_BREAKER_OPEN);
}

/* ---- calls that run ---- */

TEST(breaker_opens_while_calls_hang)
{
  begin_with_limit(7 * BUS_SECOND);
  for (uint64_t item = 0; item < 5; item++)
    assert_true(try_call(item));
  now += 3500 * MS;
  assert_state(BUS_BREAKER_CLOSED);
  now += 1;
  assert_state(BUS_BREAKER_OPEN);
  for (uint64_t item = 0; item < 5; item++)
    assert_true(calls[item].late);
}

TEST(breaker_takes_a_slow_success_for_a_success)
{
  begin_with_limit(7 * BUS_SECOND);
  for (uint64_t item = 0; item < 4; item++)
    assert_true(try_call(item));
  now += 4 * BUS_SECOND;
  for (uint64_t item = 0; item < 4; item++)
    end_call(item, true);
  fail_items(10, 4);
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(14); /* five of nine */
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_counts_a_late_call_once)
{
  begin_with_limit(7 * BUS_SECOND);
  for (uint64_t item = 0; item < 4; item++)
    assert_true(try_call(item));
  now += 4 * BUS_SECOND;
  assert_state(BUS_BREAKER_CLOSED);
  for (uint64_t item = 0; item < 4; item++)
    end_call(item, false);
  assert_state(BUS_BREAKER_CLOSED);
  assert_int_equal(breaker.failed_call_count, 4);
  assert_int_equal(breaker.failure_count, 4);
}

TEST(breaker_without_a_limit_waits_for_the_end)
{
  begin(&defaults);
  for (uint64_t item = 0; item < 5; item++)
    assert_true(try_call(item));
  now += BUS_HOUR;
  assert_state(BUS_BREAKER_CLOSED);
  for (uint64_t item = 0; item < 5; item++)
    end_call(item, true);
}

/* ---- rests and probes ---- */

static void open_it(void) {
  fail_items(900, 5);
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
    fail_item(i);
  }
}

TEST(breaker_rests_no_longer_than_it_may)
{
  struct bus_breaker_settings settings = defaults;
  settings.open_for = 300 * MS;
  begin(&settings);
  open_it();
  now += 300 * MS;
  fail_item(1);
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
  fail_items(10, 4); /* from zero again */
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(14);
  assert_state(BUS_BREAKER_OPEN);
}

TEST(breaker_remembers_what_succeeded_before_it_opened)
{
  begin(&defaults);
  succeed_items(100, 20);
  fail_items(0, 20); /* half of forty */
  assert_state(BUS_BREAKER_OPEN);
  now += BUS_SECOND;
  succeed(50);
  succeed(51);
  fail_items(200, 21);
  assert_state(BUS_BREAKER_CLOSED);
  fail_item(221); /* 22 of 44 */
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

TEST(breaker_sends_items_that_never_failed_before_those_that_did)
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

TEST(breaker_bad_items_that_are_probed_never_delay_a_good_one)
{
  begin_with_limit(7 * BUS_SECOND);
  open_it();
  now += BUS_SECOND;
  for (int i = 0; i < 10; i++) { /* nothing but bad items, for minutes: failing, and hanging */
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

TEST(breaker_rests_longer_for_items_that_failed)
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

TEST(breaker_closes_by_successes_of_items_that_failed_before)
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

/* A dependency that refuses each item at first: the second try of the others shows that it works. */
TEST(breaker_lets_items_that_failed_probe_though_fresh_ones_fail)
{
  begin(&defaults);
  open_it();
  now += BUS_SECOND;
  fail_item(1);
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
    fail_item(1); /* a ping is no success */
  assert_state(BUS_BREAKER_OPEN);
  now += BUS_SECOND;
  assert_state(BUS_BREAKER_HALF_OPEN);
  bus_breaker_alive(&breaker, now);
  assert_state(BUS_BREAKER_CLOSED);
  bus_breaker_alive(&breaker, now);
  assert_state(BUS_BREAKER_CLOSED);
}

/* ---- calls from before a change ---- */

TEST(breaker_late_answers_of_before_are_no_probes)
{
  begin(&defaults);
  for (uint64_t item = 0; item < 20; item++)
    assert_true(try_call(item));
  for (uint64_t item = 0; item < 5; item++)
    end_call(item, false);
  assert_state(BUS_BREAKER_OPEN);
  for (uint64_t item = 5; item < 10; item++)
    end_call(item, true);
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
  for (uint64_t item = 0; item < 8; item++)
    assert_true(try_call(item));
  for (uint64_t item = 0; item < 4; item++)
    bus_breaker_drop(&breaker, &calls[item], now);
  now += 4 * BUS_SECOND;
  assert_state(BUS_BREAKER_CLOSED); /* the other four are late */
  for (uint64_t item = 4; item < 8; item++)
    bus_breaker_drop(&breaker, &calls[item], now);
  assert_int_equal(breaker.failure_count, 0);
  open_it();
  now += BUS_SECOND;
  assert_true(try_call(1));
  bus_breaker_drop(&breaker, &calls[1], now);
  assert_state(BUS_BREAKER_HALF_OPEN);
  assert_int_equal(bus_breaker_room(&breaker, BUS_BREAKER_FRESH, now), 2);
}

/* Whatever happens to it: as many as it says may go, and then none. */
TEST(breaker_says_how_many_may_go)
{
  enum { MANY = 4, STEPS = 20000 };
  static struct bus_breaker_call tries[MANY], under_way[64];
  struct bus_uuid_source source;
  int64_t seen[MANY + 1] = {0};
  uint64_t item = 1000; /* each try is for another */
  size_t count = 0;
  bus_uuid_source_init(&source, (const uint64_t[4]){1, 2, 3, 4});
  begin_with_limit(3 * BUS_SECOND);
  for (int step = 0; step < STEPS; step++) {
    uint64_t random = bus_uuid_source_random(&source);
    enum bus_breaker_past past = random >> 8 & 1 ? BUS_BREAKER_FAILED : BUS_BREAKER_FRESH;
    size_t room = bus_breaker_room(&breaker, past, now), gone = 0;
    while (gone < MANY && bus_breaker_begin(&breaker, &tries[gone], ++item, past, now))
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

TEST(breaker_defaults)
{
  assert_int_equal(defaults.threshold, 5);
  assert_int_equal(defaults.share_percent, 50);
  assert_true(defaults.window == 10 * BUS_SECOND && defaults.open_for == 30 * BUS_SECOND);
  assert_true(defaults.first_rest == BUS_SECOND);
  assert_int_equal(defaults.success_threshold, 2);
}

TEST(breaker_item_is_the_hash_of_an_id)
{
  assert_true(bus_breaker_item("A", 1) == bus_breaker_item("A", 1));
  assert_true(bus_breaker_item("A", 1) != bus_breaker_item("B", 1));
  assert_true(bus_breaker_item("", 0) == UINT64_C(14695981039346656037));
}

TEST(breaker_state_names)
{
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_CLOSED), "closed");
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_HALF_OPEN), "half-open");
  assert_string_equal(bus_breaker_state_name(BUS_BREAKER_OPEN), "open");
}
