/* The intake: whether new orders are taken from their queue, and for how long they have not been. Pure: time is an
 * argument. */
#ifndef ORDER_INTAKE_H
#define ORDER_INTAKE_H

#include <bus/base.h>

/* Counts from the database. */
struct order_load {
  int64_t open; /* PENDING and RESERVED; COMPENSATING orders wait only to be undone */
  /* Among the newest order_intake_window() orders that are older than a quarter of the deadline: reserved or paid too
   * late, and no newer order is CONFIRMED, so that the order itself is not the cause. */
  int64_t late;
};

struct order_limits {
  int64_t open, late; /* new orders wait from so many on */
};

/* Late orders close the intake only while an order is open: one must be let through to find out that orders succeed
 * again. */
bool order_intake_is_full(const struct order_load *load, const struct order_limits *limits);
/* How many of the newest open orders are looked at: enough to see either limit reached. */
int64_t order_intake_rows(const struct order_limits *limits);
/* How many of the newest orders are searched for late ones: limits->late of them are at least half. Fewer late orders
 * do not close the intake: most orders of the same age came through, or were rejected, in time. */
int64_t order_intake_window(const struct order_limits *limits);

/* A look at the load counts for so long. */
#define ORDER_INTAKE_LIFE (5 * BUS_SECOND)

/* All zero: nobody has looked yet. */
struct order_intake {
  bool looked, closed;
  int64_t closed_at, looked_at; /* monotonic */
};

/* Keeps the newest look. True: the intake was opened or closed by it. */
bool order_intake_note(struct order_intake *intake, bool closed, int64_t now);
/* µs since it was closed; 0: open; BUS_NO_INT64: nobody has looked lately. */
int64_t order_intake_closed_for(const struct order_intake *intake, int64_t now);

#endif
