/* Counting what is short, over pages of the catalogue. */
#include "inventory_walk.h"
#include "test.h"

static bool page(struct inventory_walk *walk, int64_t count, const char *last, int64_t low, int64_t out,
                 struct inventory_scarcity *ret) {
  return inventory_walk_page(walk, count, bus_str(last), &(struct inventory_scarcity){low, out}, ret);
}

TEST(a_catalogue_of_one_page_is_counted_at_once_and_again)
{
  struct inventory_walk walk = {.after = ""};
  for (int i = 0; i < 2; i++) {
    struct inventory_scarcity found;
    assert_true(page(&walk, 7, "SKU-7", 3, 1, &found));
    assert_int_equal(found.low, 3);
    assert_int_equal(found.out, 1);
    assert_string_equal(walk.after, "");
  }
}

TEST(pages_are_added_up_and_the_walk_goes_on_behind_each)
{
  struct inventory_walk walk = {.after = ""};
  struct inventory_scarcity found = {-1, -1};
  assert_false(page(&walk, INVENTORY_WALK_PAGE, "SKU-05000", 3, 1, &found));
  assert_string_equal(walk.after, "SKU-05000");
  assert_false(page(&walk, INVENTORY_WALK_PAGE, "SKU-1", 0, 0, &found));
  assert_string_equal(walk.after, "SKU-1");
  assert_int_equal(found.low, -1);
  assert_true(page(&walk, INVENTORY_WALK_PAGE - 1, "SKU-2", 4, 4, &found));
  assert_int_equal(found.low, 7);
  assert_int_equal(found.out, 5);
}

/* The page behind the last full one. */
TEST(an_empty_page_ends_the_walk)
{
  struct inventory_walk walk = {.after = ""};
  struct inventory_scarcity found;
  assert_false(page(&walk, INVENTORY_WALK_PAGE, "SKU-05000", 2, 0, &found));
  assert_true(page(&walk, 0, "", 0, 0, &found));
  assert_int_equal(found.low, 2);
  assert_string_equal(walk.after, "");
}

TEST(the_longest_id_fits)
{
  struct inventory_walk walk = {.after = ""};
  struct inventory_scarcity found;
  char id[STOCK_PRODUCT_ID_MAX + 1];
  memset(id, 'x', STOCK_PRODUCT_ID_MAX);
  id[STOCK_PRODUCT_ID_MAX] = '\0';
  assert_false(page(&walk, INVENTORY_WALK_PAGE, id, 0, 0, &found));
  assert_string_equal(walk.after, id);
}
