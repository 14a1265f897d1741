/* How facts change an order. The row in the database is this fold of its log. */
#include "order.h"

#include <assert.h>

void order_init(struct order *order, const struct bus_uuid *order_id) {
  *order = (struct order){
      .order_id = *order_id,
      .status = ORDER_NONE,
      .total = BUS_NO_INT64,
      .created_at = BUS_NO_TIME,
      .updated_at = BUS_NO_TIME,
      .deadline = BUS_NO_TIME,
      .due_at = BUS_NO_TIME,
      .reply_until = BUS_NO_TIME,
  };
  bus_set_absent(&order_request_schema, &order->request);
}

bool order_is_final(const struct order *order) {
  return order_status_is_final(order->status);
}

static void apply_created(struct order *order, const struct order_fact *fact, bus_time at) {
  order->status = ORDER_PENDING;
  order->customer_id = fact->customer_id;
  order->items = fact->items;
  order->item_count = fact->item_count;
  order->pay_later = fact->payment.data != NULL;
  order->request = fact->request;
  order->request_hash = fact->request_hash;
  order->created_at = at;
}

static void apply_reserved(struct order *order, const struct order_fact *fact) {
  order->status = order->pay_later ? ORDER_AWAITING_PAYMENT : ORDER_RESERVED;
  order->payment_settled = order->pay_later; /* no attempt is open */
  order->items = fact->items;
  order->total = fact->total;
  order->currency = fact->currency;
}

/* A charge that was never asked needs no refund. */
static void apply_compensating(struct order *order, const struct order_fact *fact) {
  order->status = ORDER_COMPENSATING;
  order->reason = fact->reason;
  if (order->total == BUS_NO_INT64)
    order->payment_settled = true;
}

static void apply_requested(struct order *order, const struct order_fact *fact) {
  order->attempts = fact->attempt;
  order->payment_settled = false;
}

static void apply_captured(struct order *order, int64_t amount) {
  if (amount > order->captured)
    order->captured = amount;
  if (order->captured > order->refunded)
    order->payment_settled = false;
}

static void apply_refunded(struct order *order, int64_t amount) {
  if (amount > order->refunded)
    order->refunded = amount;
  /* While an order awaits its payment, the refund tells of a capture whose event is on its way: no next attempt. */
  if (order->refunded >= order->captured && order->status != ORDER_AWAITING_PAYMENT)
    order->payment_settled = true;
}

static void apply_settled(struct order *order, enum order_status status) {
  order->status = (int)status;
  order->stock_settled = order->payment_settled = true;
}

void order_evolve(struct order *order, const struct order_fact *fact, bus_time at) {
  /* Transactions do not get their locks in the order of their clocks: an order's time never goes back. */
  if (at < order->updated_at)
    at = order->updated_at;
  order->version++;
  order->updated_at = at;
  switch (fact->type) {
  case FACT_CREATED:
    apply_created(order, fact, at);
    break;
  case FACT_RESERVED:
    apply_reserved(order, fact);
    break;
  case FACT_PAID:
    order->status = ORDER_PAID;
    apply_captured(order, fact->amount);
    break;
  case FACT_CONFIRMED:
    apply_captured(order, fact->amount);
    apply_settled(order, ORDER_CONFIRMED);
    break;
  case FACT_REJECTED:
    apply_settled(order, ORDER_REJECTED);
    order->reason = fact->reason;
    break;
  case FACT_COMPENSATING:
    apply_compensating(order, fact);
    break;
  case FACT_CANCELLED:
    order->status = ORDER_CANCELLED;
    break;
  case FACT_STOCK_RETURNED:
    order->stock_settled = true;
    break;
  case FACT_PAYMENT_REFUSED:
    order->payment_settled = true;
    break;
  case FACT_PAYMENT_CAPTURED:
    apply_captured(order, fact->amount);
    break;
  case FACT_PAYMENT_REFUNDED:
    apply_refunded(order, fact->amount);
    break;
  case FACT_STOCK_MISSING:
    break;
  case FACT_PAYMENT_REQUESTED:
    apply_requested(order, fact);
    break;
  case FACT_TYPES:
    assert(fact->type != FACT_TYPES);
  }
}

bool order_is_valid(const struct order *order) {
  int status = order->status;
  bool priced = order->total != BUS_NO_INT64, is_final = order_is_final(order);
  bool undone = status == ORDER_REJECTED || status == ORDER_COMPENSATING || status == ORDER_CANCELLED;
  for (size_t i = 0; i < order->item_count; i++)
    if ((order->items[i].unit_price != BUS_NO_INT64) != priced)
      return false;
  return status >= 0 && status < ORDER_STATUS_COUNT && order->version > 0 && order->item_count > 0 &&
         order->customer_id.data && order->request_hash.data && priced == (order->currency.data != NULL) &&
         bus_implies(status == ORDER_PENDING || status == ORDER_REJECTED, !priced) &&
         bus_implies(status == ORDER_RESERVED || status == ORDER_PAID || status == ORDER_CONFIRMED, priced) &&
         bus_implies(status == ORDER_AWAITING_PAYMENT, priced && order->pay_later) && order->attempts >= 0 &&
         order->attempts <= (order->pay_later ? ORDER_ATTEMPTS_MAX : 0) &&
         bus_implies(status == ORDER_PAID || status == ORDER_CONFIRMED, order->captured == order->total) &&
         undone == (order->reason.data != NULL) && order->captured >= 0 && order->refunded >= 0 &&
         bus_implies(is_final, order->stock_settled) &&
         bus_implies(is_final && !order->payment_settled, status == ORDER_CANCELLED) &&
         bus_implies(status == ORDER_COMPENSATING, !order->stock_settled || !order->payment_settled) &&
         is_final == (order->deadline == BUS_NO_TIME) && is_final == (order->due_at == BUS_NO_TIME) &&
         bus_implies(!is_final, order->due_at <= order->deadline) && order->created_at <= order->updated_at;
}

struct order_view order_view_of(struct order *order) {
  return (struct order_view){
      .order_id = order->order_id,
      .customer_id = order->customer_id,
      .status = order->status,
      .reason = order->reason,
      .items = order->items,
      .item_count = order->item_count,
      .total = order->total,
      .currency = order->currency,
      .refunded = order->refunded,
      .created_at = order->created_at,
      .updated_at = order->updated_at,
      .version = order->version,
      .pay_by = order->status == ORDER_AWAITING_PAYMENT ? order->deadline : BUS_NO_TIME,
      .request = order->request,
  };
}
