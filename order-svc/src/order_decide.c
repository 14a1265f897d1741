/* Decisions on messages: one small function for each kind of cell of the table. */
#include "order_table.h"

#include <inventory_messages.h>
#include <payment_messages.h>

#include <assert.h>

struct deciding {
  const struct order *order;
  enum order_message message;
  const void *body;
  bus_time now;
  struct bus_arena *arena;
  const struct order_rule *rule;
  struct order_decision *decision;
};

/* ---- what steps are made of ---- */

static struct order_fact *happen(struct deciding *d, enum order_fact_type type) {
  assert(d->decision->fact_count < ORDER_FACTS_MAX);
  struct order_fact *fact = &d->decision->facts[d->decision->fact_count++];
  *fact = (struct order_fact){.type = type};
  return fact;
}

static bool park(struct deciding *d, const char *why) {
  d->decision->unusable = why;
  return true;
}

static void raise_alarm(struct deciding *d, const char *what) {
  d->decision->alarm = what;
}

/* "code" or "code: detail" */
static bool explain(struct deciding *d, const char *code, struct bus_str detail, struct bus_str *ret) {
  *ret = detail.data ? bus_arena_printf(d->arena, "%s: %.*s", code, (int)detail.len, detail.data) : bus_str(code);
  return ret->data != NULL;
}

/* ---- order.place ---- */

/* A customer's text never reads as one of the system's own reasons. */
static bool customers_reason(struct deciding *d, struct bus_str words, struct bus_str *ret) {
  return explain(d, "customer", words, ret);
}

/* That of anybody's order, or of this customer's. */
static const struct order_tombstone *find_tombstone(const struct order *order, struct bus_str customer_id) {
  const struct order_tombstone *tombstone = order->tombstones;
  while (tombstone && tombstone->customer_id.data && !bus_str_equal(tombstone->customer_id, customer_id))
    tombstone = tombstone->next;
  return tombstone;
}

static struct bus_str product_twice(const struct order_place *place) {
  for (size_t i = 1; i < place->item_count; i++)
    for (size_t j = 0; j < i; j++)
      if (bus_str_equal(place->items[i].product_id, place->items[j].product_id))
        return place->items[i].product_id;
  return BUS_NO_STR;
}

static struct order_item *unpriced(struct deciding *d, const struct order_place *place) {
  struct order_item *items = bus_arena_array(d->arena, place->item_count, sizeof *items);
  for (size_t i = 0; items && i < place->item_count; i++)
    items[i] = (struct order_item){place->items[i].product_id, place->items[i].quantity, BUS_NO_INT64};
  return items;
}

static bool create_order(struct deciding *d) {
  const struct order_place *place = d->body;
  struct order_item *items = unpriced(d, place);
  if (!items)
    return false;
  happen(d, FACT_CREATED)->data.created = (struct fact_created){.customer_id = place->customer_id,
                                                                .items = items,
                                                                .item_count = place->item_count,
                                                                .request = place->request,
                                                                .request_hash = place->request_hash};
  d->decision->outcome = ORDER_ACCEPTED;
  return true;
}

static bool create(struct deciding *d) {
  struct bus_str twice = product_twice(d->body);
  if (!create_order(d))
    return false;
  if (twice.data)
    return explain(d, "product_twice", twice, &happen(d, FACT_REJECTED)->data.reason.reason);
  d->decision->sends = SEND_RESERVE;
  return true;
}

/* The same facts as of an order that is cancelled before anything was reserved: every reader knows them. */
static bool create_cancelled(struct deciding *d) {
  const struct order_place *place = d->body;
  const struct order_tombstone *tombstone = find_tombstone(d->order, place->customer_id);
  struct bus_str reason;
  if (!create_order(d) || !customers_reason(d, tombstone->reason, &reason))
    return false;
  happen(d, FACT_COMPENSATING)->data.compensating.reason = reason;
  happen(d, FACT_STOCK_RETURNED);
  happen(d, FACT_CANCELLED);
  return true;
}

static bool replay(struct deciding *d) {
  const struct order_place *place = d->body;
  bool same = bus_str_equal(place->request_hash, d->order->request_hash) &&
              bus_str_equal(place->customer_id, d->order->customer_id);
  d->decision->outcome = same ? ORDER_REPLAYED : ORDER_KEY_REUSED;
  return true;
}

/* ---- forward ---- */

static const struct stock_item *find_price(const struct stock_reserved *reserved, const struct order_item *item,
                                           size_t likely) {
  if (likely < reserved->item_count && bus_str_equal(reserved->items[likely].product_id, item->product_id))
    return &reserved->items[likely];
  for (size_t i = 0; i < reserved->item_count; i++)
    if (bus_str_equal(reserved->items[i].product_id, item->product_id))
      return &reserved->items[i];
  return NULL;
}

/* The order's items with their prices, if they add up to the total; count 0: they do not. */
static bool price_items(struct deciding *d, const struct stock_reserved *reserved, struct fact_reserved *ret) {
  int64_t sum = 0, amount;
  ret->items = bus_arena_array(d->arena, d->order->item_count, sizeof *ret->items);
  if (!ret->items)
    return false;
  for (size_t i = 0; i < d->order->item_count; i++) {
    const struct stock_item *found = find_price(reserved, &d->order->items[i], i);
    if (!found || found->quantity != d->order->items[i].quantity || found->unit_price == BUS_NO_INT64 ||
        __builtin_mul_overflow(found->unit_price, found->quantity, &amount) ||
        __builtin_add_overflow(sum, amount, &sum))
      return true;
    ret->items[i] = d->order->items[i];
    ret->items[i].unit_price = found->unit_price;
  }
  if (sum == reserved->total && reserved->item_count == d->order->item_count)
    ret->item_count = d->order->item_count;
  return true;
}

static bool lock_prices(struct deciding *d) {
  const struct stock_reserved *reserved = d->body;
  struct fact_reserved fact = {.total = reserved->total, .currency = reserved->currency};
  if (!price_items(d, reserved, &fact))
    return false;
  if (fact.item_count == 0)
    return park(d, "reserved items, prices and total do not fit the order");
  happen(d, FACT_RESERVED)->data.reserved = fact;
  d->decision->sends = SEND_CHARGE;
  return true;
}

static bool note_rejection(struct deciding *d, enum order_fact_type type) {
  const struct stock_rejected *rejected = d->body;
  return explain(d, stock_reason_names[rejected->reason], rejected->product_id, &happen(d, type)->data.reason.reason);
}

static bool reject(struct deciding *d) {
  return note_rejection(d, FACT_REJECTED);
}

static bool confirm(struct deciding *d) {
  const struct payment_event *payment = d->body;
  if (payment->amount != d->order->total ||
      (payment->currency.data && !bus_str_equal(payment->currency, d->order->currency)))
    return park(d, "captured amount or currency is not the order's total");
  happen(d, FACT_CONFIRMED)->data.confirmed.amount = payment->amount;
  return true;
}

static bool confirm_paid(struct deciding *d) {
  happen(d, FACT_CONFIRMED)->data.confirmed.amount = d->order->captured;
  return true;
}

static bool note_missing(struct deciding *d) {
  return note_rejection(d, FACT_STOCK_MISSING);
}

static bool end_hold(struct deciding *d) {
  d->decision->resend = true;
  d->decision->sends = d->order->status == ORDER_CONFIRMED ? SEND_CONFIRMED : SEND_RELEASE;
  return true;
}

/* ---- backward ---- */

static bool charge_was_asked(const struct order *order) {
  return order->total != BUS_NO_INT64;
}

static bool compensation_reason(struct deciding *d, struct bus_str *ret) {
  switch (d->message) {
  case ORDER_ON_CANCEL:
    return customers_reason(d, ((const struct order_cancel *)d->body)->reason, ret);
  case ORDER_ON_PAYMENT_DECLINED:
    return explain(d, "payment_declined", ((const struct payment_refusal *)d->body)->reason, ret);
  case ORDER_ON_PAYMENT_FAILED:
    return explain(d, "payment_failed", ((const struct payment_refusal *)d->body)->reason, ret);
  case ORDER_ON_STOCK_REJECTED:
    return explain(d, "stock_lost", bus_str(stock_reason_names[((const struct stock_rejected *)d->body)->reason]), ret);
  default:
    *ret = BUS_STR(ORDER_REASON_TIMEOUT);
    return true;
  }
}

static bool compensate(struct deciding *d) {
  struct fact_compensating fact = {.alarm = d->rule->alarm != NULL};
  bool refused = d->message == ORDER_ON_PAYMENT_DECLINED || d->message == ORDER_ON_PAYMENT_FAILED;
  if (!compensation_reason(d, &fact.reason))
    return false;
  if (refused)
    happen(d, FACT_PAYMENT_REFUSED)->data.reason.reason = ((const struct payment_refusal *)d->body)->reason;
  happen(d, FACT_COMPENSATING)->data.compensating = fact;
  d->decision->sends = SEND_RELEASE;
  if (charge_was_asked(d->order) && !refused)
    d->decision->sends |= SEND_REFUND;
  if (d->message == ORDER_ON_CANCEL)
    d->decision->outcome = d->rule->outcome;
  return true;
}

static bool stock_back(struct deciding *d) {
  if (d->order->stock_settled)
    return true;
  happen(d, FACT_STOCK_RETURNED);
  if (d->order->payment_settled)
    happen(d, FACT_CANCELLED);
  return true;
}

static void cancel_if_stock_is_settled(struct deciding *d) {
  if (d->order->status == ORDER_COMPENSATING && d->order->stock_settled)
    happen(d, FACT_CANCELLED);
}

/* A refund of less than was captured settles nothing: the refund stays open and is asked again. */
static bool money_back(struct deciding *d) {
  int64_t amount = ((const struct payment_event *)d->body)->amount;
  bool covers = amount >= d->order->captured || d->order->refunded >= d->order->captured;
  if (!covers)
    raise_alarm(d, "refunded less than was captured");
  if (amount <= d->order->refunded && (d->order->payment_settled || !covers))
    return true;
  happen(d, FACT_PAYMENT_REFUNDED)->data.money.amount = amount;
  if (covers && !d->order->payment_settled)
    cancel_if_stock_is_settled(d);
  return true;
}

static bool money_refused(struct deciding *d) {
  if (d->order->captured > d->order->refunded)
    raise_alarm(d, "payment refused after it was captured");
  else if (!d->order->payment_settled) {
    happen(d, FACT_PAYMENT_REFUSED)->data.reason.reason = ((const struct payment_refusal *)d->body)->reason;
    cancel_if_stock_is_settled(d);
  }
  return true;
}

/* While the payment is open, its refund has been requested. If it counts as settled and no known refund covers the
 * capture, a refund is requested again; a repeated capture requests it again, too. */
static bool note_capture(struct deciding *d) {
  int64_t amount = ((const struct payment_event *)d->body)->amount;
  bool is_final = order_is_final(d->order);
  if (amount > d->order->captured)
    happen(d, FACT_PAYMENT_CAPTURED)->data.money.amount = amount;
  if (amount > d->order->refunded && (is_final || d->order->payment_settled)) {
    d->decision->sends = SEND_REFUND;
    raise_alarm(d, "payment captured after its order was undone");
  }
  return true;
}

static bool resend(struct deciding *d) {
  const struct order *order = d->order;
  d->decision->resend = true;
  d->decision->sends = (order->stock_settled ? 0U : SEND_RELEASE) | (order->payment_settled ? 0U : SEND_REFUND);
  return true;
}

/* ---- cells that decide little ---- */

static bool ignore(struct deciding *d) {
  (void)d;
  return true;
}

static bool park_stray(struct deciding *d) {
  return park(d, "no such order");
}

static bool refuse(struct deciding *d) {
  d->decision->outcome = d->rule->outcome;
  return true;
}

/* Someone else's order is there, but not for this customer. */
static bool keep_cancel(struct deciding *d) {
  const struct order_cancel *cancel = d->body;
  bool keeps = cancel->accepted && d->order->status == ORDER_NONE;
  d->decision->keeps_cancel = keeps;
  d->decision->outcome = keeps ? ORDER_CANCEL_ACCEPTED : d->rule->outcome;
  return true;
}

static bool (*const steps[])(struct deciding *) = {
    [STEP_IGNORE] = ignore,
    [STEP_PARK] = park_stray,
    [STEP_REFUSE] = refuse,
    [STEP_KEEP_CANCEL] = keep_cancel,
    [STEP_CREATE] = create,
    [STEP_CREATE_CANCELLED] = create_cancelled,
    [STEP_REPLAY] = replay,
    [STEP_LOCK_PRICES] = lock_prices,
    [STEP_REJECT] = reject,
    [STEP_CONFIRM] = confirm,
    [STEP_CONFIRM_PAID] = confirm_paid,
    [STEP_COMPENSATE] = compensate,
    [STEP_STOCK_BACK] = stock_back,
    [STEP_MONEY_BACK] = money_back,
    [STEP_MONEY_REFUSED] = money_refused,
    [STEP_NOTE_CAPTURE] = note_capture,
    [STEP_RESEND] = resend,
    [STEP_NOTE_MISSING] = note_missing,
    [STEP_END_HOLD] = end_hold,
};

static int state_for_cancel(const struct order *order, struct bus_str asking) {
  bool exists = order->status != ORDER_NONE;
  if (exists)
    return !asking.data || bus_str_equal(asking, order->customer_id) ? order->status : ORDER_NONE;
  return find_tombstone(order, asking) ? ORDER_TOMBSTONE : ORDER_NONE;
}

int order_state_for(const struct order *order, enum order_message message, const void *body) {
  if (message == ORDER_ON_CANCEL)
    return state_for_cancel(order, ((const struct order_cancel *)body)->customer_id);
  if (message != ORDER_ON_PLACE || order->status != ORDER_NONE)
    return order->status;
  return find_tombstone(order, ((const struct order_place *)body)->customer_id) ? ORDER_TOMBSTONE : ORDER_NONE;
}

bool order_decide(const struct order *order, enum order_message message, const void *body, bus_time now,
                  struct bus_arena *arena, struct order_decision *ret) {
  const struct order_rule *rule = &order_rules[order_state_for(order, message, body)][message];
  assert(rule->step != STEP_MISSING);
  *ret = (struct order_decision){.outcome = ORDER_NO_OUTCOME};
  if (message == ORDER_ON_DEADLINE && !order_is_final(order) && now < order->deadline)
    return true; /* it moved since it was looked up */
  ret->alarm = rule->alarm;
  struct deciding d = {order, message, body, now, arena, rule, ret};
  return steps[rule->step](&d);
}
