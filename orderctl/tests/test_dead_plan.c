/* dead_plan.c: which dead letters are alike, and when a re-drive goes on. */
#include "dead_plan.h"

#include <test.h>

static void assert_cause(const char *cause, const char *expected) {
  char text[DEAD_CAUSE_MAX];
  dead_cause(bus_str(cause), text);
  assert_string_equal(text, expected);
}

TEST(ids_are_no_part_of_a_cause)
{
  assert_cause("order 018f0000-0000-7000-8000-00000000f001 is gone", "order # is gone");
  assert_cause("SQLSTATE 23514: row breaks constraint lame", "SQLSTATE 23514: row breaks constraint lame");
  assert_cause("deadbeef has no digit, 1deadbee has", "deadbeef has no digit, # has");
  assert_cause("", "");
  char text[DEAD_CAUSE_MAX], whole[600];
  memset(whole, 'x', sizeof whole);
  dead_cause((struct bus_str){whole, sizeof whole}, text);
  assert_int_equal(strlen(text), DEAD_CAUSE_MAX - 1);
}

TEST(groups_are_of_one_queue_type_error_and_cause)
{
  const struct story_dead dead[] = {
      {.queue = {"a", 1}, .type = {"t", 1}, .error = {"E", 1}, .cause = BUS_STR("x 018f0000-0001"), .at = 20},
      {.queue = {"b", 1}, .type = {"t", 1}, .error = {"E", 1}, .cause = BUS_STR("x 018f0000-0002"), .at = 30},
      {.queue = {"a", 1},
       .type = {"t", 1},
       .error = {"E", 1},
       .cause = BUS_STR("x 018f0000-0003"),
       .at = 10,
       .forged = true},
      {.queue = {"a", 1}, .type = {"t", 1}, .error = {"F", 1}, .cause = BUS_STR("x 018f0000-0004"), .at = 40},
      {.queue = {"a", 1}, .type = {"u", 1}, .error = {"E", 1}, .cause = BUS_STR("x 018f0000-0005"), .at = 50},
  };
  struct dead_group groups[BUS_COUNT(dead)];
  assert_int_equal(dead_groups(dead, BUS_COUNT(dead), groups), 4);
  assert_int_equal(groups[0].count, 2);
  assert_int_equal(groups[0].forged, 1);
  assert_int_equal(groups[0].first, 10);
  assert_int_equal(groups[0].last, 20);
  assert_int_equal(groups[3].count, 1);
}

TEST(a_canary_must_be_taken_whole)
{
  static const struct {
    struct dead_watch watch;
    enum dead_step after, meanwhile;
  } cases[] = {
      {{.sent = 5, .taken = 5, .patience_ms = 1000}, DEAD_GO_ON, DEAD_GO_ON},
      {{.sent = 5, .taken = 4, .waited_ms = 999, .patience_ms = 1000}, DEAD_WAIT, DEAD_GO_ON},
      {{.sent = 5, .taken = 4, .waited_ms = 1000, .patience_ms = 1000}, DEAD_STOP_SILENT, DEAD_GO_ON},
      {{.sent = 5, .taken = 4, .failed = 1, .patience_ms = 1000}, DEAD_STOP_FAILED, DEAD_STOP_FAILED},
      {{.sent = 5, .taken = 5, .failed = 1, .patience_ms = 1000}, DEAD_STOP_FAILED, DEAD_STOP_FAILED},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    assert_int_equal(dead_after_canary(&cases[i].watch), cases[i].after);
    assert_int_equal(dead_meanwhile(&cases[i].watch), cases[i].meanwhile);
  }
}
