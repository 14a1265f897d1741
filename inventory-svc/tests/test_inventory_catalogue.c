/* Putting and withdrawing products under a condition, and what becomes of orders for a withdrawn one. */
#include "inventory.h"

#include <test.h>

static enum inventory_outcome put_under(int64_t version, bool withdrawn, int64_t price,
                                        struct product_condition condition) {
  const struct product product = {.id = BUS_STR("SKU-1"),
                                  .name = BUS_STR("One"),
                                  .currency = BUS_STR("EUR"),
                                  .price = 999,
                                  .version = version,
                                  .withdrawn = withdrawn};
  const struct product_put put = {{product.id, product.name, price, product.currency, BUS_NO_INT64}, condition};
  return product_decide_put(&product, &put);
}

TEST(a_product_is_put_under_a_condition)
{
  const struct product_condition any = {BUS_NO_INT64, BUS_NO_INT64, false}, is_new = {0, BUS_NO_INT64, false},
                                 third = {3, BUS_NO_INT64, true}, exists = {BUS_NO_INT64, BUS_NO_INT64, true};
  assert_int_equal(put_under(0, false, 5, any), INVENTORY_CREATED);
  assert_int_equal(put_under(0, false, 5, is_new), INVENTORY_CREATED);
  assert_int_equal(put_under(0, false, 5, third), INVENTORY_CHANGED_MEANWHILE);
  assert_int_equal(put_under(0, false, 5, exists), INVENTORY_CHANGED_MEANWHILE);
  assert_int_equal(put_under(3, false, 5, any), INVENTORY_UPDATED);
  assert_int_equal(put_under(3, false, 5, third), INVENTORY_UPDATED);
  assert_int_equal(put_under(3, false, 5, exists), INVENTORY_UPDATED);
  assert_int_equal(put_under(3, false, 5, is_new), INVENTORY_CHANGED_MEANWHILE);
  assert_int_equal(put_under(4, false, 5, third), INVENTORY_CHANGED_MEANWHILE);
}

TEST(a_condition_counts_as_kept_where_the_product_is_as_wanted)
{
  const struct product_condition third = {3, BUS_NO_INT64, true}, is_new = {0, BUS_NO_INT64, false};
  assert_int_equal(put_under(4, false, 999, third), INVENTORY_UPDATED);
  assert_int_equal(put_under(1, false, 999, is_new), INVENTORY_UPDATED);
  assert_int_equal(put_under(4, true, 999, third), INVENTORY_CHANGED_MEANWHILE);
}

TEST(a_product_is_withdrawn_under_a_condition)
{
  struct product product = {.id = BUS_STR("SKU-1"), .version = 3};
  const struct product_withdraw any = {product.id, {BUS_NO_INT64, BUS_NO_INT64, false}},
                                second = {product.id, {2, BUS_NO_INT64, true}},
                                third = {product.id, {3, BUS_NO_INT64, true}};
  assert_int_equal(product_decide_withdraw(&product, &any), INVENTORY_UPDATED);
  assert_int_equal(product_decide_withdraw(&product, &third), INVENTORY_UPDATED);
  assert_int_equal(product_decide_withdraw(&product, &second), INVENTORY_CHANGED_MEANWHILE);
  product.withdrawn = true;
  assert_int_equal(product_decide_withdraw(&product, &second), INVENTORY_UPDATED);
  product.version = 0;
  assert_int_equal(product_decide_withdraw(&product, &any), INVENTORY_NOT_FOUND);
}

/* ---- stock ---- */

static struct product five_on_hand(void) {
  return (struct product){
      .id = BUS_STR("SKU-1"), .on_hand = 5, .reserved = 4, .received = 9, .version = 3, .stock_version = 7};
}

static void assert_update(struct stock_update update, enum inventory_outcome outcome, int64_t on_hand) {
  const struct product product = five_on_hand();
  int64_t found = -1;
  assert_int_equal(product_decide_stock(&product, &update, &found), outcome);
  assert_int_equal(found, on_hand);
}

TEST(stock_is_set_or_changed_and_never_below_what_is_reserved)
{
#define SET(n) .on_hand = (n), .delta = BUS_NO_INT64
#define CHANGE(n) .on_hand = BUS_NO_INT64, .delta = (n)
#define ANY .condition = {BUS_NO_INT64, BUS_NO_INT64, false}
  assert_update((struct stock_update){SET(0), ANY}, INVENTORY_UPDATED, 0);
  assert_update((struct stock_update){CHANGE(-5), ANY}, INVENTORY_UPDATED, 0);
  assert_update((struct stock_update){CHANGE(-6), ANY}, INVENTORY_BELOW_RESERVED, -1);
  assert_update((struct stock_update){CHANGE(3), ANY}, INVENTORY_UPDATED, 8);
  assert_update((struct stock_update){CHANGE(STOCK_ON_HAND_MAX - 5), ANY}, INVENTORY_UPDATED, STOCK_ON_HAND_MAX);
  assert_update((struct stock_update){CHANGE(STOCK_ON_HAND_MAX - 4), ANY}, INVENTORY_TOO_MUCH, -1);
  const struct product none = {.id = BUS_STR("SKU-2")};
  int64_t found;
  assert_int_equal(product_decide_stock(&none, &(struct stock_update){SET(1), ANY}, &found), INVENTORY_NOT_FOUND);
}

TEST(stock_is_updated_under_a_condition_on_both_versions)
{
  assert_update((struct stock_update){SET(1), .condition = {3, 7, true}}, INVENTORY_UPDATED, 1);
  assert_update((struct stock_update){SET(1), .condition = {3, BUS_NO_INT64, true}}, INVENTORY_UPDATED, 1);
  assert_update((struct stock_update){SET(1), .condition = {3, 6, true}}, INVENTORY_CHANGED_MEANWHILE, -1);
  assert_update((struct stock_update){SET(1), .condition = {4, 7, true}}, INVENTORY_CHANGED_MEANWHILE, -1);
  assert_update((struct stock_update){CHANGE(-6), .condition = {3, 6, true}}, INVENTORY_CHANGED_MEANWHILE, -1);
}

TEST(a_withdrawn_product_is_rejected_and_what_is_reserved_is_sold)
{
  struct product product = {.id = BUS_STR("SKU-1"), .currency = BUS_STR("EUR"), .price = 250, .version = 1};
  product.on_hand = product.received = 10;
  struct reservation_line line = {.product = &product, .quantity = 3};
  const struct reservation_request request = {&line, 1, BUS_NO_INT64, BUS_STR("EUR"), .expected_until = 5 * BUS_SECOND};
  struct reservation reserved = {0}, late = {0};
  struct reservation_decision decision;
  reservation_decide(&reserved, RESERVATION_RESERVE, &request, &decision);
  (void)reservation_evolve(&reserved, &decision);
  product_withdraw(&product);
  reservation_decide(&late, RESERVATION_RESERVE, &request, &decision);
  assert_int_equal(decision.answer, ANSWER_REJECTED);
  assert_int_equal(decision.reason, STOCK_WITHDRAWN);
  assert_true(bus_str_equal(decision.guilty, product.id));
  reservation_decide(&reserved, RESERVATION_SELL, &request, &decision);
  (void)reservation_evolve(&reserved, &decision);
  assert_int_equal(reserved.state, RESERVATION_COMMITTED);
  assert_int_equal(product.sold, 3);
}
