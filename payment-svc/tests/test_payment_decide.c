/* Tests the rules of the table in detail: keys, leases, waits, reasons, refunds at the wrong moment. */
#include "sample.h"

#include <stdlib.h>
#include <test.h>

TEST(charge_keeps_the_intent_before_the_call)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  assert_int_equal(payment.state, PAYMENT_PROCESSING);
  assert_int_equal(payment.amount, 1998);
  assert_string_equal(payment.currency, "EUR");
  assert_string_equal(payment.token, "pm_card_visa");
  assert_int_equal(payment.attempts, 1);
  assert_int_equal(payment.first_attempt_at, NOW);
  assert_int_equal(payment.next_attempt_at, NOW + sample_policy.lease);
  assert_int_equal(payment.version, 1);
  assert_true(bus_trace_is_set(&payment.cause.trace));
}

TEST(charge_call_has_what_the_psp_needs)
{
  struct payment_call call;
  const struct bus_uuid id = sample_order();
  (void)charged(&call);
  assert_int_equal(call.kind, PAYMENT_CALL_CHARGE);
  assert_true(bus_uuid_equal(&call.order_id, &id));
  assert_int_equal(call.amount, 1998);
  assert_string_equal(call.currency, "EUR");
  assert_string_equal(call.token, "pm_card_visa");
  assert_int_equal(call.attempt, 1);
}

TEST(charge_of_nothing_is_captured_without_a_call)
{
  struct payment payment = sample_payment(PAYMENT_NONE);
  const struct payment_input input = {
      .kind = PAYMENT_ON_CHARGE, .amount = 0, .currency = BUS_STR("EUR"), .token = BUS_STR("pm_card_visa")};
  struct payment_decision done = decide_at(&payment, &input, NOW);
  assert_int_equal(payment.state, PAYMENT_CAPTURED);
  assert_int_equal(done.say, PAYMENT_SAY_CAPTURED);
  assert_false(done.calls);
  assert_int_equal(done.money, PAYMENT_MONEY_NONE);
  assert_string_equal(payment.token, "");
  done = decide_kind(&payment, PAYMENT_ON_REFUND, NOW);
  assert_int_equal(payment.state, PAYMENT_REFUNDED);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
  assert_false(done.calls);
  assert_int_equal(payment.refunded_amount, 0);
}

TEST(charge_again_with_another_amount_changes_nothing)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED), before = payment;
  const struct payment_input input = {
      .kind = PAYMENT_ON_CHARGE, .amount = 5, .currency = BUS_STR("USD"), .token = BUS_STR("pm_other")};
  struct payment_decision done = decide_at(&payment, &input, NOW);
  assert_memory_equal(&payment, &before, sizeof payment);
  assert_int_equal(done.say, PAYMENT_SAY_CAPTURED);
}

TEST(capture_forgets_the_token_and_is_due_no_more)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  struct payment_decision done = give(&payment, PAYMENT_ON_CAPTURED, &call, NOW + BUS_SECOND);
  assert_int_equal(payment.state, PAYMENT_CAPTURED);
  assert_string_equal(payment.token, "");
  assert_string_equal(payment.psp_id, "pi_1");
  assert_int_equal(payment.next_attempt_at, BUS_NO_TIME);
  assert_int_equal(done.money, PAYMENT_MONEY_TAKEN);
  assert_string_equal(done.money_id, "pi_1");
  assert_true(done.moved);
}

TEST(decline_and_failure_keep_the_reason_and_forget_the_token)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_DECLINED, &call, NOW);
  assert_int_equal(payment.state, PAYMENT_DECLINED);
  assert_string_equal(payment.reason, "said_so");
  assert_string_equal(payment.token, "");
  payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_REFUSED, &call, NOW);
  assert_int_equal(payment.state, PAYMENT_FAILED);
  assert_string_equal(payment.reason, "said_so");
}

TEST(charge_after_a_tombstone_fails_as_voided)
{
  struct payment payment = sample_payment(PAYMENT_NONE);
  struct payment_decision done = decide_kind(&payment, PAYMENT_ON_REFUND, NOW);
  assert_int_equal(payment.state, PAYMENT_VOIDED);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
  assert_int_equal(payment.refunded_amount, 0);
  done = decide_kind(&payment, PAYMENT_ON_CHARGE, NOW);
  assert_int_equal(done.say, PAYMENT_SAY_FAILED);
  assert_string_equal(payment.reason, "voided");
  assert_int_equal(payment.state, PAYMENT_VOIDED);
  assert_false(done.calls);
  assert_false(done.changed);
}

/* ---- unsure ---- */

TEST(unsure_waits_and_then_calls_again_with_the_next_attempt)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  bus_time now = NOW;
  static const int64_t least[] = {500, 1000, 15000}, most[] = {1000, 2000, 30000}; /* ms */
  for (int i = 0; i < 3; i++) {
    struct payment_decision done = give(&payment, PAYMENT_ON_UNSURE, &call, now);
    int64_t wait = payment.next_attempt_at - now;
    assert_in_range(wait, least[i] * BUS_MILLISECOND, most[i] * BUS_MILLISECOND);
    assert_int_equal(done.say, PAYMENT_SAY_NOTHING);
    assert_false(done.calls);
    now = payment.next_attempt_at - 1;
    assert_false(decide_kind(&payment, PAYMENT_ON_DUE, now).calls); /* not yet */
    now++;
    done = decide_kind(&payment, PAYMENT_ON_DUE, now);
    assert_true(done.calls);
    call = done.call;
    assert_int_equal(call.attempt, i + 2);
    assert_int_equal(payment.first_attempt_at, NOW); /* of the key, which stays */
  }
}

TEST(unsure_of_an_attempt_whose_lease_ran_out_changes_nothing)
{
  struct payment_call first;
  struct payment payment = charged(&first);
  assert_true(decide_kind(&payment, PAYMENT_ON_DUE, NOW + sample_policy.lease).calls);
  struct payment before = payment;
  struct payment_decision done = give(&payment, PAYMENT_ON_UNSURE, &first, NOW + sample_policy.lease);
  assert_false(done.changed);
  assert_memory_equal(&payment, &before, sizeof payment);
}

TEST(a_definite_answer_counts_whichever_attempt_it_is_of)
{
  struct payment_call first;
  struct payment payment = charged(&first);
  assert_true(decide_kind(&payment, PAYMENT_ON_DUE, NOW + sample_policy.lease).calls);
  (void)give(&payment, PAYMENT_ON_CAPTURED, &first, NOW + sample_policy.lease);
  assert_int_equal(payment.state, PAYMENT_CAPTURED);
}

TEST(due_twice_calls_once)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  bus_time now = payment.next_attempt_at;
  assert_true(decide_kind(&payment, PAYMENT_ON_DUE, now).calls);
  assert_false(decide_kind(&payment, PAYMENT_ON_DUE, now).calls); /* another instance found it too */
}

/* By ten minutes and more: what waited for its turn would wait that much longer. */
TEST(due_by_the_time_of_before_the_clock_was_set_back_is_due)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  bus_time at = payment.next_attempt_at, longest = 10 * BUS_MINUTE + 5 * BUS_SECOND;
  assert_false(decide_kind(&payment, PAYMENT_ON_DUE, at - longest).calls);
  assert_true(decide_kind(&payment, PAYMENT_ON_DUE, at - longest - 1).calls);
}

TEST(key_that_is_too_old_is_never_sent_again)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_UNSURE, &call, NOW);
  payment.next_attempt_at = NOW + sample_policy.key_life;
  struct payment_decision done = decide_kind(&payment, PAYMENT_ON_DUE, NOW + sample_policy.key_life);
  assert_int_equal(payment.state, PAYMENT_UNKNOWN);
  assert_false(done.calls);
  assert_int_equal(done.say, PAYMENT_SAY_NOTHING);
  assert_int_equal(done.alarm, PAYMENT_ALARM_EXPIRED);
  assert_int_equal(payment.next_attempt_at, BUS_NO_TIME);
  assert_string_equal(payment.reason, "no_definite_answer");
}

TEST(retry_after_is_honoured)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  struct payment_result result = result_of(PAYMENT_ON_UNSURE, &call);
  result.wait = 17 * BUS_SECOND;
  const struct payment_input input = {.kind = PAYMENT_ON_UNSURE, .result = &result};
  (void)decide_at(&payment, &input, NOW);
  assert_int_equal(payment.next_attempt_at, NOW + 17 * BUS_SECOND);
}

/* ---- not started ---- */

TEST(call_that_was_never_sent_does_not_count)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  struct payment_result result = result_of(PAYMENT_ON_NOT_STARTED, &call);
  result.wait = 5 * BUS_SECOND;
  const struct payment_input input = {.kind = PAYMENT_ON_NOT_STARTED, .result = &result};
  (void)decide_at(&payment, &input, NOW);
  assert_int_equal(payment.attempts, 0);
  assert_int_equal(payment.first_attempt_at, BUS_NO_TIME);
  assert_int_equal(payment.next_attempt_at, NOW + 5 * BUS_SECOND);
  bus_time later = NOW + 30 * BUS_HOUR; /* the breaker was open all the time: the key is as good as new */
  assert_true(decide_kind(&payment, PAYMENT_ON_DUE, later).calls);
  assert_int_equal(payment.first_attempt_at, later);
}

TEST(call_that_was_never_sent_after_one_that_was_keeps_the_keys_age)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_UNSURE, &call, NOW);
  struct payment_decision done = decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at);
  (void)give(&payment, PAYMENT_ON_NOT_STARTED, &done.call, NOW + 2 * BUS_SECOND);
  assert_int_equal(payment.attempts, 1);
  assert_int_equal(payment.first_attempt_at, NOW);
}

/* ---- refunds at the wrong moment ---- */

TEST(refund_of_a_charge_under_way_waits_for_it)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  struct payment_decision done = decide_kind(&payment, PAYMENT_ON_REFUND, NOW);
  assert_int_equal(payment.state, PAYMENT_PROCESSING);
  assert_true(payment.refund_requested);
  assert_int_equal(done.say, PAYMENT_SAY_NOTHING);
  assert_false(decide_kind(&payment, PAYMENT_ON_REFUND, NOW).changed); /* once is enough */
  done = give(&payment, PAYMENT_ON_CAPTURED, &call, NOW + BUS_SECOND);
  assert_int_equal(payment.state, PAYMENT_REFUNDING);
  assert_int_equal(done.say, PAYMENT_SAY_NOTHING);
  assert_int_equal(done.money, PAYMENT_MONEY_TAKEN);
  assert_true(done.calls);
  assert_int_equal(done.call.kind, PAYMENT_CALL_REFUND);
  assert_int_equal(done.call.refund, 1);
  assert_string_equal(done.call.psp_id, "pi_1");
  assert_int_equal(payment.attempts, 1); /* of the refund */
  assert_int_equal(payment.first_attempt_at, NOW + BUS_SECOND);
}

TEST(refund_of_a_charge_under_way_is_answered_by_its_decline)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)decide_kind(&payment, PAYMENT_ON_REFUND, NOW);
  struct payment_decision done = give(&payment, PAYMENT_ON_DECLINED, &call, NOW);
  assert_int_equal(done.say, PAYMENT_SAY_DECLINED);
  done = decide_kind(&payment, PAYMENT_ON_REFUND, NOW);
  assert_int_equal(done.say, PAYMENT_SAY_DECLINED); /* again */
}

TEST(refund_of_a_charge_that_was_never_sent_voids_it)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_NOT_STARTED, &call, NOW);
  struct payment_decision done = decide_kind(&payment, PAYMENT_ON_REFUND, NOW);
  assert_int_equal(payment.state, PAYMENT_VOIDED);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
  assert_int_equal(payment.refunded_amount, 0);
  assert_string_equal(payment.token, "");
}

TEST(charge_held_back_after_its_refund_was_noted_is_voided)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)decide_kind(&payment, PAYMENT_ON_REFUND, NOW);
  struct payment_decision done = give(&payment, PAYMENT_ON_NOT_STARTED, &call, NOW);
  assert_int_equal(payment.state, PAYMENT_VOIDED);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
}

TEST(refund_noted_while_unknown_is_carried_out_when_a_late_answer_comes)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  payment.next_attempt_at = NOW + sample_policy.key_life;
  (void)decide_kind(&payment, PAYMENT_ON_DUE, NOW + sample_policy.key_life);
  (void)decide_kind(&payment, PAYMENT_ON_REFUND, NOW + sample_policy.key_life);
  assert_int_equal(payment.state, PAYMENT_UNKNOWN);
  struct payment_decision done = give(&payment, PAYMENT_ON_CAPTURED, &call, NOW + sample_policy.key_life);
  assert_int_equal(payment.state, PAYMENT_REFUNDING);
  assert_true(done.calls);
}

/* ---- refunds ---- */

TEST(refund_that_is_unsure_keeps_its_key)
{
  struct payment_call call;
  struct payment payment = refunding(&call);
  struct payment_decision done = give(&payment, PAYMENT_ON_UNSURE, &call, NOW);
  assert_int_equal(done.alarm, PAYMENT_NO_ALARM);
  done = decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at);
  assert_int_equal(done.call.refund, 1);
  assert_int_equal(done.call.attempt, 2);
}

TEST(refund_that_was_refused_gets_a_new_key_and_an_alarm)
{
  struct payment_call call;
  struct payment payment = refunding(&call);
  struct payment_decision done = give(&payment, PAYMENT_ON_NOT_REFUNDED, &call, NOW);
  assert_int_equal(done.alarm, PAYMENT_ALARM_REFUND);
  assert_int_equal(payment.state, PAYMENT_REFUNDING);
  assert_in_range(payment.next_attempt_at - NOW, 15 * BUS_SECOND, 30 * BUS_SECOND);
  done = decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at);
  assert_int_equal(done.call.refund, 2);
  struct payment_decision stale = give(&payment, PAYMENT_ON_NOT_REFUNDED, &call, NOW);
  assert_false(stale.changed); /* of the first key */
}

TEST(refund_is_retried_for_ever_and_at_least_every_ten_minutes)
{
  struct payment_call call;
  struct payment payment = refunding(&call);
  bus_time now = NOW;
  int alarms = 0;
  while (now < NOW + 7 * 24 * BUS_HOUR) {
    struct payment_decision done = give(&payment, PAYMENT_ON_UNSURE, &call, now);
    alarms += done.alarm == PAYMENT_ALARM_REFUND;
    assert_in_range(payment.next_attempt_at - now, BUS_SECOND / 2, 10 * BUS_MINUTE);
    now = payment.next_attempt_at;
    done = decide_kind(&payment, PAYMENT_ON_DUE, now);
    assert_true(done.calls);
    assert_true(now - payment.first_attempt_at < sample_policy.key_life);
    call = done.call;
  }
  assert_true(alarms > 900);
  assert_true(payment.refunds >= 8); /* a key lives 20 h */
}

TEST(refunded_says_all_that_was_captured)
{
  struct payment_call call;
  struct payment payment = refunding(&call);
  struct payment_decision done = give(&payment, PAYMENT_ON_REFUNDED, &call, NOW);
  assert_int_equal(payment.state, PAYMENT_REFUNDED);
  assert_int_equal(payment.refunded_amount, 1998);
  assert_int_equal(done.money, PAYMENT_MONEY_RETURNED);
  assert_string_equal(done.money_id, "re_1");
  done = decide_kind(&payment, PAYMENT_ON_REFUND, NOW);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
  assert_int_equal(done.money, PAYMENT_MONEY_NONE);
  assert_false(done.changed);
}

/* ---- a PSP that contradicts itself ---- */

TEST(capture_after_a_refusal_is_given_back)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_DECLINED, &call, NOW);
  struct payment_decision done = give(&payment, PAYMENT_ON_CAPTURED, &call, NOW);
  assert_int_equal(payment.state, PAYMENT_REFUNDING);
  assert_int_equal(done.alarm, PAYMENT_ALARM_LATE_CAPTURE);
  assert_int_equal(done.say, PAYMENT_SAY_NOTHING);
  done = give(&payment, PAYMENT_ON_REFUNDED, &done.call, NOW);
  assert_int_equal(done.say, PAYMENT_SAY_REFUNDED);
}

TEST(second_capture_with_another_id_is_alarmed)
{
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  struct payment_result result;
  struct payment_input input = sample_input(PAYMENT_ON_CAPTURED, PAYMENT_CAPTURED, &result);
  assert_int_equal(decide_at(&payment, &input, NOW).alarm, PAYMENT_NO_ALARM);
  strncpy(result.psp_id, "pi_2", sizeof result.psp_id - 1);
  assert_int_equal(decide_at(&payment, &input, NOW).alarm, PAYMENT_ALARM_CONTRADICTION);
}

TEST(suspect_success_is_never_a_success)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  struct payment_decision done = give(&payment, PAYMENT_ON_SUSPECT, &call, NOW);
  assert_int_equal(payment.state, PAYMENT_UNKNOWN);
  assert_int_equal(done.say, PAYMENT_SAY_NOTHING);
  assert_int_equal(done.money, PAYMENT_MONEY_NONE);
  assert_string_equal(payment.psp_id, "pi_1"); /* for the operator */
  assert_int_equal(decide_kind(&payment, PAYMENT_ON_CHARGE, NOW).say, PAYMENT_SAY_NOTHING);
}

TEST(capture_that_was_booked_before_the_refund_went_unknown_is_not_booked_again)
{
  struct payment_call charge, refund;
  struct payment payment = charged(&charge);
  (void)give(&payment, PAYMENT_ON_CAPTURED, &charge, NOW);
  refund = decide_kind(&payment, PAYMENT_ON_REFUND, NOW).call;
  (void)give(&payment, PAYMENT_ON_SUSPECT, &refund, NOW);
  assert_int_equal(payment.state, PAYMENT_UNKNOWN);
  assert_int_equal(give(&payment, PAYMENT_ON_CAPTURED, &charge, NOW).money, PAYMENT_MONEY_NONE);
  struct payment_decision done = give(&payment, PAYMENT_ON_REFUNDED, &refund, NOW);
  assert_int_equal(payment.state, PAYMENT_REFUNDED);
  assert_int_equal(done.money, PAYMENT_MONEY_RETURNED);
}

TEST(suspect_success_after_a_refusal_will_be_given_back)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_REFUSED, &call, NOW);
  (void)give(&payment, PAYMENT_ON_SUSPECT, &call, NOW);
  assert_int_equal(payment.state, PAYMENT_UNKNOWN);
  assert_true(give(&payment, PAYMENT_ON_CAPTURED, &call, NOW).calls);
  assert_int_equal(payment.state, PAYMENT_REFUNDING);
}

/* ---- settled by an operator ---- */

TEST(settled_payment_is_announced_once)
{
  static const enum payment_state settled[] = {PAYMENT_CAPTURED, PAYMENT_DECLINED, PAYMENT_FAILED, PAYMENT_REFUNDED};
  static const enum payment_say says[] = {PAYMENT_SAY_CAPTURED, PAYMENT_SAY_DECLINED, PAYMENT_SAY_FAILED,
                                          PAYMENT_SAY_REFUNDED};
  for (size_t i = 0; i < BUS_COUNT(settled); i++) {
    struct payment payment = sample_payment(settled[i]);
    payment.next_attempt_at = NOW;
    assert_int_equal(decide_kind(&payment, PAYMENT_ON_DUE, NOW).say, says[i]);
    assert_int_equal(payment.next_attempt_at, BUS_NO_TIME);
    assert_int_equal(decide_kind(&payment, PAYMENT_ON_DUE, NOW).say, PAYMENT_SAY_NOTHING);
  }
}

TEST(settled_as_captured_with_a_refund_asked_is_refunded)
{
  struct payment payment = sample_payment(PAYMENT_REFUNDING); /* as payments.settle writes it */
  payment.attempts = 0;
  payment.first_attempt_at = BUS_NO_TIME;
  payment.next_attempt_at = NOW;
  struct payment_decision done = decide_kind(&payment, PAYMENT_ON_DUE, NOW);
  assert_true(done.calls);
  assert_int_equal(done.call.refund, 1);
  assert_int_equal(payment.first_attempt_at, NOW);
}

TEST(result_of_an_earlier_refund_key_takes_nothing_back)
{
  struct payment_call call;
  struct payment payment = refunding(&call);
  payment.refunds++; /* its number of attempts may be the same */
  struct payment_decision done = give(&payment, PAYMENT_ON_NOT_STARTED, &call, NOW);
  assert_false(done.changed);
  assert_int_equal(payment.attempts, call.attempt);
  payment.refunds--;
  done = give(&payment, PAYMENT_ON_NOT_STARTED, &call, NOW);
  assert_true(done.changed);
  assert_int_equal(payment.attempts, call.attempt - 1);
}
