/* Inputs to effects: golden messages, deadlines, several inputs of one order in a batch, and what is counted. */
#include "one_order.h"

#include <stdio.h>

/* ---- golden messages of each step ---- */

static const struct order *order_at(size_t index) {
  return bus_set_at(&rig.model->orders, index);
}

TEST(placing_asks_inventory)
{
  begin(ORDER_NONE);
  rig_add(&rig, ORDER_ON_PLACE);
  run(ORDER_NONE);
  rig_assert_emits(&rig, 0, &inventory_reserve_type,
                   "{" ID ",\"items\":" PLAIN_ITEMS
                   ",\"expected_total\":1999,\"expected_until\":\"2026-01-01T00:02:00.000Z\"}");
  rig_assert_emits(&rig, 1, &order_created_type,
                   "{" ID ",\"customer_id\":\"c-1\",\"items\":" PLAIN_ITEMS RIG_TIMES "}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 2);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_ANSWER), 0); /* nobody asked for one */
  assert_false(bus_set_is_stored(&rig.model->orders, entry()));
  assert_text(entry()->now.payment_token, "pm_card_visa");
  rig_done(&rig);
}

TEST(reserved_asks_for_payment_and_forgets_the_token)
{
  begin(ORDER_PENDING);
  rig_add(&rig, ORDER_ON_STOCK_RESERVED);
  run(ORDER_PENDING);
  rig_assert_emits(&rig, 0, &payment_charge_type,
                   "{" ID ",\"amount\":1999,\"currency\":\"EUR\",\"token\":\"pm_card_visa\"}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 1);
  assert_null(entry()->now.payment_token.data);
  assert_true(bus_set_is_changed(&rig.model->orders, entry()));
  rig_done(&rig);
}

#define CONFIRMED(times)                                                                                               \
  "{" ID ",\"customer_id\":\"c-1\",\"items\":" PRICED_ITEMS ",\"total\":1999,\"currency\":\"EUR\"" times "}"

TEST(captured_is_confirmed_and_told_to_all)
{
  begin(ORDER_RESERVED);
  rig_add(&rig, ORDER_ON_PAYMENT_CAPTURED);
  run(ORDER_RESERVED);
  rig_assert_emits(&rig, 0, &order_confirmed_type, CONFIRMED(RIG_TIMES));
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 1);
  assert_int_equal(rig_tally(&rig, 0)->finished, ORDER_CONFIRMED);
  rig_done(&rig);
}

TEST(an_order_of_the_release_before_is_confirmed_by_its_deadline_or_by_inventory)
{
  static const enum order_message ways[] = {ORDER_ON_DEADLINE, ORDER_ON_STOCK_COMMITTED};
  for (size_t i = 0; i < BUS_COUNT(ways); i++) {
    begin(ORDER_PAID);
    rig.now = order.deadline;
    rig_add(&rig, ways[i]);
    run(ORDER_PAID);
    rig_assert_emits(&rig, 0, &order_confirmed_type, CONFIRMED(RIG_TIMES_AT("00:00:30")));
    assert_int_equal(entry()->first->type, FACT_CONFIRMED);
    rig_done(&rig);
  }
}

TEST(held_stock_is_answered_again_under_a_new_id)
{
  begin(ORDER_CONFIRMED);
  rig_add(&rig, ORDER_ON_STOCK_HELD);
  rig_add(&rig, ORDER_ON_STOCK_HELD);
  run(ORDER_CONFIRMED);
  rig_assert_emits(&rig, 1, &order_confirmed_type, CONFIRMED(RIG_TIMES));
  assert_false(bus_uuid_equal(&rig_effect(&rig, BUS_EFFECT_EMIT, 0)->envelope.message_id,
                              &rig_effect(&rig, BUS_EFFECT_EMIT, 1)->envelope.message_id));
  assert_false(bus_set_is_changed(&rig.model->orders, entry()));
  assert_int_equal(rig_tally(&rig, 0)->resent, SEND_CONFIRMED);
  rig_done(&rig);
  begin(ORDER_CANCELLED);
  rig_add(&rig, ORDER_ON_STOCK_HELD);
  run(ORDER_CANCELLED);
  rig_assert_emits(&rig, 0, &inventory_release_type, "{" ID "}");
  rig_done(&rig);
}

TEST(missing_stock_is_kept_in_the_log_and_alarmed)
{
  begin(ORDER_CONFIRMED);
  rig_add(&rig, ORDER_ON_STOCK_MISSING);
  run(ORDER_CONFIRMED);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 0);
  assert_int_equal(entry()->first->type, FACT_STOCK_MISSING);
  assert_non_null(rig_tally(&rig, 0)->alarm);
  assert_int_equal(rig_tally(&rig, 0)->status, ORDER_CONFIRMED);
  assert_int_equal(rig_tally(&rig, 0)->finished, -1);
  rig_done(&rig);
}

TEST(rejected_is_told_to_all)
{
  begin(ORDER_PENDING);
  rig_add(&rig, ORDER_ON_STOCK_REJECTED);
  run(ORDER_PENDING);
  rig_assert_emits(&rig, 0, &order_rejected_type,
                   "{" ID ",\"customer_id\":\"c-1\",\"items\":" PLAIN_ITEMS
                   ",\"reason\":\"out_of_stock: SKU-2\"" RIG_TIMES "}");
  assert_null(entry()->now.payment_token.data);
  rig_done(&rig);
}

TEST(compensation_asks_for_both)
{
  begin(ORDER_RESERVED);
  rig_add(&rig, ORDER_ON_CANCEL);
  run(ORDER_RESERVED);
  rig_assert_emits(&rig, 0, &inventory_release_type, "{" ID "}");
  rig_assert_emits(&rig, 1, &payment_refund_type, "{" ID "}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 2);
  rig_done(&rig);
}

#define REFUNDED(amount)                                                                                               \
  "{" ID ",\"customer_id\":\"c-1\",\"refunded\":" amount ",\"total\":1999,\"currency\":\"EUR\"" RIG_TIMES "}"

TEST(a_refund_is_told_to_all)
{
  begin(ORDER_CONFIRMED);
  rig.bodies.refunded.amount = 7;
  rig.bodies.refunded.left = SAGA_TOTAL - 7;
  rig_add(&rig, ORDER_ON_PAYMENT_REFUNDED);
  rig_add(&rig, ORDER_ON_PAYMENT_REFUNDED); /* the same sum again */
  run(ORDER_CONFIRMED);
  rig_assert_emits(&rig, 0, &order_refunded_type, REFUNDED("7"));
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 1);
  rig_done(&rig);
}

TEST(a_refund_of_a_payment_that_was_never_captured_is_not_told)
{
  begin(ORDER_COMPENSATING);
  rig.bodies.refunded.amount = 0;
  rig_add(&rig, ORDER_ON_PAYMENT_REFUNDED);
  run(ORDER_COMPENSATING);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 0);
  rig_done(&rig);
}

TEST(cancelled_is_told_to_all)
{
  begin(ORDER_COMPENSATING);
  rig_add(&rig, ORDER_ON_STOCK_RELEASED);
  rig_add(&rig, ORDER_ON_PAYMENT_REFUNDED);
  run(ORDER_COMPENSATING);
  rig_assert_emits(&rig, 0, &order_refunded_type, REFUNDED("1999"));
  rig_assert_emits(&rig, 1, &order_cancelled_type,
                   "{" ID ",\"customer_id\":\"c-1\",\"items\":" PRICED_ITEMS
                   ",\"total\":1999,\"currency\":\"EUR\",\"reason\":\"customer\"" RIG_TIMES "}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 2);
  assert_int_equal(rig_tally(&rig, 0)->finished, ORDER_CANCELLED);
  rig_done(&rig);
}

TEST(messages_name_their_cause_and_trace)
{
  static const struct bus_trace trace = {.trace_id = {7}, .span_id = {8}, .flags = 1};
  begin(ORDER_RESERVED);
  struct bus_envelope *envelope = rig_add(&rig, ORDER_ON_PAYMENT_CAPTURED);
  envelope->trace = trace;
  run(ORDER_RESERVED);
  const struct bus_effect *effect = rig_effect(&rig, BUS_EFFECT_EMIT, 0);
  assert_memory_equal(&effect->envelope.causation_id, &envelope->message_id, sizeof envelope->message_id);
  assert_memory_equal(&effect->envelope.trace, &trace, sizeof trace);
  rig_done(&rig);
}

/* ---- deadlines ---- */

TEST(a_deadline_sends_with_the_requests_trace)
{
  begin(ORDER_PENDING);
  order.cause = (struct bus_cause){.trace = {.trace_id = {9}, .span_id = {1}, .flags = 1}, .message_id = {{5}}};
  rig.now = order.deadline;
  rig_add(&rig, ORDER_ON_DEADLINE);
  run(ORDER_PENDING);
  const struct bus_effect *effect = rig_effect(&rig, BUS_EFFECT_EMIT, 0);
  assert_string_equal(effect->type->type, "inventory.release.v1");
  assert_memory_equal(effect->envelope.trace.trace_id, order.cause.trace.trace_id, 16);
  assert_true(bus_uuid_equal(&effect->envelope.causation_id, &order.cause.message_id));
  rig_done(&rig);
}

TEST(a_deadline_sends_open_commands_again)
{
  begin(ORDER_COMPENSATING);
  rig.now = order.deadline;
  rig_add(&rig, ORDER_ON_DEADLINE);
  run(ORDER_COMPENSATING);
  rig_assert_emits(&rig, 0, &inventory_release_type, "{" ID "}");
  rig_assert_emits(&rig, 1, &payment_refund_type, "{" ID "}");
  assert_int_equal(entry()->now.resends, 1);
  assert_true(bus_set_is_changed(&rig.model->orders, entry()));
  assert_null(entry()->first); /* nothing happened that the log should tell */
  assert_int_equal(rig_tally(&rig, 0)->resent, SEND_RELEASE | SEND_REFUND);
  rig_done(&rig);
}

TEST(an_early_look_only_moves_the_next_one)
{
  begin(ORDER_PENDING);
  rig.now = order.due_at;
  rig_add(&rig, ORDER_ON_DEADLINE);
  run(ORDER_PENDING);
  assert_int_equal(rig.effects.count, 0);
  assert_true(bus_set_is_changed(&rig.model->orders, entry()));
  assert_true(entry()->now.due_at == order.deadline);
  rig_done(&rig);
}

TEST(a_deadline_of_no_order_is_nothing)
{
  begin(ORDER_NONE);
  rig_add(&rig, ORDER_ON_DEADLINE);
  run(ORDER_NONE);
  assert_int_equal(rig.effects.count, 0);
  assert_int_equal(entry()->now.status, ORDER_NONE);
  assert_false(bus_set_is_changed(&rig.model->orders, entry()));
  rig_done(&rig);
}

/* ---- batches ---- */

TEST(a_whole_saga_in_one_batch)
{
  static const char *const names[] = {"order.created", "order.reserved", "order.confirmed"};
  begin(ORDER_NONE);
  rig_add(&rig, ORDER_ON_PLACE);
  rig_add(&rig, ORDER_ON_STOCK_RESERVED);
  rig_add(&rig, ORDER_ON_PAYMENT_CAPTURED);
  run(ORDER_NONE);
  assert_int_equal(rig.model->orders.count, 1);
  assert_int_equal(entry()->now.status, ORDER_CONFIRMED);
  const struct order_record *record = entry()->first;
  for (size_t i = 0; i < BUS_COUNT(names); i++, record = record->next) {
    assert_non_null(record);
    assert_int_equal(record->seq, i + 1);
    assert_string_equal(order_fact_names[record->type], names[i]);
  }
  assert_null(record);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 4);
  rig_done(&rig);
}

TEST(orders_of_a_batch_are_sorted_and_kept_apart)
{
  struct order_place second;
  struct order_cancel third = {.order_id = {{0x00, 1}}, .customer_id = BUS_NO_STR, .reason = BUS_NO_STR};
  begin(ORDER_NONE);
  second = rig.bodies.place;
  second.order_id.bytes[0] = 0xff;
  rig_add_body(&rig, &order_place_type, &second);
  rig_add(&rig, ORDER_ON_PLACE);
  rig_add_body(&rig, &order_cancel_type, &third);
  rig_add(&rig, ORDER_ON_CANCEL);
  run(ORDER_NONE);
  assert_int_equal(rig.model->orders.count, 3);
  for (size_t i = 1; i < 3; i++)
    assert_true(bus_uuid_compare(&order_at(i - 1)->order_id, &order_at(i)->order_id) < 0);
  assert_int_equal(order_at(0)->status, ORDER_NONE);
  assert_int_equal(entry()->now.status, ORDER_COMPENSATING);
  assert_int_equal(order_at(2)->status, ORDER_PENDING);
  rig_done(&rig);
}

/* ---- what is parked ---- */

TEST(an_event_of_no_order_is_parked)
{
  begin(ORDER_NONE);
  rig_add(&rig, ORDER_ON_PAYMENT_CAPTURED);
  run(ORDER_NONE);
  assert_int_equal(rig.verdict, BUS_PARK);
  assert_string_equal(rig.effects.reason, "payment.captured in state none: no such order");
  rig_done(&rig);
}

TEST(a_contradiction_is_parked_and_changes_nothing)
{
  begin(ORDER_RESERVED);
  rig.bodies.captured.amount = 1;
  rig_add(&rig, ORDER_ON_PAYMENT_CAPTURED);
  run(ORDER_RESERVED);
  assert_int_equal(rig.verdict, BUS_PARK);
  assert_int_equal(rig.effects.count, 0);
  assert_false(bus_set_is_changed(&rig.model->orders, entry()));
  rig_done(&rig);
}

TEST(a_message_of_others_is_parked)
{
  begin(ORDER_NONE);
  rig_add_body(&rig, &order_ping_type, &rig.bodies);
  run(ORDER_NONE);
  assert_int_equal(rig.verdict, BUS_PARK);
  assert_int_equal(rig.model->orders.count, 0);
  rig_done(&rig);
}

/* ---- what is counted ---- */

TEST(alarms_are_counted_with_their_order)
{
  begin(ORDER_RESERVED);
  rig_add(&rig, ORDER_ON_STOCK_REJECTED);
  run(ORDER_RESERVED);
  const struct order_tally *tally = rig_tally(&rig, 0);
  assert_non_null(tally->alarm);
  assert_int_equal(tally->status, ORDER_COMPENSATING);
  assert_memory_equal(&tally->order_id, &saga_order_id, sizeof saga_order_id);
  rig_done(&rig);
}

TEST(ignored_messages_leave_no_trace)
{
  begin(ORDER_CONFIRMED);
  rig_add(&rig, ORDER_ON_STOCK_COMMITTED);
  rig_add(&rig, ORDER_ON_PAYMENT_CAPTURED);
  rig_add(&rig, ORDER_ON_STOCK_RESERVED);
  rig_add(&rig, ORDER_ON_DEADLINE);
  run(ORDER_CONFIRMED);
  assert_int_equal(rig.effects.count, 0);
  assert_false(bus_set_is_changed(&rig.model->orders, entry()));
  rig_done(&rig);
}

TEST(revenue_is_what_a_confirmed_order_paid)
{
  begin(ORDER_RESERVED);
  rig_add(&rig, ORDER_ON_PAYMENT_CAPTURED);
  run(ORDER_RESERVED);
  assert_int_equal(rig_tally(&rig, 0)->earned, 1999);
  assert_string_equal(rig_tally(&rig, 0)->currency, "EUR");
  rig_done(&rig);
  begin(ORDER_COMPENSATING);
  rig_add(&rig, ORDER_ON_STOCK_RELEASED);
  rig_add(&rig, ORDER_ON_PAYMENT_REFUNDED);
  run(ORDER_COMPENSATING);
  assert_int_equal(rig_tally(&rig, 0)->earned, 0);
  rig_done(&rig);
}

TEST(the_age_of_what_finished)
{
  begin(ORDER_RESERVED);
  rig.now += 3 * BUS_SECOND;
  rig_add(&rig, ORDER_ON_PAYMENT_CAPTURED);
  run(ORDER_RESERVED);
  assert_true(rig_tally(&rig, 0)->age == 3 * BUS_SECOND);
  rig_done(&rig);
}

/* ---- the batch ---- */

static void conclude(void) {
  bus_effects_begin(&rig.effects, NULL);
  order_conclude(rig.model, &rig.effects);
  assert_false(rig.effects.failed);
}

TEST(a_batch_tells_which_orders_have_changed)
{
  char expected[256];
  begin(ORDER_PENDING);
  rig_add(&rig, ORDER_ON_STOCK_RESERVED);
  rig_add(&rig, ORDER_ON_PAYMENT_CAPTURED);
  run(ORDER_PENDING);
  conclude();
  (void)snprintf(expected, sizeof expected, "{\"orders\":[{" ID ",\"version\":%d,\"status\":\"CONFIRMED\"}]}",
                 (int)entry()->now.version);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_NOTICE), 1);
  assert_ptr_equal(rig_effect(&rig, BUS_EFFECT_NOTICE, 0)->type, &order_changed_type);
  assert_text(rig_effect(&rig, BUS_EFFECT_NOTICE, 0)->body, expected);
  rig_done(&rig);
}

TEST(a_batch_that_changed_no_order_tells_nothing)
{
  begin(ORDER_CONFIRMED);
  rig_add(&rig, ORDER_ON_CANCEL);
  run(ORDER_CONFIRMED);
  conclude();
  assert_int_equal(rig_count(&rig, BUS_EFFECT_NOTICE), 0);
  rig_done(&rig);
}
