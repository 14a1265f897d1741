/* Applies events to the row of an order. */
#include "data.h"

/* The code before the colon. The rest may be a customer's words. */
static struct bus_str code_of(struct bus_str reason) {
  struct bus_str code = bus_str_cut(&reason, ':');
  bool good = code.len > 0 && code.len <= REPORT_REASON_MAX;
  for (size_t i = 0; good && i < code.len; i++)
    good = code.data[i] == '_' || (code.data[i] >= 'a' && code.data[i] <= 'z');
  return good || code.len == 0 ? code : BUS_STR("other");
}

void report_evolve(struct report *report, const struct report_event *event, const struct report_decision *decision) {
  report->order_id = event->order_id;
  report->placed_at = event->placed_at;
  report->customer_id = event->customer_id;
  if (decision->refunds)
    report->refunded = event->refunded;
  if (!decision->tells)
    return;
  report->status = event->status;
  report->reason =
      event->status == REPORT_OPEN || !event->order->reason.data ? BUS_NO_STR : code_of(event->order->reason);
  report->total = event->order->total;
  report->currency = event->order->currency;
  report->finished_at = event->status == REPORT_OPEN ? BUS_NO_TIME : event->at;
  report->lines = event->order->items;
  report->line_count = event->order->item_count;
}
