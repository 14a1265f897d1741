/* Tests what makes a payment valid: each rule alone is broken in a payment that keeps all others; and the names. */
#include "sample.h"

#include <test.h>

static struct payment payment;

#define CHANGED(in, change, valid)                                                                                     \
  do {                                                                                                                 \
    payment = sample_payment(in);                                                                                      \
    assert_true(payment_is_valid(&payment));                                                                           \
    change;                                                                                                            \
    assert_int_equal(payment_is_valid(&payment), valid);                                                               \
  } while (0)
#define REFUSED(in, change) CHANGED(in, change, false)
#define TAKEN(in, change) CHANGED(in, change, true)

/* A refund that an operator asked for. */
static void of_operator(int64_t amount) {
  payment.refund_id = (struct bus_uuid){{1}};
  payment.refund_amount = payment.promised_amount = amount;
}

TEST(valid_payments_are_stored_and_count_from_zero)
{
  REFUSED(PAYMENT_CAPTURED, payment.state = PAYMENT_NONE);
  REFUSED(PAYMENT_CAPTURED, payment.version = 0);
  TAKEN(PAYMENT_CAPTURED, payment.version = 1);
  TAKEN(PAYMENT_CAPTURED, payment.attempts = 0);
  REFUSED(PAYMENT_CAPTURED, payment.attempts = -1);
  REFUSED(PAYMENT_CAPTURED, payment.pay_attempt = -1);
  TAKEN(PAYMENT_FAILED, payment.amount = 0);
  REFUSED(PAYMENT_FAILED, payment.amount = -1);
}

TEST(valid_tokens_are_of_charges_that_may_follow)
{
  REFUSED(PAYMENT_PROCESSING, payment.token[0] = '\0');
  REFUSED(PAYMENT_PROCESSING, payment.amount = 0);
  TAKEN(PAYMENT_PROCESSING, payment.amount = 1);
  TAKEN(PAYMENT_UNKNOWN, payment.token[0] = '\0');
  REFUSED(PAYMENT_CAPTURED, payment.token[0] = 't');
  REFUSED(PAYMENT_FAILED, payment.token[0] = 't');
}

TEST(valid_ends_say_why)
{
  static const enum payment_state explained[] = {PAYMENT_DECLINED, PAYMENT_FAILED, PAYMENT_VOIDED, PAYMENT_UNKNOWN};
  for (size_t i = 0; i < BUS_COUNT(explained); i++)
    REFUSED(explained[i], payment.reason[0] = '\0');
  TAKEN(PAYMENT_CAPTURED, payment.reason[0] = 'r');
}

TEST(valid_captures_name_their_intent)
{
  static const enum payment_state captured[] = {PAYMENT_CAPTURED, PAYMENT_REFUNDING, PAYMENT_REFUNDED};
  for (size_t i = 0; i < BUS_COUNT(captured); i++)
    REFUSED(captured[i], payment.psp_id[0] = '\0');
  TAKEN(PAYMENT_CAPTURED, (payment.psp_id[0] = '\0', payment.amount = 0)); /* nothing to charge */
  REFUSED(PAYMENT_CAPTURED, (payment.psp_id[0] = '\0', payment.amount = 1));
}

TEST(valid_open_payments_are_looked_at_again)
{
  REFUSED(PAYMENT_PROCESSING, payment.next_attempt_at = BUS_NO_TIME);
  REFUSED(PAYMENT_REFUNDING, payment.next_attempt_at = BUS_NO_TIME);
  TAKEN(PAYMENT_REFUNDING, payment.psp_refund_id[0] = 'r');
  REFUSED(PAYMENT_CAPTURED, payment.psp_refund_id[0] = 'r');
}

TEST(valid_refunds_are_never_more_than_was_captured)
{
  TAKEN(PAYMENT_CAPTURED, payment.refunded_amount = 1997);
  REFUSED(PAYMENT_CAPTURED, payment.refunded_amount = 1998); /* then it is REFUNDED */
  REFUSED(PAYMENT_CAPTURED, payment.refunded_amount = -1);
  REFUSED(PAYMENT_REFUNDED, payment.refunded_amount = 1997);
  REFUSED(PAYMENT_REFUNDED, payment.refunded_amount = 1999);
  TAKEN(PAYMENT_REFUNDING, of_operator(1998));
  TAKEN(PAYMENT_REFUNDING, (of_operator(998), payment.refunded_amount = 1000));
  REFUSED(PAYMENT_REFUNDING, (of_operator(999), payment.refunded_amount = 1000));
  REFUSED(PAYMENT_REFUNDING, payment.refund_amount = -1);
  TAKEN(PAYMENT_CAPTURED, payment.promised_amount = 1998);
  REFUSED(PAYMENT_CAPTURED, payment.promised_amount = 1999);
  REFUSED(PAYMENT_CAPTURED, payment.promised_amount = -1);
}

TEST(valid_refunds_belong_to_captured_payments)
{
  REFUSED(PAYMENT_DECLINED, payment.promised_amount = 1);
  REFUSED(PAYMENT_DECLINED, payment.refunded_amount = 1);
  TAKEN(PAYMENT_UNKNOWN, payment.promised_amount = 1);
  TAKEN(PAYMENT_UNKNOWN, of_operator(1));
  REFUSED(PAYMENT_CAPTURED, of_operator(1));
  REFUSED(PAYMENT_REFUNDING, payment.refund_id = (struct bus_uuid){{1}}); /* of no amount */
  REFUSED(PAYMENT_REFUNDING, payment.refund_amount = 1);                  /* of no operator */
}

TEST(valid_refunds_under_way_have_a_key_and_someone_who_asked)
{
  REFUSED(PAYMENT_REFUNDING, payment.refunds = 0);
  REFUSED(PAYMENT_REFUNDING, payment.refund_requested = false);
  TAKEN(PAYMENT_REFUNDING, (of_operator(1), payment.refund_requested = false));
}

TEST(names_are_those_of_the_log_and_the_metrics)
{
  static const char *const states[] = {"none",   "processing", "captured", "declined", "failed",
                                       "voided", "refunding",  "refunded", "unknown",  NULL};
  static const char *const calls[] = {"charge", "refund", "charge_read", "refund_read", NULL};
  static const char *const alarms[] = {"none",         "expired",        "suspect",  "contradiction",
                                       "late_capture", "refund_failing", "disputed", NULL};
  static const char *const inputs[] = {"charge",   "refund",   "refund part", "check",    "due",
                                       "captured", "declined", "refused",     "refunded", "not refunded",
                                       "pending",  "unsure",   "not started", "suspect",  NULL};
  static const char *const moneys[] = {"none", "captured", "refunded", NULL};
  static const char *const refunds[] = {"none", "open", "done", NULL};
  static const struct {
    const char *const *names, *const *expected;
  } lists[] = {{payment_state_names, states}, {payment_call_names, calls},   {payment_alarm_names, alarms},
               {payment_input_names, inputs}, {payment_money_names, moneys}, {refund_state_names, refunds}};
  for (size_t i = 0; i < BUS_COUNT(lists); i++) {
    size_t place = 0;
    for (; lists[i].expected[place]; place++)
      assert_string_equal(lists[i].names[place], lists[i].expected[place]);
    assert_null(lists[i].names[place]);
  }
}

TEST(names_of_calls_tell_reading_from_asking)
{
  struct payment_call call = {.kind = PAYMENT_CALL_CHARGE};
  assert_string_equal(payment_call_names[payment_call_name(&call)], "charge");
  call.read_id[0] = 'p';
  assert_string_equal(payment_call_names[payment_call_name(&call)], "charge_read");
  call.kind = PAYMENT_CALL_REFUND;
  assert_string_equal(payment_call_names[payment_call_name(&call)], "refund_read");
  call.read_id[0] = '\0';
  assert_string_equal(payment_call_names[payment_call_name(&call)], "refund");
}
