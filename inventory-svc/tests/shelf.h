/* The service without a database: what would be stored lies on a shelf, and batches are run against it as the worker
 * runs them (model, decide, store), so that tests see what a sequence of batches does. */
#ifndef INVENTORY_TESTS_SHELF_H
#define INVENTORY_TESTS_SHELF_H

#include "inventory_service.h"

enum { SHELF_ROWS = 4096, SHELF_BATCH = 64 };

struct shelf {
  struct bus_arena *lasting, *batch;
  struct bus_uuid_source ids;
  struct product products[SHELF_ROWS];
  size_t product_count;
  struct reservation reservations[SHELF_ROWS]; /* their lines point into products */
  size_t reservation_count;
  struct stock_request requests[SHELF_ROWS];
  size_t request_count;
  /* The batch that is being put together, and what it did. */
  struct bus_input inputs[SHELF_BATCH];
  struct bus_envelope envelopes[SHELF_BATCH];
  size_t input_count;
  bus_time now;  /* of the next batch */
  size_t parked; /* how many inputs each batch is to park */
  struct bus_effects effects;
  size_t stored_products, stored_reservations; /* rows that the last batch wrote */
};

struct shelf *shelf_new(void);
void shelf_free(struct shelf *shelf);

/* Into the next batch; body must last until shelf_run. Every message asks for an answer. */
void shelf_add(struct shelf *shelf, const struct bus_message_type *type, const void *body);
/* A reservation that came due. */
void shelf_add_due(struct shelf *shelf, const struct inventory_due *due);
/* Decides the batch and stores what changed; effects stay until the next run. */
void shelf_run(struct shelf *shelf);
/* shelf_add and shelf_run of one message; returns its only message. */
const struct bus_effect *shelf_one(struct shelf *shelf, const struct bus_message_type *type, const void *body);

/* The n-th message (neither action nor notice) of the last run; NULL: none. */
const struct bus_effect *shelf_message(const struct shelf *shelf, size_t n);
/* Its notice; NULL: none. */
const struct bus_effect *shelf_notice(const struct shelf *shelf);

void shelf_put(struct shelf *shelf, const char *id, int64_t price, const char *currency, int64_t on_hand);
const struct product *shelf_product(const struct shelf *shelf, const char *id);
const struct reservation *shelf_reservation(const struct shelf *shelf, const struct bus_uuid *order_id);
/* Invariant: products balance, and what reservations hold is what products say. */
bool shelf_balances(const struct shelf *shelf);

/* An order id that ends in n. */
struct bus_uuid order_id(uint32_t n);
struct inventory_reserve reserve_of(uint32_t order, struct stock_item *items, size_t count);
/* With SKU-1 (ten at 2.50 EUR) and SKU-2 (five at 0.99 EUR). */
struct shelf *shelf_with_stock(void);
/* Asserts that the message has this type and body. */
void shelf_assert_says(const struct bus_effect *effect, const struct bus_message_type *type, const char *json);

#endif
