/* Codes of the reasons for which an order is not CONFIRMED. */
#include "order_reason.h"

const char *order_why_name(size_t why) {
  static const char *const own[] = {
      "product_twice",     "too_many_unpaid_orders", "customer",       ORDER_REASON_TIMEOUT,
      ORDER_REASON_UNPAID, "payment_declined",       "payment_failed", "stock_lost"};
  _Static_assert(BUS_COUNT(own) == ORDER_WHYS - ORDER_WHY_TWICE, "one name for each code");
  return why < ORDER_WHY_TWICE ? stock_reason_names[why] : own[why - ORDER_WHY_TWICE];
}

size_t order_why_find(struct bus_str reason) {
  struct bus_str code = bus_str_cut(&reason, ':');
  size_t why = 0;
  while (why < ORDER_WHYS && !bus_str_is(code, order_why_name(why)))
    why++;
  return why;
}
