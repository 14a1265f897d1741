/* Reading a product out of a row. */
#include "inventory_rows.h"

bool inventory_copy_text(struct bus_arena *arena, struct bus_str text, struct bus_str *ret) {
  *ret = BUS_NO_STR;
  if (!text.data)
    return true;
  *ret = bus_arena_copy(arena, text);
  return ret->data != NULL;
}

bool inventory_read_product(struct bus_arena *arena, const struct bus_rows *rows, size_t row, struct product *ret) {
  if (!inventory_copy_text(arena, bus_rows_text(rows, row, 0), &ret->id) ||
      !inventory_copy_text(arena, bus_rows_text(rows, row, 1), &ret->name) ||
      !inventory_copy_text(arena, bus_rows_text(rows, row, 3), &ret->currency))
    return false;
  ret->price = bus_rows_int64(rows, row, 2);
  ret->on_hand = bus_rows_int64(rows, row, 4);
  ret->reserved = bus_rows_int64(rows, row, 5);
  ret->sold = bus_rows_int64(rows, row, 6);
  ret->received = bus_rows_int64(rows, row, 7);
  ret->version = bus_rows_int64(rows, row, 8);
  return true;
}
