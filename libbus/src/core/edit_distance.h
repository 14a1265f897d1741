/* How many single mistakes make one name of another. Pure. */
#pragma once

#include <bus/base.h>

enum { BUS_EDIT_MAX = 64 };

/* Number of letters that are left out, added, changed or swapped with their neighbour, ignoring case. Compares at most
 * the first BUS_EDIT_MAX bytes of each name. */
size_t bus_edit_distance(struct bus_str a, struct bus_str b);
