/* Keeps the newest report of order-svc's intake, and for how long it counts. */
#include "intake.h"

bool intake_is_closed(const struct intake *intake, int64_t now) {
  return now < atomic_load(&intake->closed_until);
}

bool intake_report(struct intake *intake, int64_t closed_for, int64_t now) {
  bool closed = closed_for >= INTAKE_PATIENCE; /* BUS_NO_INT64 is less */
  bool before = now < atomic_exchange(&intake->closed_until, closed ? now + INTAKE_REPORT_LIFE : 0);
  return closed != before;
}
