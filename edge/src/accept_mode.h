/* Whether it is worth waiting for order-svc: after several answers in a row that did not come in time, commands are
 * answered on the broker's confirm at once, but for one request at a time that still waits and so finds out when
 * answers come again. Thread-safe. */
#ifndef EDGE_ACCEPT_MODE_H
#define EDGE_ACCEPT_MODE_H

#include <bus/base.h>

#include <stdatomic.h>

enum { ACCEPT_MODE_TIMEOUTS = 5 };
#define ACCEPT_MODE_PAUSE BUS_SECOND

struct accept_mode {
  atomic_int timeouts;     /* in a row */
  atomic_llong next_probe; /* when one may wait again */
};

enum accept_patience {
  ACCEPT_WAIT,    /* for the answer */
  ACCEPT_PROBE,   /* for the answer, on behalf of the others */
  ACCEPT_CONFIRM, /* the broker's confirm is enough at once */
};

/* Every request asks once, and tells once how it ended. */
enum accept_patience accept_mode_enter(struct accept_mode *mode, int64_t now);

enum accept_ending {
  ACCEPT_ANSWERED,
  ACCEPT_TIMED_OUT, /* no answer within the time that one should take */
  ACCEPT_UNKNOWN,   /* says nothing about order-svc: the broker was away, or nobody waited for it */
};
/* True when that changed what the next requests will do: worth a line in the log. */
bool accept_mode_leave(struct accept_mode *mode, enum accept_ending ending);

bool accept_mode_is_confirm(const struct accept_mode *mode);

#endif
