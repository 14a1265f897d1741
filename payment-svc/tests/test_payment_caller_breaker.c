/* The PSP's caller over doubles: what opens the breaker, what the breaker holds back, and what of it is logged. */
#include "caller_rig.h"

#include <test.h>

static void open_breaker(void) {
  for (uint8_t i = 0; i < 5; i++) {
    take(i);
    doubles_answer(503, "");
  }
}

TEST(caller_breaker_opens_after_failures_and_holds_back)
{
  begin(8, 8);
  open_breaker();
  assert_int_equal(doubles.started, 5);
  take(9);
  assert_int_equal(doubles.started, 5);
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_NOT_STARTED);
  assert_string_equal(last_pushed()->reason, "breaker_open");
  assert_int_equal(last_pushed()->wait, BUS_SECOND);
  assert_int_equal(room(), 0); /* nothing due is claimed */
  assert_int_equal(room_again(), 0);
  finish();
}

static void hold_back(size_t count) {
  for (size_t i = 0; i < count; i++) {
    doubles.pushed_count = 0;
    take(9);
    assert_int_equal(last_pushed()->kind, PAYMENT_ON_NOT_STARTED);
  }
}

/* An outage: thousands of calls, a few lines. */
TEST(caller_says_an_outage_in_few_lines)
{
  begin(8, 8);
  open_breaker(); /* the first failing call, and that it opened */
  assert_int_equal(doubles.warned, 2);
  hold_back(1000);
  assert_int_equal(doubles.warned, 3);
  doubles.now += 10 * BUS_SECOND;
  take(11); /* two probes, and that it is half-open */
  take(12);
  assert_int_equal(doubles.warned, 4);
  hold_back(1000);
  assert_int_equal(doubles.warned, 5);
  finish();
}

/* Refusals do not open the breaker, so nothing else bounds them. */
TEST(caller_says_now_and_then_that_calls_fail)
{
  begin(8, 8);
  for (int i = 0; i < 1000; i++) {
    doubles.pushed_count = 0;
    take(1);
    doubles_answer(429, "");
  }
  assert_int_equal(doubles.warned, 1);
  doubles.now += 10 * BUS_SECOND;
  take(1);
  doubles_answer(429, "");
  assert_int_equal(doubles.warned, 2);
  finish();
}

TEST(caller_breaker_holds_back_what_waited)
{
  begin(1, 8);
  for (uint8_t i = 0; i < 7; i++)
    take(i);
  for (int i = 0; i < 5; i++)
    doubles_fail(BUS_HTTP_UNKNOWN);
  assert_int_equal(doubles.started, 5);
  assert_int_equal(doubles.pushed_count, 7);
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_NOT_STARTED);
  finish();
}

TEST(caller_breaker_probes_and_closes)
{
  begin(8, 8);
  open_breaker();
  doubles.now += BUS_SECOND;
  assert_int_equal(room(), 2);
  take(11);
  assert_int_equal(room(), 1);
  take(12);
  take(13); /* a third one does not go */
  assert_int_equal(doubles.started, 7);
  assert_int_equal(last_pushed()->wait, BUS_SECOND);
  doubles_answer(200, CAPTURED);
  doubles_answer(402, "{\"error\":{\"type\":\"card_error\"}}"); /* a refusal is a response */
  assert_int_equal(room(), 16);
  take(14);
  assert_int_equal(doubles.started, 8);
  finish();
}

TEST(caller_breaker_opens_again_when_a_probe_fails)
{
  begin(8, 8);
  open_breaker();
  doubles.now += BUS_SECOND;
  take(11);
  doubles_fail(BUS_HTTP_NOT_SENT);
  assert_int_equal(room(), 0);
  take(12);
  assert_int_equal(last_pushed()->wait, 2 * BUS_SECOND);
  finish();
}

/* The first probes are for payments that have not failed, even where those that failed ask first. */
TEST(caller_probes_with_payments_that_never_failed)
{
  begin(8, 8);
  open_breaker();
  doubles.now += BUS_SECOND;
  take_again(1);
  take_again(2);
  assert_int_equal(doubles.started, 7);
  assert_int_equal(room_again(), 0);
  assert_int_equal(room(), 2);
  doubles_answer(500, "");
  doubles_answer(500, "");
  assert_int_equal(room(), 2); /* their failure says nothing about the others */
  take(11);
  take(12);
  take_again(3); /* not while others probe */
  assert_int_equal(doubles.started, 9);
  assert_string_equal(last_pushed()->reason, "breaker_open");
  doubles_answer(200, CAPTURED);
  doubles_answer(200, CAPTURED);
  assert_int_equal(room(), 16);
  finish();
}

/* One of a hundred cards makes the provider fail, and each is tried three times. */
TEST(caller_goes_on_when_a_few_cards_fail)
{
  begin(8, 8);
  for (int i = 0; i < 2000; i++) {
    doubles.pushed_count = 0;
    take((uint8_t)(100 + i % 150));
    doubles_answer(200, CAPTURED);
    if (i % 33 == 0) {
      take_again((uint8_t)(i / 100));
      doubles_answer(500, "");
    }
    doubles.now += 16 * BUS_MILLISECOND;
    assert_int_equal(room(), 16);
  }
  finish();
}

TEST(caller_breaker_opens_while_calls_hang)
{
  begin(8, 8);
  for (uint8_t i = 1; i <= 5; i++)
    take(i);
  doubles.now += 3500 * BUS_MILLISECOND;
  assert_int_equal(room(), 11);
  doubles.now += 1;
  assert_int_equal(room(), 0);
  finish();
}

TEST(caller_refusals_do_not_open_the_breaker)
{
  begin(8, 8);
  for (uint8_t i = 0; i < 20; i++) {
    take(i);
    doubles_answer(i % 2 ? 429 : 409, "");
  }
  assert_int_equal(doubles.started, 20);
  finish();
}

TEST(caller_unreadable_answers_open_the_breaker)
{
  begin(8, 8);
  for (uint8_t i = 0; i < 5; i++) {
    take(i);
    doubles_answer(200, "<html>");
  }
  assert_int_equal(room(), 0);
  finish();
}
