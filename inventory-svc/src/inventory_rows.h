/* Reading a product out of a row: the same columns in every statement that returns products. */
#ifndef INVENTORY_ROWS_H
#define INVENTORY_ROWS_H

#include "stock.h"

#include <bus/arena.h>
#include <bus/sql.h>

/* False: out of memory. An absent text stays absent. */
bool inventory_copy_text(struct bus_arena *arena, struct bus_str text, struct bus_str *ret) BUS_MUST_CHECK;
/* Columns 0 to 8: product_id, name, price, currency, on_hand, reserved, sold, received, version. */
bool inventory_read_product(struct bus_arena *arena, const struct bus_rows *rows, size_t row,
                            struct product *ret) BUS_MUST_CHECK;

#endif
