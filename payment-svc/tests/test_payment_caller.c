/* The PSP's caller over doubles: what is sent, how many at once, what waits, and what the breaker holds back. */
#include "doubles.h"
#include "sample.h"

#include <payment_caller.h>
#include <payment_metrics.h>
#include <stdio.h>
#include <test.h>

#define CAPTURED                                                                                                       \
  "{\"id\":\"pi_1\",\"amount\":1998,\"amount_received\":1998,\"currency\":\"eur\",\"status\":\"succeeded\"}"

static struct payment_settings settings;
static struct payment_caller *caller;

static void begin(int64_t concurrency, int64_t queue) {
  struct bus_error err;
  doubles_reset();
  payment_metrics_register();
  settings = (struct payment_settings){.psp_url = "http://127.0.0.1:8090",
                                       .psp_key = "sk_test_12345",
                                       .psp_ca_file = "",
                                       .concurrency = concurrency,
                                       .queue = queue,
                                       .total_timeout_ms = 7000,
                                       .lease_ms = 30000,
                                       .breaker = {5, 50, 10000, 1000, 30000, 2}};
  assert_true(payment_caller_new(&settings, NULL, &caller, &err));
}

static void end(void) {
  payment_caller_free(caller);
  caller = NULL;
}

static struct payment_call call_of(uint8_t number) {
  struct payment payment = sample_payment(PAYMENT_NONE);
  payment.order_id.bytes[15] = number;
  return decide_kind(&payment, PAYMENT_ON_CHARGE, NOW).call;
}

static void take(uint8_t number) {
  struct payment_call call = call_of(number);
  payment_caller_take(caller, &call);
}

/* A payment whose call failed before. */
static void take_again(uint8_t number) {
  struct payment_call call = call_of(number);
  call.attempt = 2;
  payment_caller_take(caller, &call);
}

static size_t room(void) {
  return payment_caller_room(caller, BUS_BREAKER_FRESH);
}

static size_t room_again(void) {
  return payment_caller_room(caller, BUS_BREAKER_FAILED);
}

static const struct payment_result *last_pushed(void) {
  assert_true(doubles.pushed_count > 0);
  return &doubles.pushed[doubles.pushed_count - 1];
}

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
  assert_true(has_header(&doubles.calls[0], "traceparent: 00-01000000000000000000000000000000-0200000000000000-01"));
  assert_true(has_header(&doubles.calls[0], "tracestate: a=b"));
  end();
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
  end();
}

TEST(caller_pushes_the_result)
{
  begin(2, 2);
  take(0x10);
  doubles_answer(200, CAPTURED);
  assert_int_equal(doubles.pushed_count, 1);
  assert_int_equal(last_pushed()->kind, PAYMENT_ON_CAPTURED);
  assert_string_equal(last_pushed()->psp_id, "pi_1");
  end();
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
  end();
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
  end();
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
  end();
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
  end();
}

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
  end();
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
  end();
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
  end();
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
  end();
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
  doubles_answer(402, "{\"error\":{\"type\":\"card_error\"}}"); /* a «no» is an answer */
  assert_int_equal(room(), 16);
  take(14);
  assert_int_equal(doubles.started, 8);
  end();
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
  end();
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
  end();
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
  end();
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
  end();
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
  end();
}

TEST(caller_first_calls_may_have_all_slots)
{
  begin(8, 100);
  for (uint8_t i = 1; i <= 8; i++)
    take(i);
  assert_int_equal(doubles.call_count, 8);
  end();
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
  end();
}

/* Of what waits, first calls start first; but one repeated call is always under way. */
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
  end();
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
  end();
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
  end();
}

TEST(caller_refusals_do_not_open_the_breaker)
{
  begin(8, 8);
  for (uint8_t i = 0; i < 20; i++) {
    take(i);
    doubles_answer(i % 2 ? 429 : 409, "");
  }
  assert_int_equal(doubles.started, 20);
  end();
}

TEST(caller_unreadable_answers_open_the_breaker)
{
  begin(8, 8);
  for (uint8_t i = 0; i < 5; i++) {
    take(i);
    doubles_answer(200, "<html>");
  }
  assert_int_equal(room(), 0);
  end();
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
  end();
}

TEST(caller_result_that_cannot_be_pushed_is_dropped)
{
  begin(1, 1);
  take(1);
  doubles.refuse_push = true;
  doubles_answer(200, CAPTURED);
  assert_int_equal(doubles.pushed_count, 0);
  assert_int_equal(room(), 2);
  end();
}

TEST(caller_can_be_freed_with_calls_under_way)
{
  begin(2, 2);
  for (uint8_t i = 1; i <= 4; i++)
    take(i);
  end();
}

TEST(caller_without_a_client_fails_to_start)
{
  struct bus_error err;
  begin(1, 1);
  end();
  doubles.refuse_client = true;
  assert_false(payment_caller_new(&settings, NULL, &caller, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  payment_caller_free(NULL);
}
