/* Cancels and stock updates that nobody answers: what the broker's confirm alone is enough for. */
#include "api_fixture.h"
#include "test.h"

/* ---- cancels ---- */
static int cancel(void) {
  return call("POST /api/orders/{id}/cancel", "{}");
}

TEST(a_cancel_of_an_order_that_is_only_accepted_is_taken_on_the_confirm_and_marked)
{
  set_up();
  confirm_only(5);
  post();
  point_to_order();
  assert_int_equal(cancel(), 500);
  assert_int_equal(fake.status, 202);
  assert_json_has("\"status\":\"ACCEPTED\"");
  assert_non_null(strstr(fake.sent.data, "\"accepted\":true"));
  tear_down();
}

TEST(order_svc_may_keep_such_a_cancel_until_the_order_comes)
{
  static const struct order_answer says_kept = {ORDER_CANCEL_ACCEPTED, NULL};
  set_up();
  confirm_only(5);
  post();
  point_to_order();
  answer(0, 10, &says_kept);
  assert_int_equal(cancel(), 10);
  assert_int_equal(fake.status, 202);
  assert_int_equal(accepted_count(edge.accepted), 1); /* a GET still answers for it */
  tear_down();
}

TEST(a_cancel_of_an_order_that_this_edge_does_not_know_needs_an_answer)
{
  set_up();
  confirm_only(5);
  point_to_order();
  assert_int_equal(cancel(), 2000);
  assert_int_equal(fake.status, 503);
  assert_true(bus_str_is(fake_header("Retry-After"), "1"));
  assert_non_null(strstr(fake.sent.data, "\"accepted\":false"));
  answer(0, 1900, &says_not_found);
  assert_int_equal(cancel(), 1900);
  assert_int_equal(fake.status, 404);
  assert_true(bus_str_is(fake_header("Retry-After"), "1"));
  tear_down();
}

TEST(a_cancel_that_was_answered_before_is_no_longer_marked)
{
  set_up();
  confirm_only(5);
  post();
  answer(0, 10, &says_replayed);
  post();
  point_to_order();
  confirm_only(5);
  (void)cancel();
  assert_int_equal(fake.status, 503);
  tear_down();
}

TEST(cancels_that_are_never_answered_are_503_at_once)
{
  set_up();
  confirm_only(5);
  point_to_order();
  for (int i = 0; i < 5; i++)
    assert_int_equal(cancel(), 2000);
  (void)accept_mode_enter(&edge_sent_command(&edge, &order_cancel_type)->mode,
                          fake.now); /* another client's is the probe */
  assert_int_equal(cancel(), 5);
  assert_int_equal(fake.status, 503);
  tear_down();
}

/* ---- stock updates ---- */
#define STOCK(product, on_hand) "{\"idempotency_key\":\"k\",\"product_id\":\"" product "\",\"on_hand\":" #on_hand "}"

static const struct product_view product = {.product_id = BUS_STR("A"),
                                            .name = BUS_STR("An A"),
                                            .price = 999,
                                            .currency = BUS_STR("EUR"),
                                            .on_hand = 7,
                                            .reserved = 0,
                                            .version = 2,
                                            .stock_version = 5};
static const struct inventory_answer says_updated = {INVENTORY_UPDATED, (struct product_view *)(uintptr_t)&product};

static int update(const char *body) {
  return call("POST /api/inventory/update", body);
}

TEST(a_stock_update_on_the_confirm_says_its_key_and_no_more)
{
  set_up();
  confirm_only(5);
  assert_int_equal(update(STOCK("NOT-THERE", 7)), 500);
  assert_int_equal(fake.status, 202);
  assert_true(bus_str_is(fake.json, "{\"idempotency_key\":\"k\",\"status\":\"ACCEPTED\"}"));
  assert_true(bus_str_is(fake_header("Retry-After"), "1"));
  tear_down();
}

TEST(another_stock_update_under_a_remembered_key_is_422_and_sends_nothing)
{
  set_up();
  confirm_only(5);
  update(STOCK("A", 7));
  int begun = fake.begun;
  assert_int_equal(update(STOCK("A", 9)), 0);
  assert_int_equal(fake.status, 422);
  assert_int_equal(update(STOCK("B", 7)), 0);
  assert_int_equal(fake.status, 422);
  assert_int_equal(fake.begun, begun);
  update(STOCK("A", 7));
  assert_int_equal(fake.status, 202);
  tear_down();
}

TEST(a_stock_update_that_was_answered_is_forgotten)
{
  set_up();
  confirm_only(5);
  update(STOCK("A", 7));
  assert_int_equal(accepted_count(edge.accepted_stock), 1);
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &inventory_answer_type, &says_updated};
  update(STOCK("A", 7));
  assert_int_equal(fake.status, 200);
  assert_int_equal(accepted_count(edge.accepted_stock), 0);
  tear_down();
}

#define DELTA "{\"idempotency_key\":\"k\",\"product_id\":\"A\",\"delta\":-7}"

TEST(a_delta_and_an_update_under_a_condition_need_the_answer)
{
  set_up();
  confirm_only(5);
  assert_int_equal(update(DELTA), 2000);
  assert_int_equal(fake.status, 503);
  assert_non_null(strstr(fake.sent.data, "\"delta\":-7,\"if_exists\":false}"));
  fake.match = BUS_STR("\"2.5\"");
  update(STOCK("A", 7));
  assert_int_equal(fake.status, 503);
  assert_non_null(strstr(fake.sent.data, "\"on_hand\":7,\"if_version\":2,\"if_exists\":true,\"if_stock_version\":5}"));
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &inventory_answer_type, &says_updated};
  assert_int_equal(update(STOCK("A", 7)), 10);
  assert_int_equal(fake.status, 200);
  assert_true(bus_str_is(fake_header("ETag"), "2.5"));
  assert_int_equal(accepted_count(edge.accepted_stock), 0);
  tear_down();
}

TEST(a_condition_that_no_product_keeps_sends_nothing)
{
  set_up();
  fake.match = BUS_STR("W/\"2.5\"");
  assert_int_equal(update(STOCK("A", 7)), 0);
  assert_int_equal(fake.status, 412);
  assert_int_equal(fake.begun, 0);
  tear_down();
}

TEST(of_two_stock_updates_that_were_both_confirmed_the_second_is_refused)
{
  set_up();
  struct bus_uuid id;
  inventory_request_id_of(BUS_STR("k"), &id);
  confirm_only(5);
  update(STOCK("A", 7));
  accepted_forget(edge.accepted_stock, &id);
  (void)accepted_remember(edge.accepted_stock, &id,
                          BUS_STR("0123456789012345678901234567890123456789012345678901234567890123"), fake.now);
  update(STOCK("A", 7));
  assert_int_equal(fake.status, 422);
  tear_down();
}

TEST(orders_and_stock_updates_have_memories_of_their_own)
{
  set_up();
  confirm_only(5);
  post();
  update(STOCK("A", 7));
  assert_int_equal(accepted_count(edge.accepted), 1);
  assert_int_equal(accepted_count(edge.accepted_stock), 1);
  tear_down();
}
