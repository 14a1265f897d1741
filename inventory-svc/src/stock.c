/* A product and its stock: every change keeps received = on_hand + reserved + sold. */
#include "stock.h"

#include <assert.h>

bool product_is_valid(const struct product *product) {
  return product->on_hand >= 0 && product->reserved >= 0 && product->sold >= 0 && product->version >= 0 &&
         product->received == product->on_hand + product->reserved + product->sold &&
         (product_exists(product) || product->received == 0);
}

static void changed(struct product *product) {
  product->version++;
  assert(product_is_valid(product));
}

static void move(struct product *product, int64_t quantity, int64_t *from, int64_t *to) {
  assert(product_exists(product) && quantity > 0 && quantity <= *from);
  *from -= quantity;
  *to += quantity;
  changed(product);
}

void product_reserve(struct product *product, int64_t quantity) {
  move(product, quantity, &product->on_hand, &product->reserved);
}

void product_release(struct product *product, int64_t quantity) {
  move(product, quantity, &product->reserved, &product->on_hand);
}

void product_sell(struct product *product, int64_t quantity) {
  move(product, quantity, &product->reserved, &product->sold);
}

void product_set_on_hand(struct product *product, int64_t on_hand) {
  assert(product_exists(product) && on_hand >= 0);
  product->received += on_hand - product->on_hand;
  product->on_hand = on_hand;
  changed(product);
}

bool product_put(struct product *product, const struct product_card *card) {
  bool is_new = !product_exists(product);
  if (!is_new && product->price == card->price && bus_str_equal(product->name, card->name) &&
      bus_str_equal(product->currency, card->currency))
    return false;
  product->name = card->name;
  product->currency = card->currency;
  product->price = card->price;
  if (is_new) {
    product->on_hand = card->on_hand;
    product->received = card->on_hand;
  }
  changed(product);
  return true;
}
