/* Decisions on messages: one small function for each kind of cell of the table. */
#include "order_table.h"

#include <inventory_messages.h>
#include <payment_messages.h>

#include <assert.h>

struct deciding {
  const struct order *order;
  enum order_message message;
  union { /* the body, by message */
    const void *body;
    const struct order_place *place;
    const struct order_cancel *cancel;
    const struct order_pay *pay;
    const struct stock_reserved *reserved;
    const struct stock_rejected *rejected;
    const struct payment_event *payment;
    const struct payment_refusal *refusal;
  };
  struct bus_arena *arena;
  const struct order_rule *rule;
  struct order_decision *decision;
};

/* ---- what steps are made of ---- */

static struct order_fact *add_fact(struct deciding *d, enum order_fact_type type) {
  assert(d->decision->fact_count < ORDER_FACTS_MAX);
  struct order_fact *fact = &d->decision->facts[d->decision->fact_count++];
  *fact = (struct order_fact){.type = type};
  return fact;
}

static bool park_message(struct deciding *d, const char *why) {
  d->decision->unusable = why;
  return true;
}

/* "code" or "code: detail" */
static bool give_reason(struct deciding *d, size_t why, struct bus_str detail, struct bus_str *ret) {
  const char *code = order_why_name(why);
  *ret = detail.data ? bus_arena_printf(d->arena, "%s: %.*s", code, (int)detail.len, detail.data) : bus_str(code);
  return ret->data != NULL;
}

/* ---- order.place ---- */

/* A customer's text never reads as one of the system's own reasons. */
static bool customers_reason(struct deciding *d, struct bus_str words, struct bus_str *ret) {
  return give_reason(d, ORDER_WHY_CUSTOMER, words, ret);
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

static bool create_order(struct deciding *d) {
  const struct order_place *place = d->place;
  struct order_item *items = bus_arena_array(d->arena, place->item_count, sizeof *items);
  if (!items)
    return false;
  for (size_t i = 0; i < place->item_count; i++)
    items[i] = (struct order_item){place->items[i].product_id, place->items[i].quantity, BUS_NO_INT64};
  *add_fact(d, FACT_CREATED) = (struct order_fact){.type = FACT_CREATED,
                                                   .customer_id = place->customer_id,
                                                   .items = items,
                                                   .item_count = place->item_count,
                                                   .payment = place->pay_later ? BUS_STR("later") : BUS_NO_STR,
                                                   .request = place->request,
                                                   .request_hash = place->request_hash};
  d->decision->outcome = ORDER_ACCEPTED;
  return true;
}

/* Whose orders are too many for one more that is paid later; NULL: it can be, or is paid at once. */
static const char *no_room(const struct deciding *d) {
  static const char *const whose[] = {
      [ORDER_ROOM_CUSTOMER_FULL] = "of this customer", [ORDER_ROOM_FULL] = "of all customers"};
  return d->place->pay_later ? whose[d->order->room] : NULL;
}

static bool step_create(struct deciding *d) {
  struct bus_str twice = product_twice(d->place);
  const char *unpaid = no_room(d);
  if (!d->place->pay_later && !d->place->payment_token.data)
    return park_message(d, "no payment token");
  if (!create_order(d))
    return false;
  if (unpaid)
    return give_reason(d, ORDER_WHY_TOO_MANY_UNPAID, bus_str(unpaid), &add_fact(d, FACT_REJECTED)->reason);
  if (twice.data)
    return give_reason(d, ORDER_WHY_TWICE, twice, &add_fact(d, FACT_REJECTED)->reason);
  d->decision->sends = SEND_RESERVE;
  return true;
}

/* The same facts as of an order that is cancelled before anything was reserved: every reader knows them. */
static bool step_create_cancelled(struct deciding *d) {
  const struct order_tombstone *tombstone = find_tombstone(d->order, d->place->customer_id);
  struct bus_str reason;
  if (!create_order(d) || !customers_reason(d, tombstone->reason, &reason))
    return false;
  add_fact(d, FACT_COMPENSATING)->reason = reason;
  add_fact(d, FACT_STOCK_RETURNED);
  add_fact(d, FACT_CANCELLED);
  return true;
}

static bool step_replay(struct deciding *d) {
  bool same = bus_str_equal(d->place->request_hash, d->order->request_hash) &&
              bus_str_equal(d->place->customer_id, d->order->customer_id);
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
static bool price_items(struct deciding *d, const struct stock_reserved *reserved, struct order_fact *ret) {
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

static bool step_lock_prices(struct deciding *d) {
  struct order_fact fact = {.type = FACT_RESERVED, .total = d->reserved->total, .currency = d->reserved->currency};
  if (!price_items(d, d->reserved, &fact))
    return false;
  if (fact.item_count == 0)
    return park_message(d, "reserved items, prices and total do not fit the order");
  *add_fact(d, FACT_RESERVED) = fact;
  d->decision->sends = d->order->pay_later ? 0 : SEND_CHARGE;
  return true;
}

static const struct order_attempt *find_attempt(const struct order *order, const struct bus_uuid *pay_id) {
  const struct order_attempt *attempt = order->tried;
  while (attempt && !bus_uuid_equal(&attempt->pay_id, pay_id))
    attempt = attempt->next;
  return attempt;
}

/* A customer who pays twice under one key pays once: whatever became of the attempt, it is answered and no other
 * begins.
 */
static bool is_repeated_pay(struct deciding *d) {
  const struct order_attempt *known = find_attempt(d->order, &d->pay->pay_id);
  if (known)
    d->decision->outcome = bus_str_equal(known->request_hash, d->pay->request_hash) ? ORDER_REPLAYED : ORDER_KEY_REUSED;
  return known != NULL;
}

/* While an attempt is open its money may yet be taken: no other begins. */
static bool step_pay(struct deciding *d) {
  const struct order *order = d->order;
  if (is_repeated_pay(d))
    return true;
  if (!order->payment_settled || order->attempts == ORDER_ATTEMPTS_MAX) {
    d->decision->outcome = order->payment_settled ? ORDER_PAY_SPENT : ORDER_PAY_OPEN;
    return true;
  }
  *add_fact(d, FACT_PAYMENT_REQUESTED) = (struct order_fact){.type = FACT_PAYMENT_REQUESTED,
                                                             .attempt = order->attempts + 1,
                                                             .pay_id = d->pay->pay_id,
                                                             .request_hash = d->pay->request_hash};
  d->decision->sends = SEND_CHARGE;
  d->decision->outcome = ORDER_PAY_ACCEPTED;
  return true;
}

static bool step_refuse_pay(struct deciding *d) {
  if (!is_repeated_pay(d))
    d->decision->outcome = d->rule->outcome;
  return true;
}

static bool step_note_refusal(struct deciding *d) {
  if (!d->order->payment_settled)
    add_fact(d, FACT_PAYMENT_REFUSED)->reason = d->refusal->reason;
  return true;
}

/* Inventory could not reserve, or could not sell. */
static bool step_note_rejection(struct deciding *d) {
  enum order_fact_type type = d->rule->cell.step == STEP_REJECT ? FACT_REJECTED : FACT_STOCK_MISSING;
  return give_reason(d, (size_t)d->rejected->reason, d->rejected->product_id, &add_fact(d, type)->reason);
}

static bool step_confirm(struct deciding *d) {
  const struct payment_event *payment = d->payment;
  if (payment->amount != d->order->total ||
      (payment->currency.data && !bus_str_equal(payment->currency, d->order->currency)))
    return park_message(d, "captured amount or currency is not the order's total");
  add_fact(d, FACT_CONFIRMED)->amount = payment->amount;
  return true;
}

static bool step_confirm_paid(struct deciding *d) {
  add_fact(d, FACT_CONFIRMED)->amount = d->order->captured;
  return true;
}

static bool step_end_hold(struct deciding *d) {
  d->decision->resend = true;
  d->decision->sends = d->order->status == ORDER_CONFIRMED ? SEND_CONFIRMED : SEND_RELEASE;
  return true;
}

/* ---- backward ---- */

static bool compensation_reason(struct deciding *d, struct bus_str *ret) {
  switch (d->message) {
  case ORDER_ON_CANCEL:
    return customers_reason(d, d->cancel->reason, ret);
  case ORDER_ON_PAYMENT_DECLINED:
    return give_reason(d, ORDER_WHY_DECLINED, d->refusal->reason, ret);
  case ORDER_ON_PAYMENT_FAILED:
    return give_reason(d, ORDER_WHY_FAILED, d->refusal->reason, ret);
  case ORDER_ON_STOCK_REJECTED:
    return give_reason(d, ORDER_WHY_STOCK_LOST, bus_str(stock_reason_names[d->rejected->reason]), ret);
  default:
    *ret = d->order->status == ORDER_AWAITING_PAYMENT ? BUS_STR(ORDER_REASON_UNPAID) : BUS_STR(ORDER_REASON_TIMEOUT);
    return true;
  }
}

static bool step_compensate(struct deciding *d) {
  struct order_fact fact = {.type = FACT_COMPENSATING, .alarm = d->rule->cell.alarm != NULL};
  bool refused = d->message == ORDER_ON_PAYMENT_DECLINED || d->message == ORDER_ON_PAYMENT_FAILED;
  if (!compensation_reason(d, &fact.reason))
    return false;
  if (refused)
    add_fact(d, FACT_PAYMENT_REFUSED)->reason = d->refusal->reason;
  *add_fact(d, FACT_COMPENSATING) = fact;
  d->decision->sends = SEND_RELEASE;
  bool charge_was_asked = d->order->total != BUS_NO_INT64 && !d->order->payment_settled;
  if (charge_was_asked && !refused)
    d->decision->sends |= SEND_REFUND;
  if (d->message == ORDER_ON_CANCEL)
    d->decision->outcome = d->rule->outcome;
  return true;
}

static bool step_stock_back(struct deciding *d) {
  if (d->order->stock_settled)
    return true;
  add_fact(d, FACT_STOCK_RETURNED);
  if (d->order->payment_settled)
    add_fact(d, FACT_CANCELLED);
  return true;
}

static void cancel_if_stock_is_settled(struct deciding *d) {
  if (d->order->status == ORDER_COMPENSATING && d->order->stock_settled)
    add_fact(d, FACT_CANCELLED);
}

static int64_t left_of(const struct payment_event *payment) {
  return payment->left == BUS_NO_INT64 ? 0 : payment->left;
}

/* The refunded and the remaining amount were captured before; the event that says so may come later. */
static void note_capture_behind(struct deciding *d) {
  int64_t captured = d->payment->amount + left_of(d->payment);
  if (left_of(d->payment) > 0 && captured > d->order->captured)
    add_fact(d, FACT_PAYMENT_CAPTURED)->amount = captured;
}

/* An operator's refund: the order stays as it is. An attempt that has ended took nothing for the order: what its
 * provider took later is no money of the order, nor is its refund. */
static bool step_note_refund(struct deciding *d) {
  int64_t amount = d->payment->amount;
  if (d->order->status == ORDER_AWAITING_PAYMENT && d->order->payment_settled)
    return true;
  if (amount + left_of(d->payment) > d->order->total)
    d->decision->alarm = "refunded more than was captured";
  else if (amount > d->order->refunded) {
    note_capture_behind(d);
    add_fact(d, FACT_PAYMENT_REFUNDED)->amount = amount;
  }
  return true;
}

/* An operator's refund of a part settles nothing: the refund of the rest stays open and is asked again. So it does
 * where less was refunded than was captured, and no more is left. */
static bool step_money_back(struct deciding *d) {
  int64_t amount = d->payment->amount;
  bool is_part = left_of(d->payment) > 0;
  bool covers = !is_part && (amount >= d->order->captured || d->order->refunded >= d->order->captured);
  if (!covers && !is_part)
    d->decision->alarm = "refunded less than was captured";
  if (amount <= d->order->refunded && (d->order->payment_settled || !covers))
    return true;
  note_capture_behind(d);
  add_fact(d, FACT_PAYMENT_REFUNDED)->amount = amount;
  if (covers && !d->order->payment_settled)
    cancel_if_stock_is_settled(d);
  return true;
}

static bool step_money_refused(struct deciding *d) {
  if (d->order->captured > d->order->refunded)
    d->decision->alarm = "payment refused after it was captured";
  else if (!d->order->payment_settled) {
    add_fact(d, FACT_PAYMENT_REFUSED)->reason = d->refusal->reason;
    cancel_if_stock_is_settled(d);
  }
  return true;
}

/* While the payment is open, its refund has been requested. If it counts as settled and no known refund covers the
 * capture, a refund is requested again; a repeated capture requests it again, too. */
static bool step_note_capture(struct deciding *d) {
  int64_t amount = d->payment->amount;
  bool is_final = order_is_final(d->order);
  if (amount > d->order->captured)
    add_fact(d, FACT_PAYMENT_CAPTURED)->amount = amount;
  if (amount > d->order->refunded && (is_final || d->order->payment_settled)) {
    d->decision->sends = SEND_REFUND;
    d->decision->alarm = "payment captured after its order was undone";
  }
  return true;
}

static bool step_resend(struct deciding *d) {
  const struct order *order = d->order;
  d->decision->resend = true;
  d->decision->sends = (order->stock_settled ? 0U : SEND_RELEASE) | (order->payment_settled ? 0U : SEND_REFUND);
  return true;
}

/* ---- cells that decide little ---- */

static bool step_ignore(struct deciding *d) {
  (void)d;
  return true;
}

static bool step_park(struct deciding *d) {
  return park_message(d, "no such order");
}

static bool step_refuse(struct deciding *d) {
  d->decision->outcome = d->rule->outcome;
  return true;
}

/* Someone else's order is there, but not for this customer. */
static bool step_keep_cancel(struct deciding *d) {
  bool keeps = d->cancel->accepted && d->order->status == ORDER_NONE;
  d->decision->keeps_cancel = keeps;
  d->decision->outcome = keeps ? ORDER_CANCEL_ACCEPTED : d->rule->outcome;
  return true;
}

static bool (*const steps[])(struct deciding *) = {
    [STEP_IGNORE] = step_ignore,
    [STEP_PARK] = step_park,
    [STEP_REFUSE] = step_refuse,
    [STEP_KEEP_CANCEL] = step_keep_cancel,
    [STEP_CREATE] = step_create,
    [STEP_CREATE_CANCELLED] = step_create_cancelled,
    [STEP_REPLAY] = step_replay,
    [STEP_LOCK_PRICES] = step_lock_prices,
    [STEP_PAY] = step_pay,
    [STEP_REFUSE_PAY] = step_refuse_pay,
    [STEP_NOTE_REFUSAL] = step_note_refusal,
    [STEP_REJECT] = step_note_rejection,
    [STEP_CONFIRM] = step_confirm,
    [STEP_CONFIRM_PAID] = step_confirm_paid,
    [STEP_COMPENSATE] = step_compensate,
    [STEP_STOCK_BACK] = step_stock_back,
    [STEP_NOTE_REFUND] = step_note_refund,
    [STEP_MONEY_BACK] = step_money_back,
    [STEP_MONEY_REFUSED] = step_money_refused,
    [STEP_NOTE_CAPTURE] = step_note_capture,
    [STEP_RESEND] = step_resend,
    [STEP_NOTE_MISSING] = step_note_rejection,
    [STEP_END_HOLD] = step_end_hold,
};

static int state_for_cancel(const struct order *order, struct bus_str asking) {
  bool exists = order->status != ORDER_NONE;
  if (exists)
    return !asking.data || bus_str_equal(asking, order->customer_id) ? order->status : ORDER_NONE;
  return find_tombstone(order, asking) ? ORDER_TOMBSTONE : ORDER_NONE;
}

/* Someone else's order cannot be paid: it is not there. */
static int state_for_pay(const struct order *order, struct bus_str asking) {
  bool exists = order->status != ORDER_NONE;
  return exists && (!asking.data || bus_str_equal(asking, order->customer_id)) ? order->status : ORDER_NONE;
}

int order_state_for(const struct order *order, enum order_message message, const void *body) {
  if (message == ORDER_ON_PAY)
    return state_for_pay(order, ((const struct order_pay *)body)->customer_id);
  if (message == ORDER_ON_CANCEL)
    return state_for_cancel(order, ((const struct order_cancel *)body)->customer_id);
  if (message != ORDER_ON_PLACE || order->status != ORDER_NONE)
    return order->status;
  return find_tombstone(order, ((const struct order_place *)body)->customer_id) ? ORDER_TOMBSTONE : ORDER_NONE;
}

/* The attempt that an event of payment-svc is about; 0: of an order that is paid at once, or no such event. */
static int64_t attempt_told(enum order_message message, const void *body) {
  int64_t attempt = BUS_NO_INT64;
  if (message == ORDER_ON_PAYMENT_DECLINED || message == ORDER_ON_PAYMENT_FAILED)
    attempt = ((const struct payment_refusal *)body)->attempt;
  else if (message == ORDER_ON_PAYMENT_CAPTURED || message == ORDER_ON_PAYMENT_REFUNDED)
    attempt = ((const struct payment_event *)body)->attempt;
  return attempt == BUS_NO_INT64 ? 0 : attempt;
}

/* Only the last attempt may be open. An earlier one captured nothing, and payment-svc has given back what its provider
 * took after it had said so. */
static bool is_of_earlier_attempt(const struct order *order, enum order_message message, const void *body) {
  int64_t attempt = attempt_told(message, body);
  return attempt > 0 && attempt < order->attempts;
}

bool order_decide(const struct order *order, enum order_message message, const void *body, bus_time now,
                  struct bus_arena *arena, struct order_decision *ret) {
  const struct order_rule *rule = order_rule_of(order_state_for(order, message, body), message);
  *ret = (struct order_decision){.outcome = ORDER_NO_OUTCOME};
  if (message == ORDER_ON_DEADLINE && !order_is_final(order) && now < order->deadline)
    return true; /* it moved since it was looked up */
  if (is_of_earlier_attempt(order, message, body))
    return true;
  ret->alarm = rule->cell.alarm;
  struct deciding d = {order, message, {body}, arena, rule, ret};
  return steps[rule->cell.step](&d);
}
