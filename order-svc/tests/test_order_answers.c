/* Inputs to answers: who is answered, with which order, and who waits for the end of an order. */
#include "one_order.h"

/* ---- answers ---- */

#define AT_START "\"2026-01-01T00:00:00.000Z\""
#define VIEW(status, reason, items, total, at, version)                                                                \
  "{" ID ",\"customer_id\":\"c-1\",\"status\":\"" status "\"" reason ",\"items\":" items total                         \
  ",\"refunded\":0,\"created_at\":" AT_START ",\"updated_at\":" at ",\"version\":" version "}"
#define PRICED_TOTAL ",\"total\":1999,\"currency\":\"EUR\""

static struct bus_envelope *add_asking(enum order_message message) {
  struct bus_envelope *envelope = rig_add(&rig, message);
  envelope->reply_to = BUS_STR("edge.reply.1");
  return envelope;
}

TEST(placing_is_answered_once_committed)
{
  begin(ORDER_NONE);
  struct bus_envelope *envelope = add_asking(ORDER_ON_PLACE);
  run(ORDER_NONE);
  rig_assert_answers(&rig, 0,
                     "{\"outcome\":\"accepted\",\"order\":" VIEW("PENDING", "", PLAIN_ITEMS, "", AT_START, "1") "}");
  const struct bus_effect *effect = rig_effect(&rig, BUS_EFFECT_ANSWER, 0);
  assert_text(effect->envelope.reply_to, "edge.reply.1");
  assert_memory_equal(&effect->envelope.causation_id, &envelope->message_id, sizeof envelope->message_id);
  assert_null(entry()->now.asker.reply_to.data); /* nobody waits for more */
  rig_done(&rig);
}

TEST(a_replay_is_answered_with_the_order_as_it_is)
{
  begin(ORDER_CONFIRMED);
  add_asking(ORDER_ON_PLACE);
  run(ORDER_CONFIRMED);
  rig_assert_answers(
      &rig, 0,
      "{\"outcome\":\"replayed\",\"order\":" VIEW("CONFIRMED", "", PRICED_ITEMS, PRICED_TOTAL, AT_START, "3") "}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 0);
  assert_false(bus_set_is_changed(&rig.model->orders, entry()));
  rig_done(&rig);
}

TEST(a_key_that_was_used_for_something_else_shows_no_order)
{
  begin(ORDER_PENDING);
  rig.bodies.place.request_hash = BUS_STR("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  rig.bodies.place.wait_ms = 5000;
  add_asking(ORDER_ON_PLACE);
  run(ORDER_PENDING);
  rig_assert_answers(&rig, 0, "{\"outcome\":\"key_reused\"}");
  assert_false(bus_set_is_changed(&rig.model->orders, entry())); /* it takes nobody's place either */
  rig_done(&rig);
}

TEST(cancelling_is_answered)
{
  begin(ORDER_PENDING);
  add_asking(ORDER_ON_CANCEL);
  run(ORDER_PENDING);
  rig_assert_answers(&rig, 0,
                     "{\"outcome\":\"cancel_accepted\",\"order\":" VIEW("COMPENSATING", ",\"reason\":\"customer\"",
                                                                        PLAIN_ITEMS, "", AT_START, "2") "}");
  rig_done(&rig);
}

TEST(cancelling_twice_is_answered_as_it_is)
{
  begin(ORDER_PENDING);
  add_asking(ORDER_ON_CANCEL);
  add_asking(ORDER_ON_CANCEL);
  run(ORDER_PENDING);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_ANSWER), 2);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 1);
  rig_done(&rig);
}

TEST(cancelling_what_is_not_there_is_answered)
{
  begin(ORDER_NONE);
  add_asking(ORDER_ON_CANCEL);
  run(ORDER_NONE);
  rig_assert_answers(&rig, 0, "{\"outcome\":\"not_found\"}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 0);
  rig_done(&rig);
}

TEST(z1_cancelling_someone_elses_order_looks_the_same)
{
  begin(ORDER_PENDING);
  rig.bodies.cancel.customer_id = BUS_STR("c-2");
  add_asking(ORDER_ON_CANCEL);
  run(ORDER_PENDING);
  rig_assert_answers(&rig, 0, "{\"outcome\":\"not_found\"}");
  assert_false(bus_set_is_changed(&rig.model->orders, entry()));
  rig_done(&rig);
}

/* ---- who waits for the end ---- */

static void place_waiting(int64_t wait_ms) {
  begin(ORDER_NONE);
  rig.bodies.place.wait_ms = wait_ms;
  add_asking(ORDER_ON_PLACE);
  run(ORDER_NONE);
  order = entry()->now;
  rig.input_count = 0;
}

TEST(who_waits_is_told_the_end)
{
  place_waiting(5000);
  assert_text(order.asker.reply_to, "edge.reply.1");
  assert_true(order.reply_until == SAGA_START + 5 * BUS_SECOND);
  rig.now += 5 * BUS_SECOND;
  rig_add(&rig, ORDER_ON_STOCK_REJECTED);
  run(ORDER_PENDING);
  rig_assert_answers(&rig, 0,
                     "{\"outcome\":\"final\",\"order\":" VIEW("REJECTED", ",\"reason\":\"out_of_stock: SKU-2\"",
                                                              PLAIN_ITEMS, "", "\"2026-01-01T00:00:05.000Z\"",
                                                              "2") "}");
  const struct bus_effect *effect = rig_effect(&rig, BUS_EFFECT_ANSWER, 0);
  assert_text(effect->envelope.reply_to, "edge.reply.1");
  assert_int_equal(effect->envelope.causation_id.bytes[15], 1); /* the request, not the event */
  assert_null(entry()->now.asker.reply_to.data);
  assert_true(entry()->now.reply_until == BUS_NO_TIME);
  rig_done(&rig);
}

TEST(who_waited_too_long_is_told_nothing)
{
  place_waiting(5000);
  rig.now += 5 * BUS_SECOND + 1;
  rig_add(&rig, ORDER_ON_STOCK_REJECTED);
  run(ORDER_PENDING);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_ANSWER), 0);
  assert_null(entry()->now.asker.reply_to.data);
  rig_done(&rig);
}

TEST(a_replay_that_waits_takes_the_place)
{
  place_waiting(5000);
  rig.now += BUS_SECOND;
  rig_add(&rig, ORDER_ON_STOCK_RELEASED); /* so that message ids differ */
  struct bus_envelope *envelope = add_asking(ORDER_ON_PLACE);
  envelope->reply_to = BUS_STR("edge.reply.2");
  run(ORDER_PENDING);
  assert_text(entry()->now.asker.reply_to, "edge.reply.2");
  assert_int_equal(entry()->now.asker.request_id.bytes[15], 2);
  assert_true(entry()->now.reply_until == rig.now + 5 * BUS_SECOND);
  assert_true(bus_set_is_changed(&rig.model->orders, entry()));
  rig_done(&rig);
}

TEST(a_replay_that_does_not_wait_leaves_it)
{
  place_waiting(5000);
  rig.bodies.place.wait_ms = 0;
  add_asking(ORDER_ON_PLACE)->reply_to = BUS_STR("edge.reply.2");
  run(ORDER_PENDING);
  assert_text(entry()->now.asker.reply_to, "edge.reply.1");
  assert_false(bus_set_is_changed(&rig.model->orders, entry()));
  rig_done(&rig);
}

TEST(waiting_without_an_address_is_not_kept)
{
  begin(ORDER_NONE);
  rig.bodies.place.wait_ms = 5000;
  rig_add(&rig, ORDER_ON_PLACE);
  run(ORDER_NONE);
  assert_null(entry()->now.asker.reply_to.data);
  rig_done(&rig);
}

TEST(an_address_that_no_database_takes_is_not_kept)
{
  begin(ORDER_NONE);
  rig.bodies.place.wait_ms = 5000;
  rig_add(&rig, ORDER_ON_PLACE)->reply_to = BUS_STR("edge\xff");
  run(ORDER_NONE);
  assert_null(entry()->now.asker.reply_to.data);
  assert_int_equal(entry()->now.status, ORDER_PENDING);
  rig_done(&rig);
}

#define TWICE "[{\"product_id\":\"SKU-1\",\"quantity\":2},{\"product_id\":\"SKU-1\",\"quantity\":1}]"

TEST(nonsense_is_accepted_and_rejected_at_once)
{
  begin(ORDER_NONE);
  rig.bodies.items[1].product_id = BUS_STR("SKU-1");
  rig.bodies.place.wait_ms = 5000;
  add_asking(ORDER_ON_PLACE);
  run(ORDER_NONE);
  assert_int_equal(rig.verdict, BUS_DONE);
  rig_assert_emits(&rig, 0, &order_created_type, "{" ID ",\"customer_id\":\"c-1\",\"items\":" TWICE RIG_TIMES "}");
  rig_assert_emits(&rig, 1, &order_rejected_type,
                   "{" ID ",\"customer_id\":\"c-1\",\"items\":" TWICE ",\"reason\":\"product_twice: SKU-1\"" RIG_TIMES
                   "}");
  assert_int_equal(rig_count(&rig, BUS_EFFECT_EMIT), 2);
  assert_int_equal(rig_count(&rig, BUS_EFFECT_ANSWER), 2); /* accepted, and final for who waits */
  assert_true(order_is_valid(&entry()->now));
  assert_true(rig_tally(&rig, 0)->created);
  assert_int_equal(rig_tally(&rig, 0)->finished, ORDER_REJECTED);
  rig_done(&rig);
}
