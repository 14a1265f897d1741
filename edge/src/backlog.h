/* Whether the system is behind: order-svc says how old its oldest message is that the broker has not taken, and beyond
 * a limit new orders are refused until it is younger. What is old is unknown, and what is unknown is not too old:
 * orders are taken while order-svc is away. Thread-safe. */
#ifndef EDGE_BACKLOG_H
#define EDGE_BACKLOG_H

#include <bus/base.h>

#include <stdatomic.h>

/* A report counts for so long. */
#define BACKLOG_REPORT_LIFE (10 * BUS_SECOND)
/* No message grows older faster than time passes: what is reported beyond that and this comes from a clock that was set
 * forward. */
#define BACKLOG_SLACK (2 * BUS_SECOND)

struct backlog {
  int64_t limit;             /* microseconds; 0: never too old */
  atomic_llong behind_until; /* monotonic; 0: not behind */
  atomic_llong age;          /* as reported last */
  int64_t reported_at;       /* monotonic; 0: never. Of the one thread that reports. */
};

/* By one thread. now: monotonic. True when that changed what becomes of the next orders: worth a line in the log. */
bool backlog_report(struct backlog *backlog, int64_t age, int64_t now);
bool backlog_is_behind(const struct backlog *backlog, int64_t now);
int64_t backlog_age(const struct backlog *backlog);

#endif
