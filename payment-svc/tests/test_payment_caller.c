/* The PSP's caller over doubles: what is sent, how many calls at once, and which calls wait. */
#include "caller_rig.h"

#include <test.h>

static bool has_header(const struct double_call *call, const char *header) {
  for (size_t i = 0; i < BUS_COUNT(call->headers); i++)
    if (strcmp(call->headers[i], header) == 0)
      return true;
  return false;
}

TEST(caller_sends_what_was_built)
{
  begin(2, 2);
  take(0x10);
  assert_int_equal(doubles.call_count, 1);
  assert_string_equal(doubles.calls[0].url, "POST http://127.0.0.1:8090/v1/payment_intents");
  assert_non_null(strstr(doubles.calls[0].body, "amount=1998&currency=eur"));
  assert_true(has_header(&doubles.calls[0], "Authorization: Bearer sk_test_12345"));
  assert_true(has_header(&doubles.calls[0], "Idempotency-Key: charge-" SAMPLE_ORDER));
  assert_true(has_header(&doubles.calls[0], "Content-Type: application/x-www-form-urlencoded"));
  assert_true(has_header(&doubles.calls[0], "Stripe-Version: 2023-10-16"));
  assert_string_equal(doubles.calls[0].traceparent, "00-01000000000000000000000000000000-0200000000000000-01");
  assert_string_equal(doubles.calls[0].tracestate, "a=b");
  assert_string_equal(doubles.calls[0].route, "/v1/payment_intents");
  assert_int_equal(doubles.calls[0].resend, 0);
  finish();
}

TEST(caller_reads_back_what_is_pending)
{
  begin(2, 2);
  struct payment_call call = call_of(0x10);
  strncpy(call.read_id, "pi_1", sizeof call.read_id - 1);
  payment_caller_take(caller, &call);
  assert_string_equal(doubles.calls[0].url, "GET http://127.0.0.1:8090/v1/payment_intents/pi_1");
  assert_string_equal(doubles.calls[0].body, "");
  assert_true(has_header(&doubles.calls[0], "Authorization: Bearer sk_test_12345"));
  for (size_t i = 0; i < BUS_COUNT(doubles.calls[0].headers); i++) {
    assert_null(strstr(doubles.calls[0].headers[i], "Idempotency-Key"));
    assert_null(strstr(doubles.calls[0].headers[i], "Content-Type"));
  }
  doubles_answer(200, CAPTURED);
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_CAPTURED);
  finish();
}

TEST(caller_pushes_the_result)
{
  begin(2, 2);
  take(0x10);
  doubles_answer(200, CAPTURED);
  assert_int_equal(doubles.pushed_count, 1);
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_CAPTURED);
  assert_string_equal(last_pushed()->psp_id, "pi_1");
  finish();
}

TEST(caller_never_has_more_than_its_slots_under_way)
{
  begin(2, 3);
  for (uint8_t i = 1; i <= 6; i++)
    take(i);
  assert_int_equal(doubles.call_count, 2);
  assert_int_equal(doubles.pushed_count, 1); /* the sixth: no room */
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_NOT_STARTED);
  assert_int_equal(last_pushed()->order_id.bytes[15], 6);
  assert_int_equal(room(), 0);
  doubles_answer(200, CAPTURED);
  assert_int_equal(doubles.call_count, 2); /* the third took its place */
  assert_int_equal(room(), 1);
  while (doubles.call_count > 0)
    doubles_answer(200, CAPTURED);
  assert_int_equal(doubles.started, 5);
  assert_int_equal(room(), 5);
  finish();
}

TEST(caller_keeps_the_order)
{
  begin(1, 3);
  for (uint8_t i = 1; i <= 4; i++)
    take(i);
  for (uint8_t i = 1; i <= 4; i++) {
    doubles_answer(200, CAPTURED);
    assert_int_equal(last_pushed()->order_id.bytes[15], i);
  }
  finish();
}

TEST(caller_works_without_a_queue)
{
  begin(1, 0);
  take(1);
  take(2);
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_NOT_STARTED);
  doubles_answer(200, CAPTURED);
  take(3);
  assert_int_equal(doubles.call_count, 1);
  finish();
}

/* It could outlive its lease, and another instance call at the same time. */
TEST(caller_starts_nothing_that_waited_too_long)
{
  begin(1, 3);
  take(1);
  take(2);
  doubles.now += 12 * BUS_SECOND; /* half of what the lease leaves */
  doubles_answer(200, CAPTURED);
  assert_int_equal(doubles.started, 1);
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_NOT_STARTED);
  assert_string_equal(last_pushed()->reason, "waited_too_long");
  finish();
}

/* ---- who has the slots ---- */

TEST(caller_repeated_calls_have_half_of_the_slots)
{
  begin(8, 100);
  for (uint8_t i = 1; i <= 10; i++)
    take_again(i);
  assert_int_equal(doubles.call_count, 4);
  assert_int_equal(doubles.pushed_count, 0); /* the others wait */
  assert_int_equal(room_again(), 10);
  for (uint8_t i = 11; i <= 14; i++)
    take(i);
  assert_int_equal(doubles.call_count, 8); /* the other half */
  take(15);
  assert_int_equal(doubles.call_count, 8);
  assert_int_equal(room(), 93);
  finish();
}

TEST(caller_first_calls_may_have_all_slots)
{
  begin(8, 100);
  for (uint8_t i = 1; i <= 8; i++)
    take(i);
  assert_int_equal(doubles.call_count, 8);
  finish();
}

/* Four payments that failed before hang, more wait behind them: good ones come and go. */
TEST(caller_hanging_repeated_calls_delay_no_first_one)
{
  begin(8, 100);
  for (uint8_t i = 1; i <= 10; i++)
    take_again(i);
  for (uint8_t i = 11; i <= 60; i++) {
    take(i);
    assert_int_equal(doubles.call_count, 5);
    doubles_answer_last(200, CAPTURED);
    assert_int_equal(last_pushed()->order_id.bytes[15], i);
  }
  finish();
}

/* First calls start before waiting repeated calls, but one repeated call is always under way. */
TEST(caller_starts_first_calls_first)
{
  begin(4, 100);
  for (uint8_t i = 1; i <= 4; i++)
    take(i);
  take_again(5);
  take_again(6);
  take(7);
  take(8);
  doubles_answer(200, CAPTURED);
  assert_string_equal(doubles.calls[3].order, "5");
  doubles_answer(200, CAPTURED);
  assert_string_equal(doubles.calls[3].order, "7");
  doubles_answer(200, CAPTURED);
  assert_string_equal(doubles.calls[3].order, "8");
  doubles_answer(200, CAPTURED);
  assert_string_equal(doubles.calls[3].order, "6");
  finish();
}

/* First calls that hang count as repeated ones once they are late: those then have no slot. */
TEST(caller_hanging_first_calls_leave_no_slot_for_repeated_ones)
{
  begin(8, 100);
  for (uint8_t i = 1; i <= 50; i++) { /* so that a few do not open the breaker */
    take(i);
    doubles_answer(200, CAPTURED);
  }
  doubles.pushed_count = 0;
  for (uint8_t i = 101; i <= 104; i++)
    take(i);
  assert_int_equal(room_again(), 104 - 100 + 16);
  doubles.now += 4 * BUS_SECOND;
  assert_int_equal(room_again(), 16);
  take_again(9);
  assert_int_equal(doubles.call_count, 4);
  take(10);
  assert_int_equal(doubles.call_count, 5);
  finish();
}

TEST(caller_with_one_slot_still_repeats)
{
  begin(1, 2);
  take_again(1);
  assert_int_equal(doubles.call_count, 1);
  take_again(2);
  take(3);
  doubles_answer(200, CAPTURED);
  assert_string_equal(doubles.calls[0].order, "3");
  doubles_answer(200, CAPTURED);
  assert_string_equal(doubles.calls[0].order, "2");
  finish();
}

TEST(caller_that_cannot_start_says_so)
{
  begin(1, 1);
  doubles.refuse_start = true;
  take(1);
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_NOT_STARTED);
  assert_string_equal(last_pushed()->reason, "cannot_start");
  doubles.refuse_start = false;
  take(2);
  assert_int_equal(doubles.call_count, 1); /* its slot was free again */
  finish();
}

TEST(caller_result_that_cannot_be_pushed_is_dropped)
{
  begin(1, 1);
  take(1);
  doubles.refuse_push = true;
  doubles_answer(200, CAPTURED);
  assert_int_equal(doubles.pushed_count, 0);
  assert_int_equal(room(), 2);
  finish();
}

TEST(caller_can_be_freed_with_calls_under_way)
{
  begin(2, 2);
  for (uint8_t i = 1; i <= 4; i++)
    take(i);
  finish();
}

TEST(caller_without_a_client_fails_to_start)
{
  struct bus_error err;
  begin(1, 1);
  finish();
  doubles.refuse_client = true;
  assert_false(payment_caller_new(&settings, NULL, &caller, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  payment_caller_free(NULL);
}
