/* Reading an order out of a row of the statements. */
#ifndef ORDER_ROWS_H
#define ORDER_ROWS_H

#include "order.h"

#include <bus/error.h>
#include <bus/sql.h>

/* How many columns the statements' VIEW_COLUMNS are. */
enum { ORDER_VIEW_COLUMNS = 12 };

/* Texts are copied into the arena. The other members are as order_init leaves them. */
bool order_read_view(const struct bus_rows *rows, size_t row, struct bus_arena *arena, struct order *ret,
                     struct bus_error *err) BUS_MUST_CHECK;
/* The saga's own columns, which follow those of the view. */
bool order_read_saga(const struct bus_rows *rows, size_t row, struct bus_arena *arena, struct order *ret,
                     struct bus_error *err) BUS_MUST_CHECK;
/* An order's id and a cancel that came before it. */
bool order_read_tombstone(const struct bus_rows *rows, size_t row, struct bus_arena *arena,
                          struct bus_uuid *ret_order_id, struct order_tombstone *ret,
                          struct bus_error *err) BUS_MUST_CHECK;

#endif
