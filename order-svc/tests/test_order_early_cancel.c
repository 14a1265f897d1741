/* A cancel that comes before its order: what it decides, and what a batch says and sends. */
#include "rig.h"

static struct saga saga;

static void begin(int state) {
  saga_init(&saga);
  saga_bring_to(&saga, state);
}

/* As the edge marks a cancel of an order that it accepted on the broker's confirm. */
static void keep_cancel(struct bus_str customer_id, struct bus_str reason) {
  const struct order_cancel cancel = {saga_order_id, customer_id, reason, true};
  saga_tell_body(&saga, ORDER_ON_CANCEL, &cancel);
}

TEST(a_cancel_before_its_order_leaves_it_cancelled_and_asks_nothing)
{
  begin(ORDER_NONE);
  keep_cancel(BUS_NO_STR, BUS_NO_STR);
  assert_int_equal(saga.last.outcome, ORDER_CANCEL_ACCEPTED);
  assert_true(saga.last.keeps_cancel);
  saga_tell(&saga, ORDER_ON_PLACE);
  assert_int_equal(saga.order.status, ORDER_CANCELLED);
  assert_text(saga.order.reason, "customer");
  assert_int_equal(saga.last.outcome, ORDER_ACCEPTED);
  assert_int_equal(saga.last.sends, 0);
  assert_true(saga.order.stock_settled && saga.order.payment_settled);
  assert_int_equal(saga.order.version, 4);
  saga_tell(&saga, ORDER_ON_PLACE);
  assert_int_equal(saga.last.outcome, ORDER_REPLAYED);
  saga_tell(&saga, ORDER_ON_CANCEL);
  assert_int_equal(saga.last.outcome, ORDER_CANCEL_DONE);
  saga_done(&saga);
}

TEST(a_cancel_before_its_order_twice_keeps_the_first_reason)
{
  begin(ORDER_NONE);
  keep_cancel(BUS_NO_STR, BUS_STR("too dear"));
  keep_cancel(BUS_NO_STR, BUS_STR("found it"));
  assert_int_equal(saga.last.outcome, ORDER_CANCEL_ACCEPTED);
  assert_false(saga.last.keeps_cancel);
  saga_tell(&saga, ORDER_ON_PLACE);
  assert_text(saga.order.reason, "customer: too dear");
  saga_done(&saga);
}

TEST(a_cancel_that_is_not_marked_leaves_nothing_behind)
{
  begin(ORDER_NONE);
  saga_tell(&saga, ORDER_ON_CANCEL);
  assert_int_equal(saga.last.outcome, ORDER_NOT_FOUND);
  assert_false(saga.last.keeps_cancel);
  saga_tell(&saga, ORDER_ON_PLACE);
  assert_int_equal(saga.order.status, ORDER_PENDING);
  saga_done(&saga);
}

TEST(z1_someone_elses_cancel_before_the_order_leaves_the_order_alone)
{
  begin(ORDER_NONE);
  keep_cancel(BUS_STR("c-2"), BUS_NO_STR);
  saga_tell(&saga, ORDER_ON_PLACE);
  assert_int_equal(saga.order.status, ORDER_PENDING);
  saga_done(&saga);
}

TEST(z1_someone_elses_cancel_does_not_stand_in_the_owners_way)
{
  begin(ORDER_NONE);
  keep_cancel(BUS_STR("c-2"), BUS_STR("a guess"));
  keep_cancel(BUS_STR("c-1"), BUS_STR("mine"));
  assert_true(saga.last.keeps_cancel);
  keep_cancel(BUS_STR("c-3"), BUS_STR("another guess"));
  saga_tell(&saga, ORDER_ON_PLACE);
  assert_int_equal(saga.order.status, ORDER_CANCELLED);
  assert_text(saga.order.reason, "customer: mine");
  saga_done(&saga);
}

TEST(z1_someone_elses_order_that_is_there_keeps_no_cancel)
{
  begin(ORDER_PENDING);
  keep_cancel(BUS_STR("c-2"), BUS_NO_STR);
  assert_int_equal(saga.last.outcome, ORDER_NOT_FOUND);
  assert_false(saga.last.keeps_cancel);
  assert_int_equal(saga.order.status, ORDER_PENDING);
  saga_done(&saga);
}

TEST(a_marked_cancel_of_an_order_that_is_there_is_as_any)
{
  static const int outcomes[] = {[ORDER_PENDING] = ORDER_CANCEL_ACCEPTED, [ORDER_CONFIRMED] = ORDER_CANCEL_TOO_LATE};
  for (int from = ORDER_PENDING; from <= ORDER_CONFIRMED; from += ORDER_CONFIRMED - ORDER_PENDING) {
    begin(from);
    keep_cancel(BUS_NO_STR, BUS_NO_STR);
    assert_int_equal(saga.last.outcome, outcomes[from]);
    assert_false(saga.last.keeps_cancel);
    saga_done(&saga);
  }
}

/* ---- in a batch ---- */

static struct rig rig;

static void run(void) {
  rig_run(&rig, NULL);
  assert_false(rig.effects.failed);
}

static const struct order_entry *entry(void) {
  return order_model_find(rig.model, &saga_order_id);
}

#define ID "\"order_id\":\"" SAGA_ID_TEXT "\""
#define PLAIN_ITEMS "[{\"product_id\":\"SKU-1\",\"quantity\":2},{\"product_id\":\"SKU-2\",\"quantity\":1}]"

static void add_marked_cancel(void) {
  rig.bodies.cancel.accepted = true;
  rig_add(&rig, ORDER_ON_CANCEL)->reply_to = BUS_STR("edge.reply.1");
}

TEST(a_cancel_before_its_order_is_answered_without_an_order)
{
  rig_init(&rig);
  add_marked_cancel();
  add_marked_cancel();
  run();
  rig_assert_answers(&rig, 0, "{\"outcome\":\"cancel_accepted\"}");
  rig_assert_answers(&rig, 1, "{\"outcome\":\"cancel_accepted\"}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 0);
  assert_int_equal(entry()->now.status, ORDER_NONE);
  assert_non_null(entry()->now.tombstones);
  assert_null(entry()->now.tombstones->next);
  assert_null(rig_tally(&rig, 0));
  rig_done(&rig);
}

TEST(an_order_behind_its_cancel_is_told_to_all_and_nobody_is_asked)
{
  rig_init(&rig);
  add_marked_cancel();
  rig.bodies.place.wait_ms = 5000;
  rig_add(&rig, ORDER_ON_PLACE)->reply_to = BUS_STR("edge.reply.2");
  rig_add(&rig, ORDER_ON_PLACE)->reply_to = BUS_STR("edge.reply.3");
  run();
  rig_assert_emits(&rig, 0, &order_created_type,
                   "{" ID ",\"customer_id\":\"c-1\",\"items\":" PLAIN_ITEMS RIG_TIMES "}");
  rig_assert_emits(&rig, 1, &order_cancelled_type,
                   "{" ID ",\"customer_id\":\"c-1\",\"items\":" PLAIN_ITEMS ",\"reason\":\"customer\"" RIG_TIMES "}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 2);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_ANSWER),
                   4); /* the cancel, the order twice, and its final state at once */
  assert_int_equal(rig_tally(&rig, 0)->finished, ORDER_CANCELLED);
  assert_true(rig_tally(&rig, 0)->created);
  assert_null(entry()->now.payment_token.data);
  assert_true(entry()->now.deadline == BUS_NO_TIME);
  rig_done(&rig);
}
