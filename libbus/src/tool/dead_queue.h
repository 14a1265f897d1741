/* Looking through a dead queue: its messages one after the other, each left there or taken away. */
#ifndef DEAD_QUEUE_H
#define DEAD_QUEUE_H

#include <bus/amqp.h>

enum { DEAD_LOOK_MAX = 10000, DEAD_QUIET_MS = 5000 };

enum dead_fate {
  DEAD_STAYS, /* in the queue */
  DEAD_GOES,  /* acked: gone for ever */
  DEAD_STOPS, /* it stays, and no further one is looked at */
};

struct dead_look {
  const struct bus_amqp_settings *settings;
  const char *queue; /* "payment-svc.dead" */
  /* At most DEAD_LOOK_MAX are looked at. Else all are, and at most so many of them may stay. */
  bool peeks;
  enum dead_fate (*visit)(void *context, const struct bus_delivery *delivery);
  void *context;
};

/* Visits the messages that the queue has now, oldest first, at most DEAD_LOOK_MAX when it peeks. *ret_unseen: number of
 * messages not visited. Remaining messages return to the queue in their order. */
bool dead_look(const struct dead_look *look, int64_t *ret_unseen, struct bus_error *err) BUS_MUST_CHECK;

#endif
