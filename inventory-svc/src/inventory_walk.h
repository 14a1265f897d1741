/* Counts products with little stock, a page of the catalogue at a time. Pure. */
#ifndef INVENTORY_WALK_H
#define INVENTORY_WALK_H

#include <bus/base.h>
#include <inventory_messages.h>

/* Products that a page has at most. Each order changes on_hand, so it is in no index: the whole catalogue
 * is read by the key, a page every INVENTORY_WALK_MS. */
enum { INVENTORY_WALK_PAGE = 5000, INVENTORY_WALK_MS = 5000 };

/* Products on sale. */
struct inventory_scarcity {
  int64_t low; /* fewer on hand than LOW_STOCK, those without any among them */
  int64_t out; /* none on hand */
};

/* All zero: the first page is next. */
struct inventory_walk {
  char after[STOCK_PRODUCT_ID_MAX + 1]; /* id of the last product that was read, or "" */
  struct inventory_scarcity sum;        /* of the pages so far */
};

/* count: products of the page; last: the id of its last one. True: it was the last page, and *ret has the counts of the
 * whole catalogue; the next page is the first one again. */
bool inventory_walk_page(struct inventory_walk *walk, int64_t count, struct bus_str last,
                         const struct inventory_scarcity *page, struct inventory_scarcity *ret);

#endif
