/* Orders that are paid later: one attempt after another, each sent once, and the limits of how many may be open. */
#include "one_order.h"

#define OTHER_HASH "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct saga saga;

static void bring_to(int state) {
  saga_init(&saga);
  saga_bring_to(&saga, state);
}

static void pay_again(uint8_t key) {
  saga.bodies.pay.pay_id.bytes[0] = key;
  saga_tell(&saga, ORDER_ON_PAY);
}

/* ---- attempts ---- */

TEST(reserved_to_be_paid_later_awaits_the_payment_for_its_time)
{
  bring_to(ORDER_AWAITING_PAYMENT);
  assert_int_equal(saga.last.sends, 0);
  assert_true(saga.order.payment_settled);
  assert_true(saga.order.deadline == saga.now + saga_policy.pay_later);
  assert_true(order_view_of(&saga.order).pay_by == saga.order.deadline);
  saga_tell(&saga, ORDER_ON_CANCEL);
  assert_true(order_view_of(&saga.order).pay_by == BUS_NO_TIME);
  saga_done(&saga);
}

TEST(a_declined_attempt_is_followed_by_the_next_until_the_deadline)
{
  bring_to(SAGA_PAYING);
  bus_time deadline = saga.order.deadline;
  saga_tell(&saga, ORDER_ON_PAYMENT_DECLINED);
  assert_true(saga.order.payment_settled && saga.order.deadline == deadline);
  pay_again(2);
  assert_int_equal(saga.last.outcome, ORDER_PAY_ACCEPTED);
  assert_int_equal(saga.order.attempts, 2);
  saga.bodies.captured.attempt = 2;
  saga_tell(&saga, ORDER_ON_PAYMENT_CAPTURED);
  assert_int_equal(saga.order.status, ORDER_CONFIRMED);
  saga_done(&saga);
}

TEST(no_attempt_begins_while_one_is_open)
{
  bring_to(SAGA_PAYING);
  pay_again(2);
  assert_int_equal(saga.last.outcome, ORDER_PAY_OPEN);
  assert_int_equal(saga.last.sends | saga.last.fact_count, 0);
  saga_done(&saga);
}

TEST(a_repeated_pay_is_answered_and_charges_nothing)
{
  static const enum order_message ends[] = {ORDER_ON_PAYMENT_CAPTURED, ORDER_ON_PAYMENT_DECLINED, ORDER_ON_CANCEL};
  for (size_t i = 0; i < BUS_COUNT(ends); i++) {
    bring_to(SAGA_PAYING);
    saga_tell(&saga, ends[i]);
    saga_tell(&saga, ORDER_ON_PAY);
    assert_int_equal(saga.last.outcome, ORDER_REPLAYED);
    assert_int_equal(saga.last.sends | saga.last.fact_count, 0);
    saga.bodies.pay.request_hash = BUS_STR(OTHER_HASH);
    saga_tell(&saga, ORDER_ON_PAY);
    assert_int_equal(saga.last.outcome, ORDER_KEY_REUSED);
    saga_done(&saga);
  }
}

TEST(the_first_key_is_known_after_the_second_attempt)
{
  bring_to(SAGA_PAYING);
  saga_tell(&saga, ORDER_ON_PAYMENT_DECLINED);
  pay_again(2);
  saga.bodies.refusal.attempt = 2;
  saga_tell(&saga, ORDER_ON_PAYMENT_DECLINED);
  pay_again(1);
  assert_int_equal(saga.last.outcome, ORDER_REPLAYED);
  saga_done(&saga);
}

TEST(someone_elses_order_cannot_be_paid)
{
  bring_to(ORDER_AWAITING_PAYMENT);
  saga.bodies.pay.customer_id = BUS_STR("c-2");
  saga_tell(&saga, ORDER_ON_PAY);
  assert_int_equal(saga.last.outcome, ORDER_NOT_FOUND);
  saga.bodies.pay.customer_id = BUS_NO_STR; /* on behalf of anybody */
  saga_tell(&saga, ORDER_ON_PAY);
  assert_int_equal(saga.last.outcome, ORDER_PAY_ACCEPTED);
  saga_done(&saga);
}

/* The events of one payment may change places. */
TEST(an_operators_refund_that_comes_before_the_capture_lets_no_next_attempt_begin)
{
  for (int cancelled = 0; cancelled < 2; cancelled++) {
    bring_to(SAGA_PAYING);
    saga_tell(&saga, ORDER_ON_PAYMENT_REFUNDED);
    assert_int_equal(saga.order.refunded, SAGA_TOTAL);
    pay_again(2);
    assert_int_equal(saga.last.outcome, ORDER_PAY_OPEN);
    saga_tell(&saga, cancelled ? ORDER_ON_CANCEL : ORDER_ON_PAYMENT_CAPTURED);
    assert_int_equal(saga.order.status, cancelled ? ORDER_COMPENSATING : ORDER_CONFIRMED);
    assert_int_equal(saga.last.sends & SEND_REFUND, cancelled ? SEND_REFUND : 0);
    assert_int_equal(saga.order.refunded, SAGA_TOTAL);
    saga_done(&saga);
  }
}

/* payment-svc gives back by itself what its provider takes after a decline. */
TEST(a_refund_of_an_attempt_that_was_declined_is_no_money_of_the_order)
{
  bring_to(SAGA_PAYING);
  saga_tell(&saga, ORDER_ON_PAYMENT_DECLINED);
  saga_tell(&saga, ORDER_ON_PAYMENT_REFUNDED);
  assert_int_equal(saga.order.refunded, 0);
  assert_true(saga.order.payment_settled);
  saga_done(&saga);
}

/* Events come twice and late: those of an earlier attempt settle nothing. */
TEST(events_of_an_earlier_attempt_are_ignored)
{
  static const enum order_message events[] = {ORDER_ON_PAYMENT_DECLINED, ORDER_ON_PAYMENT_FAILED,
                                              ORDER_ON_PAYMENT_CAPTURED, ORDER_ON_PAYMENT_REFUNDED};
  for (int cancelled = 0; cancelled < 2; cancelled++)
    for (size_t i = 0; i < BUS_COUNT(events); i++) {
      bring_to(SAGA_PAYING);
      saga_tell(&saga, ORDER_ON_PAYMENT_DECLINED);
      pay_again(2);
      if (cancelled)
        saga_tell(&saga, ORDER_ON_CANCEL);
      int status = saga.order.status;
      saga_tell(&saga, events[i]);
      assert_int_equal(saga.last.fact_count | saga.last.sends, 0);
      assert_int_equal(saga.order.status, status);
      assert_false(saga.order.payment_settled);
      saga_done(&saga);
    }
}

TEST(attempts_are_numbered_and_bounded)
{
  bring_to(ORDER_AWAITING_PAYMENT);
  for (int n = 1; n <= ORDER_ATTEMPTS_MAX; n++) {
    pay_again((uint8_t)n);
    assert_int_equal(saga.last.facts[0].attempt, n);
    saga.bodies.refusal.attempt = n;
    saga_tell(&saga, ORDER_ON_PAYMENT_FAILED);
  }
  pay_again(200);
  assert_int_equal(saga.last.outcome, ORDER_PAY_SPENT);
  assert_int_equal(saga.order.status, ORDER_AWAITING_PAYMENT);
  saga_done(&saga);
}

/* ---- the end ---- */

TEST(the_deadline_undoes_and_its_reason_is_not_the_timeout)
{
  bring_to(SAGA_PAYING);
  saga_tell(&saga, ORDER_ON_DEADLINE);
  assert_text(saga.order.reason, ORDER_REASON_UNPAID);
  saga_tell(&saga, ORDER_ON_STOCK_RELEASED);
  assert_int_equal(saga.order.status, ORDER_COMPENSATING);
  saga_tell(&saga, ORDER_ON_PAYMENT_REFUNDED);
  assert_int_equal(saga.order.status, ORDER_CANCELLED);
  saga_done(&saga);
}

TEST(without_an_open_attempt_only_the_stock_is_undone)
{
  bring_to(ORDER_AWAITING_PAYMENT);
  saga_tell(&saga, ORDER_ON_DEADLINE);
  saga_tell(&saga, ORDER_ON_STOCK_RELEASED);
  assert_int_equal(saga.order.status, ORDER_CANCELLED);
  saga_done(&saga);
}

TEST(a_capture_after_the_end_is_refunded)
{
  bring_to(SAGA_PAYING);
  saga_tell(&saga, ORDER_ON_CANCEL);
  saga_tell(&saga, ORDER_ON_STOCK_RELEASED);
  saga.bodies.refunded.amount = 0; /* voided */
  saga_tell(&saga, ORDER_ON_PAYMENT_REFUNDED);
  assert_int_equal(saga.order.status, ORDER_CANCELLED);
  saga_tell(&saga, ORDER_ON_PAYMENT_CAPTURED);
  assert_int_equal(saga.last.sends, SEND_REFUND);
  assert_non_null(saga.last.alarm);
  saga_done(&saga);
}

TEST(a_deadline_of_before_the_clock_was_set_back_is_set_again)
{
  bring_to(ORDER_AWAITING_PAYMENT);
  saga.now = saga.order.deadline - order_longest_wait_for_payment(&saga_policy);
  saga_tell_body(&saga, ORDER_ON_DEADLINE, NULL);
  bus_time before = saga.order.deadline;
  saga.now--;
  saga_tell_body(&saga, ORDER_ON_DEADLINE, NULL);
  assert_true(saga.order.deadline < before && saga.order.deadline == saga.now + saga_policy.pay_later);
  assert_int_equal(saga.order.status, ORDER_AWAITING_PAYMENT);
  saga_done(&saga);
}

/* ---- messages ---- */

TEST(placing_asks_for_a_reservation_until_the_payments_deadline)
{
  begin(ORDER_NONE);
  rig.bodies.place.pay_later = true;
  rig.bodies.place.payment_token = BUS_NO_STR;
  rig_add(&rig, ORDER_ON_PLACE);
  run(ORDER_NONE);
  rig_assert_emits(&rig, 0, &inventory_reserve_type,
                   "{" ID ",\"items\":" PLAIN_ITEMS
                   ",\"expected_total\":1999,\"expected_until\":\"2026-01-01T00:17:00.000Z\"}");
  assert_true(entry()->now.pay_later);
  rig_done(&rig);
}

TEST(paying_charges_by_the_number_and_a_cancel_refunds_it)
{
  begin(ORDER_AWAITING_PAYMENT);
  rig.bodies.pay.payment_token = BUS_STR("pm_card_mastercard");
  rig_add(&rig, ORDER_ON_PAY);
  rig_add(&rig, ORDER_ON_PAY); /* the same again, in one batch */
  rig_add(&rig, ORDER_ON_CANCEL);
  run(ORDER_AWAITING_PAYMENT);
  rig_assert_emits(&rig, 0, &payment_charge_type,
                   "{" ID ",\"amount\":1999,\"currency\":\"EUR\",\"token\":\"pm_card_mastercard\",\"attempt\":1}");
  rig_assert_emits(&rig, 1, &inventory_release_type, "{" ID "}");
  rig_assert_emits(&rig, 2, &payment_refund_type, "{" ID ",\"attempt\":1}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 3);
  assert_null(entry()->now.payment_token.data);
  rig_done(&rig);
}

TEST(an_order_without_a_token_is_parked_unless_it_is_paid_later)
{
  begin(ORDER_NONE);
  rig.bodies.place.payment_token = BUS_NO_STR;
  rig_add(&rig, ORDER_ON_PLACE);
  run(ORDER_NONE);
  assert_int_equal(rig.verdict, BUS_PARK);
  rig_done(&rig);
}

/* ---- limits ---- */

static const struct order *placed(size_t index) {
  return &((const struct order_entry *)bus_set_at(&rig.model->orders, index))->now;
}

/* Seven orders of c-1 to be paid later, in one batch. */
static void place_seven(void) {
  static struct order_place places[7];
  begin(ORDER_NONE);
  for (uint8_t i = 0; i < 7; i++) {
    places[i] = rig.bodies.place;
    places[i].order_id.bytes[15] = i;
    places[i].pay_later = true;
    places[i].payment_token = BUS_NO_STR;
    rig_add_body(&rig, &order_place_type, &places[i]);
  }
  run(ORDER_NONE);
}

TEST(the_sixth_unpaid_order_of_a_customer_is_rejected_with_a_reason)
{
  place_seven();
  for (size_t i = 0; i < 7; i++)
    assert_int_equal(placed(i)->status, i < 5 ? ORDER_PENDING : ORDER_REJECTED);
  assert_text(placed(5)->reason, "too_many_unpaid_orders: of this customer");
  rig_done(&rig);
}

TEST(room_for_orders_that_are_paid_later)
{
  assert_int_equal(order_room_for(9, 4, &rig_unpaid_limits), ORDER_ROOM);
  assert_int_equal(order_room_for(9, 5, &rig_unpaid_limits), ORDER_ROOM_CUSTOMER_FULL);
  assert_int_equal(order_room_for(10, 0, &rig_unpaid_limits), ORDER_ROOM_FULL);
}
