/* Deadlines, and when they are looked at: the index must be touched as seldom as can be, and never too late. */
#include "order_schedule.h"
#include "saga.h"

static struct saga saga;

TEST(a_new_order_is_due_by_the_shorter_term)
{
  saga_init(&saga);
  saga_bring_to(&saga, ORDER_PENDING);
  assert_true(saga.order.deadline == SAGA_START + 60 * BUS_SECOND);
  assert_true(saga.order.due_at == SAGA_START + 30 * BUS_SECOND);
  saga_done(&saga);
}

TEST(common_steps_leave_the_index_alone)
{
  saga_init(&saga);
  saga_bring_to(&saga, ORDER_PENDING);
  bus_time due = saga.order.due_at;
  saga.now += 10 * BUS_SECOND;
  saga_tell(&saga, ORDER_ON_STOCK_RESERVED);
  assert_true(saga.order.deadline == saga.now + 60 * BUS_SECOND);
  assert_true(saga.order.due_at == due);
  saga_tell(&saga, ORDER_ON_PAYMENT_CAPTURED);
  assert_true(saga.order.deadline == BUS_NO_TIME);
  assert_true(saga.order.due_at == BUS_NO_TIME);
  saga_done(&saga);
}

TEST(a_reservation_is_expected_for_two_deadlines)
{
  saga_init(&saga);
  saga_bring_to(&saga, ORDER_PENDING);
  assert_true(order_expected_until(&saga.order, &saga_policy, saga.now) == SAGA_START + 120 * BUS_SECOND);
  saga_done(&saga);
}

TEST(looked_at_too_early_it_follows_the_deadline)
{
  saga_init(&saga);
  saga_bring_to(&saga, ORDER_PENDING);
  saga.now = saga.order.due_at;
  saga_tell_body(&saga, ORDER_ON_DEADLINE, NULL);
  assert_int_equal(saga.order.status, ORDER_PENDING);
  assert_true(saga.order.due_at == saga.order.deadline);
  saga_done(&saga);
}

TEST(a_deadline_that_comes_closer_takes_it_along)
{
  saga_init(&saga);
  saga_bring_to(&saga, ORDER_PENDING);
  saga.now = saga.order.due_at;
  saga_tell_body(&saga, ORDER_ON_DEADLINE, NULL); /* due_at is now the deadline, 30 s on */
  saga.now -= BUS_SECOND;
  saga_tell(&saga, ORDER_ON_CANCEL); /* its deadline is 29 s on */
  assert_true(saga.order.deadline == saga.now + 30 * BUS_SECOND);
  assert_true(saga.order.due_at == saga.order.deadline);
  saga_done(&saga);
}

TEST(each_repetition_sets_the_next_one)
{
  saga_init(&saga);
  saga_bring_to(&saga, ORDER_COMPENSATING);
  for (int i = 0; i < 3; i++) {
    saga_tell(&saga, ORDER_ON_DEADLINE);
    assert_true(saga.last.resend);
    assert_int_equal(saga.last.sends, SEND_RELEASE | SEND_REFUND);
    assert_true(saga.order.deadline == saga.now + 30 * BUS_SECOND);
    assert_true(saga.order.due_at == saga.order.deadline);
  }
  saga_done(&saga);
}

/* The clock went back by ten minutes: nothing is undone before its time, and nothing waits ten minutes more. */
TEST(a_deadline_of_before_the_clock_was_set_back_is_set_anew)
{
  saga_init(&saga);
  saga_bring_to(&saga, ORDER_PENDING);
  saga.now -= 10 * BUS_MINUTE;
  saga_tell_body(&saga, ORDER_ON_DEADLINE, NULL);
  assert_int_equal(saga.order.status, ORDER_PENDING);
  assert_true(saga.order.deadline == saga.now + 60 * BUS_SECOND);
  assert_true(saga.order.due_at == saga.order.deadline);
  bus_time deadline = saga.order.deadline;
  saga.now -= 5 * BUS_SECOND;
  saga_tell_body(&saga, ORDER_ON_DEADLINE, NULL);
  assert_true(saga.order.deadline == deadline); /* as far away as it can be */
  saga_done(&saga);
}

TEST(a_replay_moves_no_deadline)
{
  saga_init(&saga);
  saga_bring_to(&saga, ORDER_RESERVED);
  bus_time deadline = saga.order.deadline;
  saga.now += BUS_SECOND;
  saga_tell(&saga, ORDER_ON_PLACE);
  assert_true(saga.order.deadline == deadline);
  saga_done(&saga);
}

TEST(budget_gives_at_most_500_a_second)
{
  struct order_budget budget = {0};
  int64_t now = 1000 * BUS_SECOND, given = 0;
  for (int worker = 0; worker < 8; worker++)
    given += order_budget_take(&budget, now + worker * 100 * BUS_MILLISECOND);
  assert_int_equal(given, ORDER_DUE_PER_SECOND);
  assert_int_equal(order_budget_take(&budget, now + BUS_SECOND), ORDER_DUE_AT_ONCE);
  assert_int_equal(order_budget_take(&budget, now + BUS_SECOND), ORDER_DUE_AT_ONCE);
  assert_int_equal(order_budget_take(&budget, now + BUS_SECOND), 0);
  assert_int_equal(order_budget_take(&budget, now + 2 * BUS_SECOND), ORDER_DUE_AT_ONCE);
}
