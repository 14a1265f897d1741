/* Refunds of operators: never more than was captured, one at a time, each carried out once. */
#include "sample.h"

#include <test.h>

static struct payment_input part(uint8_t number, int64_t amount) {
  return (struct payment_input){.kind = PAYMENT_ON_REFUND_PART, .amount = amount, .refund_id = {{number}}};
}

static struct payment_decision ask_part(struct payment *payment, uint8_t number, int64_t amount) {
  const struct payment_input input = part(number, amount);
  return decide_at(payment, &input, NOW);
}

static struct payment_decision give_part(struct payment *payment, enum payment_input_kind kind,
                                         const struct payment_call *call, const struct refund *waiting) {
  static struct payment_result result;
  result = result_of(kind, call);
  result.refund_id = call->refund_id;
  const struct payment_input input = {.kind = kind, .result = &result, .waiting = waiting};
  return decide_at(payment, &input, NOW);
}

TEST(part_is_refunded_and_the_rest_stays_captured)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  struct payment_decision done = ask_part(&payment, 1, 500);
  assert_int_equal(done.outcome, PAYMENT_REFUND_ACCEPTED);
  assert_int_equal(done.accepted, 500);
  assert_int_equal(payment.state, PAYMENT_REFUNDING);
  assert_true(done.calls && !done.call.is_rest);
  assert_int_equal(done.call.amount, 500);
  assert_int_equal(done.call.refund, 1);
  done = give_part(&payment, PAYMENT_ON_REFUNDED, &done.call, NULL);
  assert_int_equal(payment.state, PAYMENT_CAPTURED);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
  assert_int_equal(done.money_amount, 500);
  assert_true(done.is_refunded && done.refunded_id.bytes[0] == 1);
  assert_int_equal(payment_left(&payment), 1498);
  assert_int_equal(payment_refundable(&payment), 1498);
}

TEST(part_without_an_amount_is_all_that_is_left)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  struct payment_decision done = ask_part(&payment, 1, 500);
  (void)give_part(&payment, PAYMENT_ON_REFUNDED, &done.call, NULL);
  done = ask_part(&payment, 2, BUS_NO_INT64);
  assert_int_equal(done.call.amount, 1498);
  assert_true(done.call.is_rest);
  assert_int_equal(done.call.refund, 2); /* a key of its own */
  done = give_part(&payment, PAYMENT_ON_REFUNDED, &done.call, NULL);
  assert_int_equal(payment.state, PAYMENT_REFUNDED);
  assert_int_equal(payment.refunded_amount, 1998);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
}

TEST(parts_are_never_more_than_was_captured)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  assert_int_equal(ask_part(&payment, 1, 1999).outcome, PAYMENT_REFUND_TOO_LARGE);
  assert_int_equal(payment.state, PAYMENT_CAPTURED);
  assert_int_equal(ask_part(&payment, 1, 1000).outcome, PAYMENT_REFUND_ACCEPTED);
  assert_int_equal(ask_part(&payment, 2, 999).outcome, PAYMENT_REFUND_TOO_LARGE); /* the first is under way */
  assert_int_equal(ask_part(&payment, 2, 998).outcome, PAYMENT_REFUND_ACCEPTED);
  assert_int_equal(ask_part(&payment, 3, 1).outcome, PAYMENT_REFUND_TOO_LARGE);
  assert_int_equal(ask_part(&payment, 3, BUS_NO_INT64).outcome, PAYMENT_REFUND_TOO_LARGE);
}

TEST(part_is_an_amount_that_the_provider_takes)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  memcpy(payment.currency, "KWD", sizeof "KWD");
  payment.amount = 1990;
  assert_int_equal(ask_part(&payment, 1, 995).outcome, PAYMENT_REFUND_UNEVEN);
  assert_int_equal(payment.state, PAYMENT_CAPTURED);
  assert_int_equal(ask_part(&payment, 1, 1995).outcome, PAYMENT_REFUND_TOO_LARGE);
  assert_int_equal(ask_part(&payment, 1, 990).outcome, PAYMENT_REFUND_ACCEPTED);
  assert_int_equal(ask_part(&payment, 2, BUS_NO_INT64).outcome, PAYMENT_REFUND_ACCEPTED);
  payment = sample_payment(PAYMENT_CAPTURED);
  memcpy(payment.currency, "XXX", sizeof "XXX"); /* no longer in the table: the provider decides */
  assert_int_equal(ask_part(&payment, 1, 995).outcome, PAYMENT_REFUND_ACCEPTED);
}

TEST(part_waits_for_the_one_under_way)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  const struct payment_call first = ask_part(&payment, 1, 500).call;
  struct payment_decision done = ask_part(&payment, 2, 300);
  const struct refund waiting = {.refund_id = {{2}}, .amount = 300};
  assert_false(done.calls);
  done = give_part(&payment, PAYMENT_ON_REFUNDED, &first, &waiting);
  assert_int_equal(payment.state, PAYMENT_REFUNDING);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
  assert_true(done.calls && done.call.refund_id.bytes[0] == 2);
  assert_int_equal(done.call.amount, 300);
  assert_int_equal(done.call.refund, 2);
  const struct payment_call second = done.call;
  done = give_part(&payment, PAYMENT_ON_REFUNDED, &first, NULL); /* its call was made twice */
  assert_false(done.changed);
  assert_int_equal(payment.refunded_amount, 500);
  (void)give_part(&payment, PAYMENT_ON_REFUNDED, &second, NULL);
  assert_int_equal(payment.refunded_amount, 800);
  done = give_part(&payment, PAYMENT_ON_REFUNDED, &first, NULL);
  assert_false(done.changed || done.alarm);
}

TEST(part_whose_answer_was_lost_never_gets_another_key)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  struct payment_decision done = ask_part(&payment, 1, 500);
  (void)give_part(&payment, PAYMENT_ON_UNSURE, &done.call, NULL);
  done = decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at);
  assert_int_equal(done.call.refund, 1);
  done = decide_kind(&payment, PAYMENT_ON_DUE, NOW + sample_policy.key_life);
  assert_false(done.calls);
  assert_int_equal(payment.state, PAYMENT_UNKNOWN);
  assert_int_equal(done.alarm, PAYMENT_ALARM_EXPIRED);
}

TEST(part_that_the_psp_refused_gets_another_key)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  struct payment_decision done = ask_part(&payment, 1, 500);
  (void)give_part(&payment, PAYMENT_ON_NOT_REFUNDED, &done.call, NULL);
  done = decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at);
  assert_int_equal(done.call.refund, 2);
  assert_int_equal(done.call.amount, 500);
}

TEST(part_under_way_delays_the_refund_of_an_undone_order)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  const struct payment_call first = ask_part(&payment, 1, 500).call;
  (void)ask_part(&payment, 2, 300);
  const struct refund waiting = {.refund_id = {{2}}, .amount = 300};
  struct payment_decision done = decide_kind(&payment, PAYMENT_ON_REFUND, NOW);
  assert_false(done.calls);
  assert_int_equal(ask_part(&payment, 3, 1).outcome, PAYMENT_NOT_REFUNDABLE);
  done = give_part(&payment, PAYMENT_ON_REFUNDED, &first, &waiting);
  assert_true(bus_uuid_is_nil(&done.call.refund_id) && done.call.is_rest);
  assert_int_equal(done.call.amount, 1498);
  (void)give_part(&payment, PAYMENT_ON_REFUNDED, &done.call, &waiting);
  assert_int_equal(payment.state, PAYMENT_REFUNDED);
  assert_int_equal(payment.refunded_amount, 1998);
}

TEST(part_of_a_payment_that_is_not_captured_is_refused)
{
  static const enum payment_state states[] = {PAYMENT_PROCESSING, PAYMENT_DECLINED, PAYMENT_FAILED, PAYMENT_VOIDED,
                                              PAYMENT_UNKNOWN};
  for (size_t i = 0; i < BUS_COUNT(states); i++) {
    struct payment payment = sample_payment(states[i]);
    struct payment_decision done = ask_part(&payment, 1, 1);
    assert_int_equal(done.outcome, PAYMENT_NOT_REFUNDABLE);
    assert_false(done.changed);
  }
  struct payment payment = sample_payment(PAYMENT_REFUNDED);
  payment.refund_requested = false; /* by operators alone */
  payment.promised_amount = payment.amount;
  assert_int_equal(ask_part(&payment, 1, 1).outcome, PAYMENT_REFUND_TOO_LARGE);
}

TEST(part_waits_behind_a_payment_that_an_operator_settled)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  const struct refund waiting = {.refund_id = {{2}}, .amount = 300};
  payment.refunded_amount = payment.promised_amount = 500;
  payment.next_attempt_at = NOW;
  const struct payment_input due = {.kind = PAYMENT_ON_DUE, .waiting = &waiting};
  struct payment_decision done = decide_at(&payment, &due, NOW);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
  assert_int_equal(done.call.amount, 300);
}
