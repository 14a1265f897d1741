/* Lets decisions happen: every change keeps received = on_hand + reserved + sold. */
#include "inventory.h"

#include <assert.h>

bool product_is_valid(const struct product *product) {
  return product->on_hand >= 0 && product->reserved >= 0 && product->sold >= 0 && product->version >= 0 &&
         product->received == product->on_hand + product->reserved + product->sold &&
         (product_exists(product) || (product->received == 0 && product->stock_version == 0));
}

bool product_is_as(const struct product *product, const struct inventory_put_product *put) {
  return product_exists(product) && !product->withdrawn && product->price == put->price &&
         bus_str_equal(product->name, put->name) && bus_str_equal(product->currency, put->currency);
}

static void stock_moved(struct product *product) {
  product->stock_version++;
  assert(product_is_valid(product));
}

static void move_units(struct product *product, int64_t quantity, int64_t *from, int64_t *to) {
  assert(product_exists(product) && quantity > 0 && quantity <= *from);
  *from -= quantity;
  *to += quantity;
  stock_moved(product);
}

void product_reserve(struct product *product, int64_t quantity) {
  move_units(product, quantity, &product->on_hand, &product->reserved);
}

void product_release(struct product *product, int64_t quantity) {
  move_units(product, quantity, &product->reserved, &product->on_hand);
}

void product_sell(struct product *product, int64_t quantity) {
  move_units(product, quantity, &product->reserved, &product->sold);
}

void product_return(struct product *product, int64_t quantity) {
  move_units(product, quantity, &product->sold, &product->on_hand);
}

void product_set_on_hand(struct product *product, int64_t on_hand) {
  assert(product_exists(product) && on_hand >= 0);
  product->received += on_hand - product->on_hand;
  product->on_hand = on_hand;
  stock_moved(product);
}

void product_put(struct product *product, const struct inventory_put_product *put) {
  bool is_new = !product_exists(product);
  if (product_is_as(product, put))
    return;
  product->name = put->name;
  product->currency = put->currency;
  product->price = put->price;
  product->withdrawn = false;
  product->version++;
  if (is_new)
    product_set_on_hand(product, put->on_hand == BUS_NO_INT64 ? 0 : put->on_hand);
}

void product_withdraw(struct product *product) {
  if (product->withdrawn)
    return;
  product->withdrawn = true;
  product->version++;
}

/* ---- reservations ---- */

static int64_t move_stock(const struct reservation *reservation, void (*move)(struct product *, int64_t)) {
  int64_t units = 0;
  for (size_t i = 0; i < reservation->line_count; i++) {
    move(reservation->lines[i].product, reservation->lines[i].quantity);
    units += reservation->lines[i].quantity;
  }
  return units;
}

/* A reservation locks the prices of the day. */
static void lock_prices(const struct reservation *reservation) {
  for (size_t i = 0; i < reservation->line_count; i++)
    reservation->lines[i].unit_price = reservation->lines[i].product->price;
}

static void take_over(struct reservation *reservation, const struct reservation_decision *decision) {
  reservation->lines = decision->request->lines;
  reservation->line_count = decision->request->line_count;
  reservation->total = decision->total;
  reservation->currency = decision->currency;
  reservation->expected_until = decision->request->expected_until;
  reservation->expires_at = decision->request->is_own ? reservation->expected_until : BUS_NO_TIME;
  for (size_t i = 0; i < reservation->line_count; i++)
    reservation->lines[i].product_id = reservation->lines[i].product->id;
}

int64_t reservation_evolve(struct reservation *reservation, const struct reservation_decision *decision) {
  if (decision->next == reservation->state)
    return 0;
  enum reservation_state before = reservation->state;
  assert(before == RESERVATION_NONE || before == RESERVATION_RESERVED || decision->next == RESERVATION_COMMITTED ||
         decision->next == RESERVATION_RETURNED);
  reservation->state = decision->next;
  reservation->expected_until = BUS_NO_TIME;
  switch (decision->next) {
  case RESERVATION_RESERVED:
    take_over(reservation, decision);
    lock_prices(reservation);
    return move_stock(reservation, product_reserve);
  case RESERVATION_COMMITTED:
    if (before == RESERVATION_NONE)
      take_over(reservation, decision);
    if (before != RESERVATION_RESERVED)
      (void)move_stock(reservation, product_reserve);
    return move_stock(reservation, product_sell);
  case RESERVATION_RELEASED:
  case RESERVATION_EXPIRED:
    return move_stock(reservation, product_release);
  case RESERVATION_RETURNED:
    return move_stock(reservation, product_return);
  case RESERVATION_REJECTED:
    reservation->reason = decision->reason;
    reservation->guilty = decision->guilty;
    return 0;
  case RESERVATION_NONE:
  case RESERVATION_STATES:
    break;
  }
  return 0;
}

void reservation_asked(struct reservation *reservation, bus_time now) {
  reservation->expected_until = now + RESERVATION_ASK_EVERY;
}
