/*
 * Which reads share a query. While few are under way a read goes out at once, by itself; the others gather in one
 * batch, which leaves as soon as few are under way again. So nobody waits for a batch to fill, and a batch is as large
 * as the load makes it: under much load one is under way while the next one gathers. One that is full does not wait,
 * nor one that has waited long: a service that is silent is not waited for twice. Pure; not thread-safe.
 */
#ifndef EDGE_GATHER_H
#define EDGE_GATHER_H

#include <order_messages.h>

enum { GATHER_ROOM = ORDER_GET_MANY_MAX, GATHER_FEW = 4 };
#define GATHER_PATIENCE (50 * BUS_MILLISECOND)

struct gather_batch {
  void *reads[GATHER_ROOM]; /* the first one leads: it asks for all */
  size_t count;
  bool left; /* nobody joins it any more */
};

struct gather {
  struct gather_batch *filling; /* NULL: none */
  size_t under_way;             /* reads whose query is */
};

/* The batch that the read is in now: `fresh`, where it is the first; then it leads. */
struct gather_batch *gather_join(struct gather *gather, struct gather_batch *fresh, void *read);
/* It has waited long enough. Accepts one that has left. */
void gather_leave(struct gather *gather, struct gather_batch *batch);
/* The query of a batch that had left is over. True: another one has left in its stead. */
bool gather_back(struct gather *gather, const struct gather_batch *batch);

#endif
