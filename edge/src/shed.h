/* When new orders are refused, by order-svc's reports: its oldest message that the broker has not taken is too old (the
 * backlog), or it has left new orders in their queue for too long (the intake). A report counts for ten seconds, so
 * that orders are accepted while order-svc is away. Reports come from one thread; the rest is thread-safe. */
#ifndef EDGE_SHED_H
#define EDGE_SHED_H

#include <bus/base.h>

#include <stdatomic.h>

#define SHED_REPORT_LIFE (10 * BUS_SECOND)

/* Every function's now is bus_monotonic's. A report is true when it changes what becomes of the next orders: worth a
 * line in the log. */

struct backlog {
  int64_t limit;             /* microseconds; 0: never too old */
  atomic_llong behind_until; /* 0: not behind */
  atomic_llong age;          /* as reported last */
  int64_t reported_at;       /* 0: never. For the one thread that reports. */
};
bool backlog_report(struct backlog *backlog, int64_t age, int64_t now);
bool backlog_is_behind(const struct backlog *backlog, int64_t now);
int64_t backlog_age(const struct backlog *backlog);

/* All zero: nothing is known. */
struct intake {
  atomic_llong closed_until; /* 0: open */
};
/* closed_for: microseconds; 0: new orders are taken; BUS_NO_INT64: order-svc does not say. Closed from 5 s on. */
bool intake_report(struct intake *intake, int64_t closed_for, int64_t now);
bool intake_is_closed(const struct intake *intake, int64_t now);

#endif
