/* Items as lists of text, both ways. */
#include "order_lists.h"

#include <test.h>

static struct bus_arena *arena;

static bool split(const char *ids, const char *quantities, const char *prices, struct order_item **items,
                  size_t *count) {
  const struct order_lists lists = {bus_str(ids), bus_str(quantities), prices ? bus_str(prices) : BUS_NO_STR};
  return order_lists_split(&lists, arena, items, count);
}

TEST(there_and_back)
{
  struct order_item items[] = {{BUS_STR("a"), 1, 0}, {BUS_STR("SKU-2"), 1000, BUS_JSON_INT_MAX}}, *found;
  struct order_lists lists;
  size_t count;
  arena = bus_arena_new(1 << 16);
  assert_true(order_lists_join(items, 2, arena, &lists));
  assert_true(bus_str_is(lists.product_ids, "a,SKU-2"));
  assert_true(bus_str_is(lists.quantities, "1,1000"));
  assert_true(bus_str_is(lists.unit_prices, "0,1000000000000"));
  assert_true(order_lists_split(&lists, arena, &found, &count));
  assert_int_equal(count, 2);
  for (size_t i = 0; i < 2; i++) {
    assert_true(bus_str_equal(found[i].product_id, items[i].product_id));
    assert_true(found[i].quantity == items[i].quantity && found[i].unit_price == items[i].unit_price);
  }
  bus_arena_free(arena);
}

TEST(without_prices)
{
  struct order_item item = {BUS_STR("a"), 3, BUS_NO_INT64}, *found;
  struct order_lists lists;
  size_t count;
  arena = bus_arena_new(1 << 16);
  assert_true(order_lists_join(&item, 1, arena, &lists));
  assert_null(lists.unit_prices.data);
  assert_true(order_lists_split(&lists, arena, &found, &count));
  assert_true(found[0].unit_price == BUS_NO_INT64);
  bus_arena_free(arena);
}

TEST(a_hundred_items)
{
  struct order_item items[ORDER_ITEMS_MAX], *found;
  struct order_lists lists;
  size_t count;
  arena = bus_arena_new(1 << 20);
  for (size_t i = 0; i < ORDER_ITEMS_MAX; i++)
    items[i] = (struct order_item){BUS_STR("0123456789012345678901234567890123456789012345678901234567890123"),
                                   ORDER_QUANTITY_MAX, BUS_JSON_INT_MAX};
  assert_true(order_lists_join(items, ORDER_ITEMS_MAX, arena, &lists));
  assert_true(order_lists_split(&lists, arena, &found, &count));
  assert_int_equal(count, ORDER_ITEMS_MAX);
  assert_true(found[99].unit_price == BUS_JSON_INT_MAX);
  bus_arena_free(arena);
}

TEST(what_is_no_list_is_refused)
{
  struct order_item *items;
  size_t count;
  arena = bus_arena_new(1 << 16);
  assert_false(split("a,b", "1", NULL, &items, &count));
  assert_false(split("a", "1,2", NULL, &items, &count));
  assert_false(split("a", "1", "1,2", &items, &count));
  assert_false(split("a", "x", NULL, &items, &count));
  assert_false(split("a,b", "1,", NULL, &items, &count));
  assert_false(split("a", "-1", NULL, &items, &count));
  assert_false(split("a", "99999999999999999999", NULL, &items, &count));
  assert_true(split("a", "1", "7", &items, &count));
  bus_arena_free(arena);
}

TEST(out_of_memory)
{
  struct order_item item = {BUS_STR("a"), 3, 1}, *found;
  struct order_lists lists = {BUS_STR("a"), BUS_STR("1"), BUS_NO_STR};
  size_t count;
  arena = bus_arena_new(1);
  assert_false(order_lists_join(&item, 1, arena, &lists));
  assert_false(order_lists_split(&lists, arena, &found, &count));
  bus_arena_free(arena);
}
