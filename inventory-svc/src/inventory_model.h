/*
 * The model of a batch: the products, reservations and requests that its messages name, each once, found by id. The
 * store fills it from the database and writes the differences back; a decision sees the changes of earlier messages of
 * the batch. Pure; all of it is in the batch's arena.
 */
#ifndef INVENTORY_MODEL_H
#define INVENTORY_MODEL_H

#include "reservation.h"

#include <bus/aggregate.h>
#include <bus/effects.h>

/* The body of a BUS_INPUT_DEADLINE: a reservation past its expected_until. */
struct inventory_due {
  struct bus_uuid order_id;
};

/* A request of set-stock that was carried out, now or before. */
struct stock_request {
  struct bus_uuid request_id;
  struct bus_str product_id;
  int64_t on_hand;
};

struct inventory_model {
  struct bus_arena *arena;
  struct bus_set products;     /* of struct product: those that messages name, and those of loaded reservations */
  struct bus_set reservations; /* of struct reservation */
  struct bus_set requests;     /* of struct stock_request; carried out: stored or changed */
};

/* The order whose reservation the input concerns, or NULL. */
const struct bus_uuid *inventory_order_of(const struct bus_input *input);

/* Which ids the inputs name. False: out of memory. */
bool inventory_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                         struct inventory_model **ret) BUS_MUST_CHECK;
/* Once everything is loaded: lets the lines of reservations point to their products. False: one is not there. */
bool inventory_model_link(struct inventory_model *model) BUS_MUST_CHECK;
/* Marks the products that differ from the database's. */
void inventory_model_finish(struct inventory_model *model);

/* NULL: not in the model. */
static inline struct product *inventory_model_product(const struct inventory_model *model, struct bus_str id) {
  return bus_set_find(&model->products, &id);
}
static inline struct reservation *inventory_model_reservation(const struct inventory_model *model,
                                                              const struct bus_uuid *order_id) {
  return bus_set_find(&model->reservations, order_id);
}

/* Every product in the model keeps its invariant. */
bool inventory_model_is_valid(const struct inventory_model *model);

#endif
