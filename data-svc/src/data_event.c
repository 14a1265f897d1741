/* From a message to an event of an order. */
#include "data.h"

static const struct {
  const struct bus_message_type *type;
  int status;
} kinds[] = {
    {&order_created_type, REPORT_OPEN},
    {&order_confirmed_type, REPORT_CONFIRMED},
    {&order_rejected_type, REPORT_REJECTED},
    {&order_cancelled_type, REPORT_CANCELLED},
};

static void of_order(const struct order_event *order, int status, struct report_event *ret) {
  *ret = (struct report_event){.order_id = order->order_id,
                               .customer_id = order->customer_id,
                               .placed_at = order->placed_at,
                               .at = order->at == BUS_NO_TIME ? order->placed_at : order->at,
                               .status = status,
                               .order = order};
}

bool report_event_of(const struct bus_input *input, struct report_event *ret) {
  const struct order_refunded *refund = bus_input_body(input, &order_refunded_type);
  if (refund) {
    *ret = (struct report_event){.order_id = refund->order_id,
                                 .customer_id = refund->customer_id,
                                 .placed_at = refund->placed_at,
                                 .at = refund->placed_at,
                                 .status = -1,
                                 .refunded = refund->refunded};
    return true;
  }
  for (size_t i = 0; i < BUS_COUNT(kinds); i++) {
    const struct order_event *order = bus_input_body(input, kinds[i].type);
    if (order) {
      of_order(order, kinds[i].status, ret);
      return true;
    }
  }
  return false;
}
