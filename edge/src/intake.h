/* Whether order-svc takes new orders: it says for how long they have waited in their queue. After INTAKE_PATIENCE new
 * orders are refused. Without a report order-svc counts as taking them: orders are accepted while it is away.
 * Thread-safe. */
#ifndef EDGE_INTAKE_H
#define EDGE_INTAKE_H

#include <bus/base.h>

#include <stdatomic.h>

#define INTAKE_PATIENCE (5 * BUS_SECOND)
/* A report counts for so long. */
#define INTAKE_REPORT_LIFE (10 * BUS_SECOND)

/* All zero: nothing is known. */
struct intake {
  atomic_llong closed_until; /* monotonic; 0: open */
};

/* By one thread. closed_for: µs; 0: new orders are taken; BUS_NO_INT64: order-svc does not say. now: monotonic. True
 * when that changed what becomes of the next orders. */
bool intake_report(struct intake *intake, int64_t closed_for, int64_t now);
bool intake_is_closed(const struct intake *intake, int64_t now);

#endif
