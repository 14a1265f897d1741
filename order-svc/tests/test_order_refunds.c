/* Refunds of operators: shown with the order, and never taken for the end of an undone order's refund. */
#include "saga.h"

static struct saga saga;

static void begin(int state) {
  saga_init(&saga);
  saga_bring_to(&saga, state);
}

static void tell_refund(int64_t amount, int64_t left) {
  saga.bodies.refunded.amount = amount;
  saga.bodies.refunded.left = left;
  saga_tell(&saga, ORDER_ON_PAYMENT_REFUNDED);
}

TEST(a_confirmed_order_shows_what_an_operator_refunded)
{
  begin(ORDER_CONFIRMED);
  tell_refund(1, SAGA_TOTAL - 1);
  assert_int_equal(saga.last.fact_count, 1);
  assert_int_equal(saga.order.refunded, 1);
  assert_int_equal(order_view_of(&saga.order).refunded, 1);
  tell_refund(1, SAGA_TOTAL - 1);
  assert_int_equal(saga.last.fact_count, 0);
  tell_refund(SAGA_TOTAL, 0);
  assert_int_equal(saga.order.refunded, SAGA_TOTAL);
  tell_refund(2, SAGA_TOTAL - 2); /* late */
  assert_int_equal(saga.order.refunded, SAGA_TOTAL);
  assert_int_equal(saga.order.status, ORDER_CONFIRMED);
  assert_null(saga.last.alarm);
  tell_refund(SAGA_TOTAL + 1, 0);
  assert_non_null(saga.last.alarm);
  saga_done(&saga);
}

TEST(a_part_that_came_back_before_its_capture_is_kept)
{
  begin(ORDER_RESERVED);
  tell_refund(1, SAGA_TOTAL - 1);
  assert_int_equal(saga.order.captured, SAGA_TOTAL);
  assert_false(saga.order.payment_settled);
  saga_tell(&saga, ORDER_ON_PAYMENT_CAPTURED);
  assert_int_equal(saga.order.status, ORDER_CONFIRMED);
  assert_int_equal(saga.order.refunded, 1);
  saga_done(&saga);
}

/* payment-svc does not tell the capture of a payment whose refund was asked before. */
TEST(a_part_settles_nothing_of_an_order_that_is_undone)
{
  begin(ORDER_COMPENSATING);
  tell_refund(1, SAGA_TOTAL - 1);
  assert_false(saga.order.payment_settled);
  assert_int_equal(saga.order.status, ORDER_COMPENSATING);
  assert_null(saga.last.alarm);
  tell_refund(SAGA_TOTAL, 0);
  assert_true(saga.order.payment_settled);
  saga_done(&saga);
}
