/* Random commands in random batches: after each batch stock balances with the reservations, and a model of the rules
 * that is far simpler than the service agrees with every outcome. */
#include "shelf.h"

#include <order_messages.h>

#include <stdio.h>
#include <test.h>

enum { ORDERS = 40, PRODUCTS = 6, BATCHES = 150, SEEDS = 12 };

static uint64_t rolled;

static uint32_t dice(uint32_t sides) {
  rolled = rolled * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(rolled >> 33) % sides;
}

static const char *const ids[PRODUCTS] = {"P0", "P1", "P2", "P3", "P4", "missing"};

/* A second implementation of the rules, one order and one product at a time. */
struct simple {
  char order[ORDERS]; /* 0 none, r reserved, c committed, x released, j rejected */
  int64_t need[ORDERS][PRODUCTS];
  int64_t on_hand[PRODUCTS], reserved[PRODUCTS], sold[PRODUCTS], received[PRODUCTS];
};

static void simple_need(const struct inventory_reserve *body, int64_t need[PRODUCTS]) {
  for (size_t i = 0; i < body->item_count; i++)
    for (int p = 0; p < PRODUCTS; p++)
      if (bus_str_is(body->items[i].product_id, ids[p]))
        need[p] += body->items[i].quantity;
}

static bool simple_take(struct simple *simple, uint32_t order, const int64_t need[PRODUCTS], int64_t into[PRODUCTS]) {
  for (int p = 0; p < PRODUCTS; p++)
    if (need[p] > 0 && (p == PRODUCTS - 1 || need[p] > simple->on_hand[p]))
      return false;
  for (int p = 0; p < PRODUCTS; p++) {
    simple->need[order][p] = need[p];
    simple->on_hand[p] -= need[p];
    into[p] += need[p];
  }
  return true;
}

static const struct bus_message_type *simple_reserve(struct simple *simple, uint32_t order,
                                                     const struct inventory_reserve *body) {
  int64_t need[PRODUCTS] = {0};
  switch (simple->order[order]) {
  case 'r':
    return &stock_reserved_type;
  case 'c':
    return NULL;
  case 'x':
  case 'j':
    return &stock_rejected_type;
  default:
    simple_need(body, need);
    simple->order[order] = simple_take(simple, order, need, simple->reserved) ? 'r' : 'j';
    return simple->order[order] == 'r' ? &stock_reserved_type : &stock_rejected_type;
  }
}

static void simple_move(struct simple *simple, uint32_t order, int64_t to[PRODUCTS], char state) {
  for (int p = 0; p < PRODUCTS; p++) {
    simple->reserved[p] -= simple->need[order][p];
    to[p] += simple->need[order][p];
  }
  simple->order[order] = state;
}

static const struct bus_message_type *simple_sell(struct simple *simple, uint32_t order,
                                                  const struct inventory_reserve *body) {
  int64_t asked[PRODUCTS] = {0}, none[PRODUCTS] = {0};
  const int64_t *need = simple->order[order] == 0 ? asked : simple->need[order];
  if (simple->order[order] == 'c')
    return NULL;
  if (simple->order[order] == 'r') {
    simple_move(simple, order, simple->sold, 'c');
    return NULL;
  }
  simple_need(body, asked);
  bool known = memcmp(need, none, sizeof none) != 0;
  if (simple->order[order] == 'j' || !known || !simple_take(simple, order, need, simple->sold))
    return &stock_missing_type;
  simple->order[order] = 'c';
  return NULL;
}

static const struct bus_message_type *simple_release(struct simple *simple, uint32_t order) {
  if (simple->order[order] == 'c')
    return NULL;
  if (simple->order[order] == 'j')
    return &stock_rejected_type;
  if (simple->order[order] == 'r')
    simple_move(simple, order, simple->on_hand, 'x');
  simple->order[order] = 'x';
  return &stock_released_type;
}

/* ---- one batch ---- */

struct round {
  struct inventory_reserve reserves[SHELF_BATCH];
  struct stock_item items[SHELF_BATCH][4];
  struct order_event confirmed[SHELF_BATCH];
  struct order_item sold[SHELF_BATCH][4];
  struct inventory_order orders[SHELF_BATCH];
  struct inventory_set_stock sets[SHELF_BATCH];
  const struct bus_message_type *expected[SHELF_BATCH];
};

static const struct inventory_reserve *draw_items(struct round *round, size_t n, uint32_t order) {
  struct inventory_reserve *body = &round->reserves[n];
  *body = (struct inventory_reserve){order_id(order), round->items[n], 1 + dice(4), BUS_NO_INT64, BUS_NO_TIME};
  for (size_t i = 0; i < body->item_count; i++) {
    const char *id = ids[dice(40) == 0 ? PRODUCTS - 1 : dice(PRODUCTS - 1)];
    round->items[n][i] = (struct stock_item){bus_str(id), 1 + dice(5), BUS_NO_INT64};
  }
  return body;
}

static void add_reserve(struct shelf *shelf, struct simple *simple, struct round *round, size_t n, uint32_t order) {
  const struct inventory_reserve *body = draw_items(round, n, order);
  round->expected[n] = simple_reserve(simple, order, body);
  shelf_add(shelf, &inventory_reserve_type, body);
}

static void add_confirmed(struct shelf *shelf, struct simple *simple, struct round *round, size_t n, uint32_t order) {
  const struct inventory_reserve *body = draw_items(round, n, order);
  for (size_t i = 0; i < body->item_count; i++)
    round->sold[n][i] = (struct order_item){body->items[i].product_id, body->items[i].quantity, 7};
  round->confirmed[n] = (struct order_event){.order_id = body->order_id,
                                             .customer_id = BUS_STR("c-1"),
                                             .items = round->sold[n],
                                             .item_count = body->item_count,
                                             .total = 1,
                                             .currency = BUS_STR("EUR")};
  round->expected[n] = simple_sell(simple, order, body);
  shelf_add(shelf, &order_confirmed_type, &round->confirmed[n]);
}

static void add_set_stock(struct shelf *shelf, struct simple *simple, struct round *round, size_t n, uint32_t serial) {
  uint32_t p = dice(PRODUCTS - 1);
  round->sets[n] = (struct inventory_set_stock){order_id(1000000 + serial), bus_str(ids[p]), dice(40)};
  simple->received[p] += round->sets[n].on_hand - simple->on_hand[p];
  simple->on_hand[p] = round->sets[n].on_hand;
  round->expected[n] = &inventory_answer_type;
  shelf_add(shelf, &inventory_set_stock_type, &round->sets[n]);
}

static void add_any(struct shelf *shelf, struct simple *simple, struct round *round, size_t n, uint32_t serial) {
  uint32_t order = dice(ORDERS), what = dice(20);
  if (what == 0) {
    add_set_stock(shelf, simple, round, n, serial);
  } else if (what < 10) {
    add_reserve(shelf, simple, round, n, order);
  } else if (what < 15) {
    add_confirmed(shelf, simple, round, n, order);
  } else {
    round->orders[n] = (struct inventory_order){order_id(order)};
    round->expected[n] = simple_release(simple, order);
    shelf_add(shelf, &inventory_release_type, &round->orders[n]);
  }
}

static void assert_agrees(const struct shelf *shelf, const struct simple *simple) {
  assert_true(shelf_balances(shelf));
  for (int p = 0; p < PRODUCTS - 1; p++) {
    const struct product *product = shelf_product(shelf, ids[p]);
    assert_int_equal(product->on_hand, simple->on_hand[p]);
    assert_int_equal(product->reserved, simple->reserved[p]);
    assert_int_equal(product->sold, simple->sold[p]);
    assert_int_equal(product->received, simple->received[p]);
  }
}

/* The message that the n-th input led to, or NULL. */
static const struct bus_message_type *said_to(const struct shelf *shelf, size_t n) {
  for (const struct bus_effect *effect = shelf->effects.first; effect; effect = effect->next)
    if (effect->kind != BUS_EFFECT_ACTION && effect->cause == &shelf->inputs[n])
      return effect->type;
  return NULL;
}

static void run_seed(uint64_t seed, size_t seen[5]) {
  static struct round round;
  struct simple simple = {.order = {0}};
  struct shelf *shelf = shelf_new();
  rolled = seed * 0x9e3779b97f4a7c15u + 1;
  for (int p = 0; p < PRODUCTS - 1; p++) {
    simple.on_hand[p] = simple.received[p] = dice(60);
    shelf_put(shelf, ids[p], 1 + dice(100), "EUR", simple.on_hand[p]);
  }
  for (uint32_t batch = 0; batch < BATCHES; batch++) {
    size_t count = 1 + dice(SHELF_BATCH);
    for (size_t n = 0; n < count; n++)
      add_any(shelf, &simple, &round, n, batch * SHELF_BATCH + (uint32_t)n);
    shelf_run(shelf);
    for (size_t n = 0; n < count; n++) {
      const struct bus_message_type *said = said_to(shelf, n);
      assert_ptr_equal(said, round.expected[n]);
      seen[said == &stock_reserved_type   ? 0
           : said == &stock_rejected_type ? 1
           : said == &stock_released_type ? 2
           : said == &stock_missing_type  ? 3
                                          : 4]++;
    }
    assert_agrees(shelf, &simple);
  }
  shelf_free(shelf);
}

TEST(random_commands_keep_the_balance)
{
  size_t seen[5] = {0};
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    run_seed(seed, seen);
  for (size_t i = 0; i < BUS_COUNT(seen); i++)
    assert_true(seen[i] > 100); /* no outcome was left out */
}
