/* Items as the database keeps them: three lists of one length, as text with commas. Product ids and numbers have none.
 * Pure. */
#ifndef ORDER_LISTS_H
#define ORDER_LISTS_H

#include "order_messages.h"

struct order_lists {
  struct bus_str product_ids, quantities;
  struct bus_str unit_prices; /* absent: not locked yet */
};

/* False when out of memory. */
bool order_lists_join(const struct order_item *items, size_t count, struct bus_arena *arena,
                      struct order_lists *ret) BUS_MUST_CHECK;
/* Texts of the items point into the lists. False: lists of unlike length, no numbers, or out of memory. */
bool order_lists_split(const struct order_lists *lists, struct bus_arena *arena, struct order_item **ret_items,
                       size_t *ret_count) BUS_MUST_CHECK;

#endif
