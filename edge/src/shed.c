/* Keeps the newest reports of order-svc, and for how long they count. */
#include "shed.h"

#define INTAKE_PATIENCE (5 * BUS_SECOND)
/* No message grows older faster than time passes: an age beyond that and this comes from a clock that was set forward.
 */
#define BACKLOG_SLACK (2 * BUS_SECOND)

static bool report(atomic_llong *refused_until, bool refused, int64_t now) {
  bool before = now < atomic_exchange(refused_until, refused ? now + SHED_REPORT_LIFE : 0);
  return refused != before;
}

bool backlog_report(struct backlog *backlog, int64_t age, int64_t now) {
  int64_t most = atomic_load(&backlog->age) + (now - backlog->reported_at) + BACKLOG_SLACK;
  if (backlog->reported_at > 0 && age > most)
    age = most;
  backlog->reported_at = now;
  bool changed = report(&backlog->behind_until, backlog->limit > 0 && age > backlog->limit, now);
  atomic_store(&backlog->age, age);
  return changed;
}

bool backlog_is_behind(const struct backlog *backlog, int64_t now) {
  return now < atomic_load(&backlog->behind_until);
}

int64_t backlog_age(const struct backlog *backlog) {
  return atomic_load(&backlog->age);
}

bool intake_report(struct intake *intake, int64_t closed_for, int64_t now) {
  return report(&intake->closed_until, closed_for >= INTAKE_PATIENCE, now); /* BUS_NO_INT64 is less */
}

bool intake_is_closed(const struct intake *intake, int64_t now) {
  return now < atomic_load(&intake->closed_until);
}
