/* Why an order is not CONFIRMED. Its `reason` is one of these codes, or a code, ": " and a detail. Pure. */
#pragma once

#include <bus/base.h>
#include <inventory_messages.h>

/* Why an order was undone that was not reserved, or not paid, within its deadline. */
#define ORDER_REASON_TIMEOUT "timeout"
/* Why an order was undone that was not paid later in time. Not "timeout": it tells nothing about the system's load. */
#define ORDER_REASON_UNPAID "not_paid_in_time"

/* The first codes are inventory-svc's: enum stock_reason. */
enum order_why {
  ORDER_WHY_TWICE = STOCK_NO_RESERVATION + 1, /* of a REJECTED order, as those before it */
  ORDER_WHY_TOO_MANY_UNPAID,
  ORDER_WHY_CUSTOMER, /* of an order that is undone, as those behind it: cancelled by its customer */
  ORDER_WHY_TIMEOUT,
  ORDER_WHY_UNPAID,
  ORDER_WHY_DECLINED,
  ORDER_WHY_FAILED,
  ORDER_WHY_STOCK_LOST,
  ORDER_WHYS,
};

const char *order_why_name(size_t why);
/* That of a reason; ORDER_WHYS: it has no such code, as one of an older release, or an absent one. */
size_t order_why_find(struct bus_str reason);
