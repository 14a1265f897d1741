/* A product and its stock: every change keeps received = on_hand + reserved + sold. Pure. */
#ifndef INVENTORY_STOCK_H
#define INVENTORY_STOCK_H

#include <bus/base.h>

struct product {
  struct bus_str id, name, currency;
  int64_t price;    /* minor units */
  int64_t on_hand;  /* what can still be reserved */
  int64_t reserved; /* held by open orders */
  int64_t sold;
  int64_t received;
  int64_t version; /* +1 by each change; 0: there is no such product (yet) */
  int64_t stored;  /* the version in the database */
};

static inline bool product_exists(const struct product *product) {
  return product->version > 0;
}

/* The invariant; an absent product has nothing. */
bool product_is_valid(const struct product *product);

/* on_hand → reserved. The caller has seen that so much is there. */
void product_reserve(struct product *product, int64_t quantity);
/* reserved → on_hand */
void product_release(struct product *product, int64_t quantity);
/* reserved → sold */
void product_sell(struct product *product, int64_t quantity);
/* received moves by the difference. */
void product_set_on_hand(struct product *product, int64_t on_hand);

struct product_card {
  struct bus_str name, currency;
  int64_t price;
  int64_t on_hand; /* of a new product */
};
/* Adds the product, or changes what its card says, but not its stock. False: it was so already. */
bool product_put(struct product *product, const struct product_card *card);

#endif
