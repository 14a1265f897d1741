/*
 * Which reads share a query. Few queries are under way at once: a read that finds room goes out at once, and the others
 * gather in one batch, which leaves as soon as a query is back. So nobody waits for a batch to fill, and a batch is as
 * large as the load makes it. One that is full does not wait, nor one that has waited long: a service that is silent is
 * not waited for twice. Pure; not thread-safe.
 */
#ifndef EDGE_GATHER_H
#define EDGE_GATHER_H

#include <order_messages.h>

enum { GATHER_ROOM = ORDER_GET_MANY_MAX, GATHER_UNDER_WAY = 2 };
#define GATHER_PATIENCE (50 * BUS_MILLISECOND)

struct gather_batch {
  void *reads[GATHER_ROOM]; /* the first one leads: it asks for all */
  size_t count;
  bool left; /* nobody joins it any more */
};

struct gather {
  struct gather_batch *filling; /* NULL: none */
  int under_way;                /* queries; more than GATHER_UNDER_WAY where batches did not wait */
};

/* The batch that the read is in now: `fresh`, where it is the first; then it leads. */
struct gather_batch *gather_join(struct gather *gather, struct gather_batch *fresh, void *read);
/* It has waited long enough. Accepts one that has left. */
void gather_leave(struct gather *gather, struct gather_batch *batch);
/* The query of a batch that had left is back. True: another one has left in its stead. */
bool gather_back(struct gather *gather);

#endif
