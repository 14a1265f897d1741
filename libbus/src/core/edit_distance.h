/* How many single mistakes make one name of another. Pure. */
#ifndef BUS_EDIT_DISTANCE_H
#define BUS_EDIT_DISTANCE_H

#include <bus/base.h>

enum { BUS_EDIT_MAX = 64 };

/* Letters left out, added, changed or swapped with their neighbour; upper and lower case are the same. Of each name the
 * first BUS_EDIT_MAX bytes count. */
size_t bus_edit_distance(struct bus_str a, struct bus_str b);

#endif
