/* Keeps the newest report, and for how long it counts. */
#include "backlog.h"

bool backlog_is_behind(const struct backlog *backlog, int64_t now) {
  return now < atomic_load(&backlog->behind_until);
}

bool backlog_report(struct backlog *backlog, int64_t age, int64_t now) {
  int64_t most = atomic_load(&backlog->age) + (now - backlog->reported_at) + BACKLOG_SLACK;
  if (backlog->reported_at > 0 && age > most)
    age = most;
  backlog->reported_at = now;
  bool behind = backlog->limit > 0 && age > backlog->limit;
  bool before = now < atomic_exchange(&backlog->behind_until, behind ? now + BACKLOG_REPORT_LIFE : 0);
  atomic_store(&backlog->age, age);
  return behind != before;
}

int64_t backlog_age(const struct backlog *backlog) {
  return atomic_load(&backlog->age);
}
