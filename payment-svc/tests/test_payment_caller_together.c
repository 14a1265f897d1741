/* The PSP's caller over doubles: results wait a moment for those of the calls beside them. */
#include "caller_rig.h"

#include <test.h>

static void begin_with_calls(uint8_t count) {
  begin(4, 4);
  doubles.answered = NULL;
  for (uint8_t i = 1; i <= count; i++)
    take(i);
}

TEST(results_wait_until_no_call_is_under_way)
{
  begin_with_calls(2);
  doubles_answer(200, CAPTURED);
  turn();
  assert_int_equal(doubles.pushed_count, 0);
  doubles_answer(200, CAPTURED);
  assert_int_equal(timeout_ms(), 0);
  turn();
  assert_int_equal(doubles.pushed_count, 2);
  assert_int_equal(doubles.pushed[0].order_id.bytes[15], 1);
  assert_int_equal(doubles.pushed[1].order_id.bytes[15], 2);
  turn();
  assert_int_equal(doubles.pushed_count, 2);
  finish();
}

TEST(results_wait_two_milliseconds_for_a_slow_call)
{
  begin_with_calls(3);
  doubles_answer(200, CAPTURED);
  assert_int_equal(timeout_ms(), 2);
  doubles.now += BUS_MILLISECOND;
  doubles_answer(200, CAPTURED);
  assert_int_equal(timeout_ms(), 1); /* the first one's time counts */
  doubles.now += BUS_MILLISECOND - 1;
  turn();
  assert_int_equal(doubles.pushed_count, 0);
  doubles.now++;
  assert_int_equal(timeout_ms(), 0);
  turn();
  assert_int_equal(doubles.pushed_count, 2);
  assert_int_equal(timeout_ms(), -1);
  finish();
}

TEST(the_client_s_deadline_stays_where_it_is_earlier)
{
  begin_with_calls(2);
  doubles.client_timeout_ms = 1;
  doubles_answer(200, CAPTURED);
  assert_int_equal(timeout_ms(), 1);
  finish();
}

TEST(as_many_results_as_there_are_slots_are_passed_on_at_once)
{
  begin_with_calls(7); /* of which four are under way */
  for (int i = 0; i < 3; i++)
    doubles_answer(200, CAPTURED);
  assert_int_equal(doubles.pushed_count, 0);
  doubles_answer(200, CAPTURED);
  assert_int_equal(doubles.pushed_count, 4);
  finish();
}

TEST(a_call_that_is_held_back_waits_for_nobody)
{
  begin_with_calls(8);
  assert_int_equal(doubles.pushed_count, 0);
  take(9); /* no place */
  assert_int_equal(doubles.pushed_count, 1);
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_NOT_STARTED);
  finish();
}
