/* Decides commands to a reservation: the pricing of a request, and whether its stock is there. */
#include "inventory_table.h"

#include <assert.h>

/* ---- the catalogue ---- */

static bool condition_holds(const struct product *product, const struct product_condition *condition) {
  return (condition->if_version == BUS_NO_INT64 || condition->if_version == product->version) &&
         (condition->if_stock_version == BUS_NO_INT64 || condition->if_stock_version == product->stock_version) &&
         (!condition->if_exists || product_exists(product));
}

/* A repeat whose first answer was lost finds its own change: its condition does not hold any more, and all is as it
 * wants (RFC 9110, 13.1.1). */
enum inventory_outcome product_decide_put(const struct product *product, const struct product_put *put) {
  if (!condition_holds(product, &put->condition) && !product_is_as(product, &put->product))
    return INVENTORY_CHANGED_MEANWHILE;
  return product_exists(product) ? INVENTORY_UPDATED : INVENTORY_CREATED;
}

enum inventory_outcome product_decide_withdraw(const struct product *product, const struct product_withdraw *withdraw) {
  if (!product_exists(product))
    return INVENTORY_NOT_FOUND;
  if (!condition_holds(product, &withdraw->condition) && !product->withdrawn)
    return INVENTORY_CHANGED_MEANWHILE;
  return INVENTORY_UPDATED;
}

enum inventory_outcome product_decide_stock(const struct product *product, const struct stock_update *update,
                                            int64_t *ret_on_hand) {
  int64_t on_hand = update->delta == BUS_NO_INT64 ? update->on_hand : product->on_hand + update->delta;
  if (!product_exists(product))
    return INVENTORY_NOT_FOUND;
  if (!condition_holds(product, &update->condition))
    return INVENTORY_CHANGED_MEANWHILE;
  if (on_hand < 0)
    return INVENTORY_BELOW_RESERVED;
  if (on_hand > STOCK_ON_HAND_MAX)
    return INVENTORY_TOO_MUCH;
  *ret_on_hand = on_hand;
  return INVENTORY_UPDATED;
}

/* ---- reservations ---- */

static bool refuse_stock(struct reservation_decision *decision, enum stock_reason reason, struct bus_str guilty) {
  decision->reason = reason;
  decision->guilty = guilty;
  return false;
}

/* Adds quantity × price; false when the total is more than any amount may be. */
static bool add_price(int64_t *total, int64_t quantity, int64_t price) {
  int64_t amount, sum;
  if (__builtin_mul_overflow(quantity, price, &amount) || __builtin_add_overflow(*total, amount, &sum) ||
      sum > BUS_JSON_INT_MAX)
    return false;
  *total = sum;
  return true;
}

/* Adds prices up: one currency, one total, the expected one. */
static bool price_request(const struct reservation_request *request, struct reservation_decision *decision) {
  decision->currency = request->lines[0].product->currency;
  decision->total = 0;
  for (size_t i = 0; i < request->line_count; i++) {
    const struct reservation_line *line = &request->lines[i];
    if (!product_exists(line->product))
      return refuse_stock(decision, STOCK_UNKNOWN_PRODUCT, line->product->id);
    if (line->product->withdrawn)
      return refuse_stock(decision, STOCK_WITHDRAWN, line->product->id);
    if (!bus_str_equal(line->product->currency, decision->currency))
      return refuse_stock(decision, STOCK_MIXED_CURRENCIES, line->product->id);
    if (!add_price(&decision->total, line->quantity, line->product->price))
      return refuse_stock(decision, STOCK_TOTAL_TOO_LARGE, line->product->id);
  }
  if (request->expected_total != BUS_NO_INT64 && request->expected_total != decision->total)
    return refuse_stock(decision, STOCK_TOTAL_MISMATCH, BUS_NO_STR);
  return true;
}

/* How much of its product the lines up to this one ask for together. */
static int64_t asked_up_to(const struct reservation_request *request, size_t last) {
  int64_t sum = 0;
  for (size_t i = 0; i <= last; i++)
    if (request->lines[i].product == request->lines[last].product)
      sum += request->lines[i].quantity;
  return sum;
}

static bool is_there(const struct reservation_request *request, struct reservation_decision *decision) {
  for (size_t i = 0; i < request->line_count; i++)
    if (asked_up_to(request, i) > request->lines[i].product->on_hand)
      return refuse_stock(decision, STOCK_OUT_OF_STOCK, request->lines[i].product->id);
  return true;
}

static void try_request(const struct reservation_request *request, struct reservation_decision *decision) {
  assert(request && request->line_count > 0);
  bool good = price_request(request, decision) && is_there(request, decision);
  decision->next = good ? RESERVATION_RESERVED : RESERVATION_REJECTED;
  decision->answer = good ? ANSWER_RESERVED : ANSWER_REJECTED;
  decision->request = request;
}

/* A reservation that was released is sold as it was; an absent one as the order says. */
static void try_sale(const struct reservation *reservation, const struct reservation_request *request,
                     struct reservation_decision *decision) {
  const struct reservation_request released = {reservation->lines, reservation->line_count, .expected_total = 0};
  const struct reservation_request *sold = reservation->state == RESERVATION_NONE ? request : &released;
  bool good =
      sold->line_count > 0 ? is_there(sold, decision) : refuse_stock(decision, STOCK_NO_RESERVATION, BUS_NO_STR);
  decision->next = good ? RESERVATION_COMMITTED : reservation->state;
  decision->answer = good ? ANSWER_NONE : ANSWER_MISSING;
  decision->alarm = good ? ALARM_NONE : ALARM_MISSING;
  decision->total = request->expected_total;
  decision->currency = request->currency;
  decision->request = request;
}

void reservation_decide(const struct reservation *reservation, enum reservation_command command,
                        const struct reservation_request *request, struct reservation_decision *ret) {
  const struct reservation_rule *rule = reservation_rule_of(reservation->state, command);
  *ret = (struct reservation_decision){
      .next = reservation->state, .answer = rule->answer, .reason = rule->reason, .alarm = rule->alarm};
  switch (rule->step) {
  case STEP_TRY:
    try_request(request, ret);
    break;
  case STEP_SELL:
    try_sale(reservation, request, ret);
    break;
  case STEP_MOVE:
    ret->next = rule->next;
    break;
  case STEP_RECALL:
    ret->reason = reservation->reason;
    ret->guilty = reservation->guilty;
    break;
  case STEP_TELL:
    break;
  case STEP_MISSING:
    assert(rule->step != STEP_MISSING);
    break;
  }
}

/* ---- own reservations ---- */

/* The request asks for what was reserved under its id. */
static bool is_repeat(const struct reservation *reservation, const struct reservation_request *request, bus_time now) {
  bool same = reservation->line_count == request->line_count &&
              reservation->expires_at - reservation->created_at == request->expected_until - now;
  for (size_t i = 0; same && i < request->line_count; i++)
    same = bus_str_equal(reservation->lines[i].product_id, request->lines[i].product->id) &&
           reservation->lines[i].quantity == request->lines[i].quantity;
  return same;
}

/* A refusal leaves nothing behind: the request may be repeated when there is stock. */
static enum own_outcome make_own(const struct reservation *reservation, const struct reservation_request *request,
                                 bus_time now, struct reservation_decision *ret) {
  if (reservation->state != RESERVATION_NONE)
    return reservation_is_own(reservation) && is_repeat(reservation, request, now) ? OWN_REPEATED : OWN_KEY_REUSED;
  try_request(request, ret);
  if (ret->next == RESERVATION_RESERVED)
    return OWN_MADE;
  ret->next = RESERVATION_NONE;
  return OWN_REFUSED;
}

enum own_outcome own_decide(const struct reservation *reservation, enum own_command command,
                            const struct reservation_request *request, bus_time now, struct reservation_decision *ret) {
  *ret = (struct reservation_decision){.next = reservation->state};
  if (command == OWN_MAKE)
    return make_own(reservation, request, now, ret);
  if (reservation->state == RESERVATION_NONE || !reservation_is_own(reservation))
    return OWN_NOT_FOUND;
  bool is_over = reservation->state == RESERVATION_RESERVED && now >= reservation->expires_at;
  const struct own_rule *rule = own_rule_of(is_over ? RESERVATION_EXPIRED : reservation->state, command);
  ret->next = rule->next;
  return rule->outcome;
}

bool reservation_is_due(const struct reservation *reservation, bus_time now) {
  return reservation->state == RESERVATION_RESERVED && !reservation_is_own(reservation) &&
         (now >= reservation->expected_until || reservation->expected_until > now + RESERVATION_LONGEST_WAIT);
}
