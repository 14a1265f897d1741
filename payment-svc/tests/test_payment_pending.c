/* Charges and refunds in a status that is not final: they are read back by their id, never asked for again. */
#include "sample.h"

#include <stdlib.h>
#include <test.h>

TEST(charge_that_is_pending_is_read_back_and_never_posted_again)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  bus_time now = NOW;
  assert_string_equal(call.read_id, "");
  for (int reads = 0; now < NOW + BUS_HOUR; reads++) {
    assert_int_equal(give(&payment, PAYMENT_ON_PENDING, &call, now).say, PAYMENT_SAY_NOTHING);
    assert_int_equal(payment.state, PAYMENT_PROCESSING);
    assert_string_equal(payment.psp_id, "pi_1");
    assert_in_range(payment.next_attempt_at - now, BUS_SECOND / 2, 10 * BUS_MINUTE);
    now = payment.next_attempt_at;
    call = decide_kind(&payment, PAYMENT_ON_DUE, now).call;
    assert_int_equal(call.kind, PAYMENT_CALL_CHARGE);
    assert_string_equal(call.read_id, "pi_1");
    assert_true(reads < 30);
  }
  struct payment_decision done = give(&payment, PAYMENT_ON_CAPTURED, &call, now);
  assert_int_equal(done.say, PAYMENT_SAY_CAPTURED);
  assert_int_equal(done.alarm, PAYMENT_NO_ALARM);
}

TEST(charge_that_is_pending_for_twenty_hours_is_unknown)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  bus_time now = NOW;
  while (payment.state == PAYMENT_PROCESSING) {
    (void)give(&payment, PAYMENT_ON_PENDING, &call, now);
    now = payment.next_attempt_at;
    struct payment_decision done = decide_kind(&payment, PAYMENT_ON_DUE, now);
    assert_true(done.calls == (now - NOW < sample_policy.key_life));
    call = done.call;
  }
  assert_int_equal(payment.state, PAYMENT_UNKNOWN);
  assert_in_range(now - NOW, 20 * BUS_HOUR, 20 * BUS_HOUR + 10 * BUS_MINUTE);
  assert_string_equal(payment.psp_id, "pi_1"); /* for the operator */
}

TEST(charge_whose_answer_was_lost_is_posted_again)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_UNSURE, &call, NOW);
  assert_string_equal(decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at).call.read_id, "");
}

TEST(read_that_fails_is_read_again)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_PENDING, &call, NOW);
  call = decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at).call;
  (void)give(&payment, PAYMENT_ON_UNSURE, &call, NOW + BUS_SECOND);
  assert_string_equal(decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at).call.read_id, "pi_1");
}

TEST(pending_answer_of_an_earlier_attempt_keeps_the_id)
{
  struct payment_call first;
  struct payment payment = charged(&first);
  assert_true(decide_kind(&payment, PAYMENT_ON_DUE, NOW + sample_policy.lease).calls);
  bus_time due = payment.next_attempt_at;
  (void)give(&payment, PAYMENT_ON_PENDING, &first, NOW + sample_policy.lease);
  assert_string_equal(payment.psp_id, "pi_1");
  assert_int_equal(payment.next_attempt_at, due); /* the second one is still out */
}

TEST(pending_answer_with_another_id_is_alarmed)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_PENDING, &call, NOW);
  strncpy(payment.psp_id, "pi_0", sizeof payment.psp_id - 1);
  assert_int_equal(give(&payment, PAYMENT_ON_PENDING, &call, NOW).alarm, PAYMENT_ALARM_CONTRADICTION);
  assert_string_equal(payment.psp_id, "pi_0");
  assert_int_equal(give(&payment, PAYMENT_ON_CAPTURED, &call, NOW).alarm, PAYMENT_ALARM_CONTRADICTION);
  assert_int_equal(payment.state, PAYMENT_CAPTURED);
}

/* ---- what the PSP tells ---- */

static struct payment_decision check(struct payment *payment, const char *psp_id, bus_time now) {
  const struct payment_input input = {.kind = PAYMENT_ON_CHECK, .psp_id = bus_str(psp_id)};
  return decide_at(payment, &input, now);
}

TEST(charge_that_has_changed_is_read_back_at_once)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  (void)give(&payment, PAYMENT_ON_PENDING, &call, NOW);
  assert_false(check(&payment, "pi_2", NOW + 1).changed);
  struct payment_decision done = check(&payment, "pi_1", NOW + 1);
  assert_true(done.calls);
  assert_string_equal(done.call.read_id, "pi_1");
  assert_int_equal(payment.next_attempt_at, NOW + 1 + sample_policy.lease);
  /* The result of an earlier reading does not put off the one that is out. */
  (void)give(&payment, PAYMENT_ON_PENDING, &call, NOW + 2);
  assert_int_equal(payment.next_attempt_at, NOW + 1 + sample_policy.lease);
  assert_int_equal(give(&payment, PAYMENT_ON_CAPTURED, &done.call, NOW + 3).say, PAYMENT_SAY_CAPTURED);
  assert_false(check(&payment, "pi_1", NOW + 4).changed);
}

TEST(refund_that_has_changed_is_read_back_at_once)
{
  struct payment_call call;
  struct payment payment = refunding(&call);
  (void)give(&payment, PAYMENT_ON_PENDING, &call, NOW);
  assert_false(check(&payment, "pi_1", NOW + 1).changed); /* its charge */
  assert_string_equal(check(&payment, "re_1", NOW + 1).call.read_id, "re_1");
}

TEST(charge_whose_answer_was_lost_is_posted_at_once_only_if_no_call_can_be_out)
{
  struct payment_call call;
  struct payment payment = charged(&call);
  assert_false(check(&payment, "pi_1", NOW + 1).changed);
  payment.next_attempt_at = NOW + sample_policy.slow_max;
  struct payment_decision done = check(&payment, "pi_1", NOW + 1);
  assert_true(done.calls);
  assert_string_equal(done.call.read_id, "");
  payment.next_attempt_at = NOW + 30 * BUS_HOUR;
  assert_false(check(&payment, "pi_1", NOW + 25 * BUS_HOUR).calls); /* its key is not relied on any more */
}

/* ---- refunds ---- */

TEST(refund_that_is_pending_is_read_back_for_days_with_the_same_key_and_no_alarm)
{
  struct payment_call call;
  struct payment payment = refunding(&call);
  bus_time now = NOW;
  assert_string_equal(call.read_id, "");
  while (now < NOW + 5 * 24 * BUS_HOUR) {
    struct payment_decision done = give(&payment, PAYMENT_ON_PENDING, &call, now);
    assert_int_equal(done.alarm, PAYMENT_NO_ALARM);
    assert_string_equal(payment.psp_refund_id, "re_1");
    now = payment.next_attempt_at;
    call = decide_kind(&payment, PAYMENT_ON_DUE, now).call;
    assert_int_equal(call.kind, PAYMENT_CALL_REFUND);
    assert_string_equal(call.read_id, "re_1");
    assert_string_equal(call.psp_id, "pi_1");
    assert_int_equal(call.refund, 1);
  }
  (void)give(&payment, PAYMENT_ON_UNSURE, &call, now);
  assert_int_equal(give(&payment, PAYMENT_ON_REFUNDED, &call, now).say, PAYMENT_SAY_REFUNDED);
  assert_string_equal(payment.psp_refund_id, "");
}

TEST(refund_that_fails_later_is_asked_for_again_with_a_new_key)
{
  struct payment_call call;
  struct payment payment = refunding(&call);
  (void)give(&payment, PAYMENT_ON_PENDING, &call, NOW);
  call = decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at).call;
  assert_string_equal(call.read_id, "re_1");
  assert_int_equal(give(&payment, PAYMENT_ON_NOT_REFUNDED, &call, NOW).alarm, PAYMENT_ALARM_REFUND);
  assert_string_equal(payment.psp_refund_id, "");
  call = decide_kind(&payment, PAYMENT_ON_DUE, payment.next_attempt_at).call;
  assert_string_equal(call.read_id, "");
  assert_int_equal(call.refund, 2);
}

TEST(pending_answer_of_an_earlier_key_is_not_this_refund)
{
  struct payment_call first;
  struct payment payment = refunding(&first);
  (void)give(&payment, PAYMENT_ON_NOT_REFUNDED, &first, NOW);
  assert_false(give(&payment, PAYMENT_ON_PENDING, &first, NOW).changed);
  assert_string_equal(payment.psp_refund_id, "");
}
