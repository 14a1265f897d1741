/* Counts products with little stock, a page of the catalogue at a time. */
#include "inventory_walk.h"

#include <assert.h>

bool inventory_walk_page(struct inventory_walk *walk, int64_t count, struct bus_str last,
                         const struct inventory_scarcity *page, struct inventory_scarcity *ret) {
  assert(last.len < sizeof walk->after);
  walk->sum.low += page->low;
  walk->sum.out += page->out;
  if (count == INVENTORY_WALK_PAGE) {
    memcpy(walk->after, last.data, last.len);
    walk->after[last.len] = '\0';
    return false;
  }
  *ret = walk->sum;
  *walk = (struct inventory_walk){.after = ""};
  return true;
}
