/* Queries over a scripted bus in virtual time: what is known of an order, the time limit, and the breakers. */
#include "api_fixture.h"
#include "test.h"

TEST(an_order_is_read)
{
  set_up();
  point_to_order();
  answer_read(10, &says_found);
  assert_int_equal(call(edge_orders_get, ""), 10);
  assert_int_equal(fake.status, 200);
  answer_read(10, &says_not_found);
  assert_int_equal(call(edge_orders_get, ""), 10);
  assert_int_equal(fake.status, 404);
  assert_true(bus_str_is(fake_header("Retry-After"), "1"));
  tear_down();
}

TEST(an_answer_of_another_order_is_nobody_s)
{
  static struct order_answer other;
  static const struct order_answers others = {&other, 1};
  set_up();
  point_to_order();
  other = says_found;
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &order_answers_type, &others};
  assert_int_equal(call(edge_orders_get, ""), 10);
  assert_int_equal(fake.status, 503);
  tear_down();
}

TEST(what_is_no_id_is_not_asked_for)
{
  set_up();
  fake.segment = BUS_STR("x");
  assert_int_equal(call(edge_orders_get, ""), 0);
  assert_int_equal(fake.status, 404);
  assert_int_equal(call(edge_orders_events, ""), 0);
  assert_int_equal(fake.status, 404);
  assert_int_equal(call(edge_orders_cancel, "{}"), 0);
  assert_int_equal(fake.status, 404);
  fake.segment = BUS_STR("a b");
  assert_int_equal(call(edge_products_get, ""), 0);
  assert_int_equal(fake.status, 404);
  assert_int_equal(fake.begun, 0);
  tear_down();
}

/* Whether order-svc does not know it, is silent, or is not asked at all. */
TEST(an_order_that_is_only_accepted_is_200)
{
  set_up();
  confirm_only(5);
  post();
  point_to_order();
  answer_read(10, &says_not_found);
  assert_int_equal(call(edge_orders_get, ""), 10);
  assert_int_equal(fake.status, 200);
  assert_json_has("\"status\":\"ACCEPTED\"");
  fake.script = fake_silence;
  assert_int_equal(call(edge_orders_get, ""), 2000);
  assert_json_has("\"status\":\"ACCEPTED\"");
  fake.script.is_down = true;
  assert_int_equal(call(edge_orders_get, ""), 0);
  assert_json_has("\"status\":\"ACCEPTED\"");
  tear_down();
}

TEST(an_order_that_was_found_is_no_longer_remembered)
{
  set_up();
  confirm_only(5);
  post();
  point_to_order();
  answer_read(10, &says_found);
  call(edge_orders_get, "");
  assert_int_equal(accepted_count(edge.accepted), 0);
  tear_down();
}

TEST(five_silent_queries_open_the_breaker_of_that_service)
{
  set_up();
  fake.segment = BUS_STR("A");
  for (int i = 0; i < 5; i++) {
    assert_int_equal(call(edge_products_get, ""), 2000);
    assert_int_equal(fake.status, 503);
  }
  int begun = fake.begun;
  assert_int_equal(call(edge_products_get, ""), 0);
  assert_int_equal(fake.status, 503);
  assert_true(bus_str_is(fake_header("Retry-After"), "30"));
  assert_int_equal(fake.begun, begun);
  fake.now += 29 * BUS_SECOND + BUS_SECOND / 2;
  call(edge_products_get, "");
  assert_true(bus_str_is(fake_header("Retry-After"), "1"));
  point_to_order();
  answer_read(10, &says_found);
  call(edge_orders_get, "");
  assert_int_equal(fake.status, 200);
  tear_down();
}

TEST(answers_close_the_breaker_again)
{
  static struct product_view product = {BUS_STR("A"), BUS_STR("A"), 1, BUS_STR("EUR"), 1, 0, 1};
  static const struct inventory_answer has = {INVENTORY_FOUND, &product};
  set_up();
  fake.segment = BUS_STR("A");
  for (int i = 0; i < 5; i++)
    call(edge_products_get, "");
  fake.now += 30 * BUS_SECOND;
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &inventory_answer_type, &has};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(call(edge_products_get, ""), 10);
    assert_int_equal(fake.status, 200);
  }
  assert_int_equal(edge.breakers[EDGE_INVENTORY_SERVICE].breaker.state, BUS_BREAKER_CLOSED);
  tear_down();
}

/* Open, half-open, closed: a line each, and none for a query that is held back. */
TEST(the_log_has_a_line_for_each_change_of_a_breaker)
{
  static struct product_view product = {BUS_STR("A"), BUS_STR("A"), 1, BUS_STR("EUR"), 1, 0, 1};
  static const struct inventory_answer has = {INVENTORY_FOUND, &product};
  set_up();
  fake.segment = BUS_STR("A");
  for (int i = 0; i < 4; i++)
    call(edge_products_get, "");
  assert_int_equal(fake.logged, 0);
  for (int i = 0; i < 50; i++)
    call(edge_products_get, "");
  assert_int_equal(fake.logged, 1);
  fake.now += 30 * BUS_SECOND;
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &inventory_answer_type, &has};
  call(edge_products_get, "");
  assert_int_equal(fake.logged, 2);
  for (int i = 0; i < 50; i++)
    call(edge_products_get, "");
  assert_int_equal(fake.logged, 3);
  tear_down();
}

TEST(a_broker_that_is_away_does_not_open_the_breaker)
{
  set_up();
  fake.segment = BUS_STR("A");
  fake.script.is_down = true;
  for (int i = 0; i < 10; i++)
    assert_int_equal(call(edge_products_get, ""), 0);
  assert_int_equal(edge.breakers[EDGE_INVENTORY_SERVICE].breaker.state, BUS_BREAKER_CLOSED);
  assert_int_equal(fake.begun, 0);
  tear_down();
}

TEST(wrong_and_unknown_query_parameters_are_400)
{
  static const char *const bad[] = {"limit=0", "page=2", "status=DONE", "cursor=x", "customer_id=%00"};
  set_up();
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    fake.query = bad[i];
    call(edge_orders_list, "");
    assert_int_equal(fake.status, 400);
  }
  assert_int_equal(fake.begun, 0);
  tear_down();
}
