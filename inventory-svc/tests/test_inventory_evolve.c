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
                          .version = 1};
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
  assert_int_equal(product.version, 2);
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
}

TEST(put_adds_a_product_with_its_stock)
{
  struct product product = {.id = BUS_STR("SKU-2")};
  assert_false(product_exists(&product));
  assert_true(product_is_valid(&product));
  const struct product_card card = {BUS_STR("Two"), BUS_STR("EUR"), 5, 7};
  assert_true(product_put(&product, &card));
  assert_true(product_exists(&product));
  assert_stock(&product, 7, 0, 0, 7);
  assert_int_equal(product.version, 1);
}

TEST(put_again_changes_the_card_and_not_the_stock)
{
  struct product product = ten();
  const struct product_card card = {BUS_STR("Eins"), BUS_STR("EUR"), 1000, 55};
  assert_true(product_put(&product, &card));
  assert_stock(&product, 10, 0, 0, 10);
  assert_int_equal(product.price, 1000);
  assert_true(bus_str_is(product.name, "Eins"));
  assert_int_equal(product.version, 2);
  assert_false(product_put(&product, &card));
  assert_int_equal(product.version, 2);
}

TEST(each_part_of_a_card_counts)
{
  const struct product_card cards[] = {{BUS_STR("Other"), BUS_STR("EUR"), 999, 0},
                                       {BUS_STR("One"), BUS_STR("USD"), 999, 0},
                                       {BUS_STR("One"), BUS_STR("EUR"), 998, 0}};
  for (size_t i = 0; i < BUS_COUNT(cards); i++) {
    struct product product = ten();
    assert_true(product_put(&product, &cards[i]));
  }
}

TEST(validity_sees_every_imbalance)
{
  struct product wrong[] = {ten(), ten(), ten(), ten(), ten(), {.on_hand = 1, .received = 1}};
  wrong[0].received = 11;
  wrong[1].on_hand = 9;
  wrong[2].reserved = -1, wrong[2].on_hand = 11;
  wrong[3].sold = -1, wrong[3].on_hand = 11;
  wrong[4].on_hand = -1, wrong[4].sold = 11;
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    assert_false(product_is_valid(&wrong[i]));
}
