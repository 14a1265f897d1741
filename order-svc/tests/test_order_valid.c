/* Tests what makes an order valid: each rule alone is broken in an order that keeps all others; and events that just do
 * or do not fit it. */
#include "saga.h"

static struct saga saga;
static struct order *const order = &saga.order;

static void unprice(void) {
  order->total = BUS_NO_INT64;
  order->currency = BUS_NO_STR;
  for (size_t i = 0; i < order->item_count; i++)
    order->items[i].unit_price = BUS_NO_INT64;
}

static void price(void) {
  order->total = SAGA_TOTAL;
  order->currency = BUS_STR("EUR");
  for (size_t i = 0; i < order->item_count; i++)
    order->items[i].unit_price = 1;
}

static void begin(int state) {
  saga_init(&saga);
  saga_bring_to(&saga, state);
  assert_true(order_is_valid(order));
}

#define CHANGED(state, change, valid)                                                                                  \
  do {                                                                                                                 \
    begin(state);                                                                                                      \
    change;                                                                                                            \
    assert_int_equal(order_is_valid(order), valid);                                                                    \
    saga_done(&saga);                                                                                                  \
  } while (0)
#define REFUSED(state, change) CHANGED(state, change, false)
#define TAKEN(state, change) CHANGED(state, change, true)

TEST(every_order_has_a_status_a_version_items_and_a_request)
{
  REFUSED(ORDER_PENDING, order->status = -1);
  REFUSED(ORDER_PENDING, order->status = ORDER_NONE);
  REFUSED(ORDER_PENDING, order->version = 0);
  REFUSED(ORDER_PENDING, order->item_count = 0);
  REFUSED(ORDER_PENDING, order->customer_id = BUS_NO_STR);
  REFUSED(ORDER_PENDING, order->request_hash = BUS_NO_STR);
}

TEST(prices_total_and_currency_come_together)
{
  static const int priced[] = {ORDER_RESERVED, ORDER_PAID, ORDER_CONFIRMED};
  REFUSED(ORDER_RESERVED, order->items[1].unit_price = BUS_NO_INT64);
  REFUSED(ORDER_PENDING, order->items[0].unit_price = 1);
  REFUSED(ORDER_RESERVED, order->currency = BUS_NO_STR);
  REFUSED(ORDER_PENDING, order->currency = BUS_STR("EUR"));
  REFUSED(ORDER_PENDING, price());
  REFUSED(ORDER_REJECTED, price());
  TAKEN(ORDER_COMPENSATING, unprice());
  for (size_t i = 0; i < BUS_COUNT(priced); i++)
    REFUSED(priced[i], (unprice(), order->captured = order->total));
}

TEST(an_order_that_awaits_its_payment_is_priced_and_paid_later)
{
  REFUSED(ORDER_AWAITING_PAYMENT, unprice());
  REFUSED(ORDER_AWAITING_PAYMENT, order->pay_later = false);
}

TEST(attempts_are_of_orders_that_are_paid_later)
{
  REFUSED(ORDER_RESERVED, order->attempts = -1);
  REFUSED(ORDER_RESERVED, order->attempts = 1);
  TAKEN(ORDER_AWAITING_PAYMENT, order->attempts = ORDER_ATTEMPTS_MAX);
  REFUSED(ORDER_AWAITING_PAYMENT, order->attempts = ORDER_ATTEMPTS_MAX + 1);
}

TEST(a_paid_order_has_captured_its_total)
{
  REFUSED(ORDER_PAID, order->captured--);
  REFUSED(ORDER_CONFIRMED, order->captured++);
  TAKEN(ORDER_COMPENSATING, order->captured = 1);
  REFUSED(ORDER_COMPENSATING, order->captured = -1);
  TAKEN(ORDER_COMPENSATING, order->refunded = 1);
  REFUSED(ORDER_COMPENSATING, order->refunded = -1);
}

TEST(an_order_that_is_undone_says_why)
{
  REFUSED(ORDER_RESERVED, order->reason = BUS_STR("so"));
  REFUSED(ORDER_REJECTED, order->reason = BUS_NO_STR);
  REFUSED(ORDER_COMPENSATING, order->reason = BUS_NO_STR);
  REFUSED(ORDER_CANCELLED, order->reason = BUS_NO_STR);
}

TEST(stock_and_money_of_a_final_order_are_settled)
{
  static const int final[] = {ORDER_CONFIRMED, ORDER_REJECTED, ORDER_CANCELLED};
  for (size_t i = 0; i < BUS_COUNT(final); i++)
    REFUSED(final[i], order->stock_settled = false);
  REFUSED(ORDER_CONFIRMED, order->payment_settled = false);
  REFUSED(ORDER_REJECTED, order->payment_settled = false);
  TAKEN(ORDER_CANCELLED, order->payment_settled = false); /* a capture that came later */
  TAKEN(ORDER_RESERVED, order->payment_settled = true);
}

TEST(an_order_that_is_being_undone_has_something_left_to_undo)
{
  TAKEN(ORDER_COMPENSATING, order->stock_settled = true);
  TAKEN(ORDER_COMPENSATING, order->payment_settled = true);
  REFUSED(ORDER_COMPENSATING, order->stock_settled = order->payment_settled = true);
}

TEST(only_an_order_that_is_not_final_has_a_deadline)
{
  REFUSED(ORDER_CONFIRMED, order->deadline = SAGA_START);
  REFUSED(ORDER_CONFIRMED, order->due_at = SAGA_START);
  REFUSED(ORDER_PENDING, order->deadline = BUS_NO_TIME);
  REFUSED(ORDER_PENDING, order->due_at = BUS_NO_TIME);
  TAKEN(ORDER_PENDING, order->due_at = order->deadline);
  REFUSED(ORDER_PENDING, order->due_at = order->deadline + 1);
}

TEST(an_order_changes_after_it_was_made)
{
  TAKEN(ORDER_PENDING, order->created_at = order->updated_at);
  REFUSED(ORDER_PENDING, order->created_at = order->updated_at + 1);
}

TEST(time_does_not_go_back)
{
  begin(ORDER_RESERVED);
  const struct order_fact refunded = {.type = FACT_PAYMENT_REFUNDED, .amount = 5};
  bus_time before = order->updated_at;
  order_evolve(order, &refunded, before - 1);
  assert_true(order->updated_at == before);
  order_evolve(order, &refunded, before + 1);
  assert_true(order->updated_at == before + 1);
  saga_done(&saga);
}

TEST(an_order_before_its_first_fact_has_no_times)
{
  struct order none;
  order_init(&none, &saga_order_id);
  assert_true(none.created_at == BUS_NO_TIME && none.updated_at == BUS_NO_TIME);
  assert_true(none.deadline == BUS_NO_TIME && none.due_at == BUS_NO_TIME && none.reply_until == BUS_NO_TIME);
}

/* An amount in it, of another version, is no money that was taken. */
TEST(a_refused_payment_is_settled_and_captures_nothing)
{
  const struct order_fact refused = {.type = FACT_PAYMENT_REFUSED, .amount = 5};
  begin(ORDER_RESERVED);
  order_evolve(order, &refused, order->updated_at);
  assert_true(order->payment_settled);
  assert_int_equal(order->captured, 0);
  saga_done(&saga);
}

/* ---- events that fit an order, or do not ---- */

static void assert_unusable(void) {
  saga_tell(&saga, ORDER_ON_STOCK_RESERVED);
  assert_non_null(saga.last.unusable);
  assert_int_equal(order->status, ORDER_PENDING);
  saga_done(&saga);
}

TEST(a_sum_that_overflows_is_unusable)
{
  begin(ORDER_PENDING);
  saga.bodies.priced[0].unit_price = INT64_MAX / 2;
  saga.bodies.priced[1].unit_price = INT64_MAX;
  assert_unusable();
}

TEST(a_reservation_of_more_is_unusable)
{
  const struct stock_item items[] = {{BUS_STR("SKU-1"), 2, 999}, {BUS_STR("SKU-2"), 1, 1}, {BUS_STR("SKU-3"), 1, 0}};
  begin(ORDER_PENDING);
  saga.bodies.reserved.items = (struct stock_item *)items;
  saga.bodies.reserved.item_count = BUS_COUNT(items);
  assert_unusable();
}

TEST(a_capture_that_names_no_currency_confirms)
{
  begin(ORDER_RESERVED);
  saga.bodies.captured.currency = BUS_NO_STR;
  saga_tell(&saga, ORDER_ON_PAYMENT_CAPTURED);
  assert_int_equal(order->status, ORDER_CONFIRMED);
  saga_done(&saga);
}
