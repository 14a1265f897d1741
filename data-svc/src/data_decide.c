/* Decides what an event changes in the row of its order. */
#include "data.h"

/* Final events are final: of two, which order-svc never sends, the later one counts, wherever it comes. */
static bool is_before(const struct report *report, const struct report_event *event) {
  if (report->finished_at != event->at)
    return report->finished_at < event->at;
  return report->status < event->status;
}

static bool tells(const struct report *report, const struct report_event *event) {
  if (!event->order)
    return false;
  if (report->status == REPORT_OPEN)
    return event->status != REPORT_OPEN || report->line_count == 0;
  return event->status != REPORT_OPEN && is_before(report, event);
}

void report_decide(const struct report *report, const struct report_event *event, struct report_decision *ret) {
  *ret = (struct report_decision){.tells = tells(report, event), .refunds = event->refunded > report->refunded};
}
