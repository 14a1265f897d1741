/* Joining and splitting lists with commas. */
#include "order_lists.h"

#include <inttypes.h>
#include <stdio.h>

enum { NUMBER_TEXT = 21 }; /* of any int64_t, and a comma */

static struct bus_str join_ids(const struct order_item *items, size_t count, struct bus_arena *arena) {
  size_t room = 1, len = 0;
  for (size_t i = 0; i < count; i++)
    room += items[i].product_id.len + 1;
  char *text = bus_arena_alloc(arena, room);
  if (!text)
    return BUS_NO_STR;
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      text[len++] = ',';
    memcpy(text + len, items[i].product_id.data, items[i].product_id.len);
    len += items[i].product_id.len;
  }
  return (struct bus_str){text, len};
}

static struct bus_str join_numbers(const struct order_item *items, size_t count, bool prices, struct bus_arena *arena) {
  size_t room = count * NUMBER_TEXT + 1, len = 0;
  char *text = bus_arena_alloc(arena, room);
  if (!text)
    return BUS_NO_STR;
  for (size_t i = 0; i < count; i++) {
    int64_t number = prices ? items[i].unit_price : items[i].quantity;
    int wrote = snprintf(text + len, room - len, "%s%" PRId64, i > 0 ? "," : "", number);
    len += wrote > 0 ? (size_t)wrote : 0;
  }
  return (struct bus_str){text, len};
}

bool order_lists_join(const struct order_item *items, size_t count, struct bus_arena *arena, struct order_lists *ret) {
  bool priced = count > 0 && items[0].unit_price != BUS_NO_INT64;
  struct order_lists lists = {
      .product_ids = join_ids(items, count, arena),
      .quantities = join_numbers(items, count, false, arena),
      .unit_prices = priced ? join_numbers(items, count, true, arena) : BUS_NO_STR,
  };
  if (!lists.product_ids.data || !lists.quantities.data || (priced && !lists.unit_prices.data))
    return false;
  *ret = lists;
  return true;
}

static size_t count_items(struct bus_str list) {
  size_t count = list.len > 0;
  for (size_t i = 0; i < list.len; i++)
    count += list.data[i] == ',';
  return count;
}

/* Takes the text up to the next comma off the front. */
static struct bus_str take(struct bus_str *list) {
  struct bus_str item = {list->data, 0};
  while (item.len < list->len && item.data[item.len] != ',')
    item.len++;
  size_t used = item.len < list->len ? item.len + 1 : item.len;
  list->data += used;
  list->len -= used;
  return item;
}

static bool take_number(struct bus_str *list, int64_t *ret) {
  struct bus_str text = take(list);
  int64_t number = 0;
  for (size_t i = 0; i < text.len; i++) {
    int digit = text.data[i] - '0';
    if (digit < 0 || digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
        __builtin_add_overflow(number, digit, &number))
      return false;
  }
  *ret = number;
  return text.len > 0;
}

bool order_lists_split(const struct order_lists *lists, struct bus_arena *arena, struct order_item **ret_items,
                       size_t *ret_count) {
  struct order_lists rest = *lists;
  bool priced = lists->unit_prices.data != NULL;
  size_t count = count_items(lists->product_ids);
  struct order_item *items = bus_arena_array(arena, count, sizeof *items);
  if (!items || count_items(lists->quantities) != count || (priced && count_items(lists->unit_prices) != count))
    return false;
  for (size_t i = 0; i < count; i++) {
    items[i].product_id = take(&rest.product_ids);
    items[i].unit_price = BUS_NO_INT64;
    if (!take_number(&rest.quantities, &items[i].quantity) ||
        (priced && !take_number(&rest.unit_prices, &items[i].unit_price)))
      return false;
  }
  *ret_items = items;
  *ret_count = count;
  return true;
}
