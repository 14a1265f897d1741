/* Stock set and changed from outside, and the products it belongs to: answers, repeats, refusals. */
#include "shelf.h"

#include <test.h>

static const char updated_to_3[] =
    "{\"outcome\":\"updated\",\"product\":{\"product_id\":\"SKU-1\",\"name\":\"A thing\","
    "\"price\":250,\"currency\":\"EUR\",\"on_hand\":3,\"reserved\":0,\"version\":1,\"withdrawn\":false,\"stock_"
    "version\":2}}";

TEST(set_stock_answers_with_the_product)
{
  struct shelf *shelf = shelf_with_stock();
  const struct inventory_set_stock body = {order_id(9), BUS_STR("SKU-1"), 3};
  shelf_assert_says(shelf_one(shelf, &inventory_set_stock_type, &body), &inventory_answer_type, updated_to_3);
  assert_int_equal(shelf_product(shelf, "SKU-1")->received, 3);
  assert_true(bus_str_is(shelf_message(shelf, 0)->envelope.reply_to, "edge.reply.1"));
  shelf_free(shelf);
}

TEST(set_stock_again_is_answered_and_not_carried_out)
{
  struct shelf *shelf = shelf_with_stock();
  const struct inventory_set_stock body = {order_id(9), BUS_STR("SKU-1"), 3};
  (void)shelf_one(shelf, &inventory_set_stock_type, &body);
  struct stock_item items[] = {{BUS_STR("SKU-1"), 1, BUS_NO_INT64}};
  const struct inventory_reserve reserve = reserve_of(1, items, 1);
  (void)shelf_one(shelf, &inventory_reserve_type, &reserve);
  shelf_assert_says(
      shelf_one(shelf, &inventory_set_stock_type, &body), &inventory_answer_type,
      "{\"outcome\":\"updated\",\"product\":{\"product_id\":\"SKU-1\",\"name\":\"A thing\",\"price\":250,"
      "\"currency\":\"EUR\",\"on_hand\":2,\"reserved\":1,\"version\":1,\"withdrawn\":false,\"stock_version\":3}}");
  assert_int_equal(shelf->stored_products, 0);
  assert_int_equal(shelf->request_count, 1);
  shelf_free(shelf);
}

TEST(set_stock_twice_in_one_batch_is_carried_out_once)
{
  struct shelf *shelf = shelf_with_stock();
  const struct inventory_set_stock body = {order_id(9), BUS_STR("SKU-1"), 3};
  shelf_add(shelf, &inventory_set_stock_type, &body);
  shelf_add(shelf, &inventory_set_stock_type, &body);
  shelf_run(shelf);
  shelf_assert_says(shelf_message(shelf, 0), &inventory_answer_type, updated_to_3);
  shelf_assert_says(shelf_message(shelf, 1), &inventory_answer_type, updated_to_3);
  shelf_free(shelf);
}

TEST(another_body_under_the_same_request_is_refused)
{
  struct shelf *shelf = shelf_with_stock();
  const struct inventory_set_stock body = {order_id(9), BUS_STR("SKU-1"), 3};
  const struct inventory_set_stock others[] = {{order_id(9), BUS_STR("SKU-1"), 4}, {order_id(9), BUS_STR("SKU-2"), 3}};
  (void)shelf_one(shelf, &inventory_set_stock_type, &body);
  for (size_t i = 0; i < BUS_COUNT(others); i++)
    shelf_assert_says(shelf_one(shelf, &inventory_set_stock_type, &others[i]), &inventory_answer_type,
                      "{\"outcome\":\"key_reused\"}");
  assert_int_equal(shelf_product(shelf, "SKU-1")->on_hand, 3);
  assert_int_equal(shelf_product(shelf, "SKU-2")->on_hand, 5);
  shelf_free(shelf);
}

TEST(set_stock_of_nothing_may_be_asked_again_when_it_is_there)
{
  struct shelf *shelf = shelf_new();
  const struct inventory_set_stock body = {order_id(9), BUS_STR("late"), 3};
  shelf_assert_says(shelf_one(shelf, &inventory_set_stock_type, &body), &inventory_answer_type,
                    "{\"outcome\":\"not_found\"}");
  assert_int_equal(shelf->request_count, 0);
  shelf_put(shelf, "late", 1, "EUR", 0);
  (void)shelf_one(shelf, &inventory_set_stock_type, &body);
  assert_int_equal(shelf_product(shelf, "late")->on_hand, 3);
  shelf_free(shelf);
}

static void assert_begins(const struct bus_effect *effect, const char *json) {
  assert_non_null(effect);
  assert_true(effect->body.len > strlen(json));
  assert_memory_equal(effect->body.data, json, strlen(json));
}

static struct stock_update change_of(uint32_t request, int64_t delta) {
  return (struct stock_update){
      order_id(request), BUS_STR("SKU-1"), BUS_NO_INT64, delta, {BUS_NO_INT64, BUS_NO_INT64, false}};
}

TEST(a_delta_is_carried_out_once_under_its_request)
{
  struct shelf *shelf = shelf_with_stock();
  const struct stock_update more = change_of(9, 3), other = change_of(9, 4);
  const struct inventory_set_stock set = {order_id(9), BUS_STR("SKU-1"), 13};
  shelf_add(shelf, &product_update_stock_type, &more);
  shelf_add(shelf, &product_update_stock_type, &more);
  shelf_run(shelf);
  (void)shelf_one(shelf, &product_update_stock_type, &more);
  assert_int_equal(shelf_product(shelf, "SKU-1")->on_hand, 13);
  assert_int_equal(shelf_product(shelf, "SKU-1")->stock_version, 2);
  shelf_assert_says(shelf_one(shelf, &product_update_stock_type, &other), &inventory_answer_type,
                    "{\"outcome\":\"key_reused\"}");
  shelf_assert_says(shelf_one(shelf, &inventory_set_stock_type, &set), &inventory_answer_type,
                    "{\"outcome\":\"key_reused\"}");
  assert_true(shelf_balances(shelf));
  shelf_free(shelf);
}

TEST(a_delta_that_was_refused_may_be_asked_again)
{
  struct shelf *shelf = shelf_with_stock();
  const struct stock_update less = change_of(9, -11), more = change_of(8, 1);
  shelf_assert_says(
      shelf_one(shelf, &product_update_stock_type, &less), &inventory_answer_type,
      "{\"outcome\":\"below_reserved\",\"product\":{\"product_id\":\"SKU-1\",\"name\":\"A thing\","
      "\"price\":250,\"currency\":\"EUR\",\"on_hand\":10,\"reserved\":0,\"version\":1,\"withdrawn\":false,"
      "\"stock_version\":1}}");
  assert_int_equal(shelf->request_count, 0);
  (void)shelf_one(shelf, &product_update_stock_type, &more);
  (void)shelf_one(shelf, &product_update_stock_type, &less);
  assert_int_equal(shelf_product(shelf, "SKU-1")->on_hand, 0);
  shelf_free(shelf);
}

TEST(a_repeat_of_an_update_does_not_look_at_its_condition_again)
{
  struct shelf *shelf = shelf_with_stock();
  const struct stock_update set = {order_id(9), BUS_STR("SKU-1"), 4, BUS_NO_INT64, {1, 1, true}};
  const struct stock_update late = {order_id(8), BUS_STR("SKU-1"), 5, BUS_NO_INT64, {1, 1, true}};
  (void)shelf_one(shelf, &product_update_stock_type, &set);
  const struct bus_effect *again = shelf_one(shelf, &product_update_stock_type, &set);
  assert_begins(again, "{\"outcome\":\"updated\"");
  again = shelf_one(shelf, &product_update_stock_type, &late);
  assert_begins(again, "{\"outcome\":\"changed_meanwhile\"");
  assert_int_equal(shelf_product(shelf, "SKU-1")->on_hand, 4);
  shelf_free(shelf);
}

TEST(an_update_of_both_kinds_or_of_neither_is_dropped)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_update wrong = change_of(9, 3);
  wrong.on_hand = 5;
  shelf->parked = 1;
  shelf_add(shelf, &product_update_stock_type, &wrong);
  shelf_run(shelf);
  assert_null(shelf_message(shelf, 0));
  wrong.on_hand = wrong.delta = BUS_NO_INT64;
  shelf_add(shelf, &product_update_stock_type, &wrong);
  shelf_run(shelf);
  assert_null(shelf_message(shelf, 0));
  assert_int_equal(shelf->stored_products, 0);
  shelf_free(shelf);
}

TEST(a_price_that_the_provider_would_refuse_is_dropped)
{
  static const struct {
    const char *currency;
    int64_t price;
    size_t parked;
  } cases[] = {{"KWD", 5124, 1}, {"KWD", 5120, 0}, {"KWD", 0, 0}, {"JPY", 1, 0},
               {"ISK", 150, 1},  {"ISK", 100, 0},  {"XXX", 1, 1}, {"eur", 1, 1}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct shelf *shelf = shelf_with_stock();
    const struct inventory_put_product put = {BUS_STR("SKU-9"), BUS_STR("New"), cases[i].price,
                                              bus_str(cases[i].currency), 5};
    const struct product_put under = {put, {BUS_NO_INT64, BUS_NO_INT64, false}};
    shelf->parked = cases[i].parked;
    shelf_add(shelf, &inventory_put_product_type, &put);
    shelf_run(shelf);
    assert_int_equal(shelf->stored_products, 1 - cases[i].parked);
    shelf_add(shelf, &product_put_type, &under);
    shelf_run(shelf);
    shelf_free(shelf);
  }
}

TEST(set_stock_below_what_is_reserved_keeps_reservations)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-1"), 4, BUS_NO_INT64}};
  const struct inventory_reserve reserve = reserve_of(1, items, 1);
  const struct inventory_set_stock body = {order_id(9), BUS_STR("SKU-1"), 0};
  const struct inventory_order order = {order_id(1)};
  (void)shelf_one(shelf, &inventory_reserve_type, &reserve);
  (void)shelf_one(shelf, &inventory_set_stock_type, &body);
  (void)shelf_one(shelf, &inventory_release_type, &order);
  assert_int_equal(shelf_product(shelf, "SKU-1")->on_hand, 4);
  assert_true(shelf_balances(shelf));
  shelf_free(shelf);
}

TEST(put_product_again_leaves_the_stock)
{
  struct shelf *shelf = shelf_with_stock();
  shelf_put(shelf, "SKU-1", 300, "EUR", 77);
  assert_int_equal(shelf_product(shelf, "SKU-1")->on_hand, 10);
  assert_int_equal(shelf_product(shelf, "SKU-1")->price, 300);
  shelf_put(shelf, "SKU-1", 300, "EUR", 77);
  assert_int_equal(shelf->stored_products, 0);
  shelf_free(shelf);
}
