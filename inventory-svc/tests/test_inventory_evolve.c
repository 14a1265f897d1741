/* A product's stock: every move keeps the balance. */
#include "inventory.h"

#include <test.h>

static struct product ten(void) {
  return (struct product){.id = BUS_STR("SKU-1"),
                          .name = BUS_STR("One"),
                          .currency = BUS_STR("EUR"),
                          .price = 999,
                          .on_hand = 10,
                          .received = 10,
                          .version = 1,
                          .stock_version = 1};
}

static void assert_stock(const struct product *product, int64_t on_hand, int64_t reserved, int64_t sold,
                         int64_t received) {
  assert_int_equal(product->on_hand, on_hand);
  assert_int_equal(product->reserved, reserved);
  assert_int_equal(product->sold, sold);
  assert_int_equal(product->received, received);
  assert_true(product_is_valid(product));
}

TEST(reserve_moves_from_the_shelf)
{
  struct product product = ten();
  product_reserve(&product, 10);
  assert_stock(&product, 0, 10, 0, 10);
  assert_int_equal(product.version, 1);
  assert_int_equal(product.stock_version, 2);
}

TEST(release_puts_back)
{
  struct product product = ten();
  product_reserve(&product, 4);
  product_release(&product, 3);
  assert_stock(&product, 9, 1, 0, 10);
}

TEST(sell_takes_from_what_is_reserved)
{
  struct product product = ten();
  product_reserve(&product, 4);
  product_sell(&product, 4);
  assert_stock(&product, 6, 0, 4, 10);
}

TEST(set_on_hand_moves_received_by_the_difference)
{
  struct product product = ten();
  product_reserve(&product, 4);
  product_set_on_hand(&product, 100);
  assert_stock(&product, 100, 4, 0, 104);
  product_set_on_hand(&product, 0);
  assert_stock(&product, 0, 4, 0, 4);
  product_set_on_hand(&product, 0);
  assert_stock(&product, 0, 4, 0, 4);
  assert_int_equal(product.stock_version, 5);
  assert_int_equal(product.version, 1);
}

TEST(put_adds_a_product_with_its_stock)
{
  struct product product = {.id = BUS_STR("SKU-2")};
  assert_false(product_exists(&product));
  assert_true(product_is_valid(&product));
  const struct inventory_put_product put = {product.id, BUS_STR("Two"), 5, BUS_STR("EUR"), 7};
  product_put(&product, &put);
  assert_true(product_exists(&product));
  assert_stock(&product, 7, 0, 0, 7);
  assert_int_equal(product.version, 1);
  assert_int_equal(product.stock_version, 1);
}

TEST(put_again_changes_the_card_and_not_the_stock)
{
  struct product product = ten();
  const struct inventory_put_product put = {product.id, BUS_STR("Eins"), 1000, BUS_STR("EUR"), 55};
  product_put(&product, &put);
  assert_stock(&product, 10, 0, 0, 10);
  assert_int_equal(product.price, 1000);
  assert_true(bus_str_is(product.name, "Eins"));
  assert_int_equal(product.version, 2);
  product_put(&product, &put);
  assert_int_equal(product.version, 2);
  assert_int_equal(product.stock_version, 1);
}

TEST(each_part_of_a_card_counts)
{
  const struct inventory_put_product puts[] = {{BUS_NO_STR, BUS_STR("Other"), 999, BUS_STR("EUR"), 0},
                                               {BUS_NO_STR, BUS_STR("One"), 999, BUS_STR("USD"), 0},
                                               {BUS_NO_STR, BUS_STR("One"), 998, BUS_STR("EUR"), 0}};
  for (size_t i = 0; i < BUS_COUNT(puts); i++) {
    struct product product = ten();
    product_put(&product, &puts[i]);
    assert_int_equal(product.version, 2);
  }
}

TEST(a_withdrawn_product_keeps_its_stock_and_is_put_again)
{
  struct product product = ten();
  const struct inventory_put_product same = {product.id, product.name, product.price, product.currency, BUS_NO_INT64};
  product_withdraw(&product);
  assert_true(product.withdrawn);
  assert_stock(&product, 10, 0, 0, 10);
  assert_int_equal(product.version, 2);
  product_withdraw(&product);
  assert_int_equal(product.version, 2);
  product_put(&product, &same);
  assert_false(product.withdrawn);
  assert_int_equal(product.version, 3);
}

TEST(put_without_a_stock_begins_with_none)
{
  struct product product = {.id = BUS_STR("SKU-2")};
  const struct inventory_put_product put = {product.id, BUS_STR("Two"), 5, BUS_STR("EUR"), BUS_NO_INT64};
  product_put(&product, &put);
  assert_true(product_exists(&product));
  assert_stock(&product, 0, 0, 0, 0);
  assert_int_equal(product.stock_version, 1);
}

TEST(states_without_a_stock_of_their_own_move_none)
{
  static const enum reservation_state states[] = {RESERVATION_NONE, RESERVATION_STATES};
  for (size_t i = 0; i < BUS_COUNT(states); i++) {
    struct product product = ten();
    struct reservation_line line = {.product = &product, .quantity = 3};
    struct reservation reservation = {.state = RESERVATION_RESERVED, .lines = &line, .line_count = 1};
    const struct reservation_decision decision = {.next = states[i]};
    assert_int_equal(reservation_evolve(&reservation, &decision), 0);
    assert_int_equal(reservation.state, states[i]);
    assert_stock(&product, 10, 0, 0, 10);
  }
}

TEST(a_reservation_tells_how_many_units_it_moved)
{
  struct product product = ten();
  struct reservation_line line = {.product = &product, .quantity = 3};
  const struct reservation_request request = {.lines = &line, .line_count = 1};
  static const enum reservation_state states[] = {RESERVATION_RESERVED, RESERVATION_COMMITTED, RESERVATION_RETURNED};
  struct reservation reservation = {.state = RESERVATION_NONE};
  for (size_t i = 0; i < BUS_COUNT(states); i++) {
    const struct reservation_decision decision = {.next = states[i], .request = &request};
    assert_int_equal(reservation_evolve(&reservation, &decision), 3);
    assert_int_equal(reservation_evolve(&reservation, &decision), 0);
  }
  reservation.state = RESERVATION_NONE;
  const struct reservation_decision rejected = {.next = RESERVATION_REJECTED, .reason = STOCK_OUT_OF_STOCK};
  assert_int_equal(reservation_evolve(&reservation, &rejected), 0);
  assert_int_equal(reservation.reason, STOCK_OUT_OF_STOCK);
}

TEST(validity_sees_every_imbalance)
{
  struct product wrong[] = {
      ten(), ten(), ten(), ten(), ten(), {.on_hand = 1, .received = 1}, ten(), {.stock_version = 1}};
  wrong[6].version = -1;
  wrong[0].received = 11;
  wrong[1].on_hand = 9;
  wrong[2].reserved = -1, wrong[2].on_hand = 11;
  wrong[3].sold = -1, wrong[3].on_hand = 11;
  wrong[4].on_hand = -1, wrong[4].sold = 11;
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    assert_false(product_is_valid(&wrong[i]));
}
