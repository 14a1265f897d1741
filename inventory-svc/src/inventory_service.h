/*
 * The model of a batch: the products, reservations and requests that its messages name, each once, found by id. The
 * store fills it from the database and writes the differences back; a decision sees the changes of earlier messages of
 * the batch. Then from a message to what it does to the model and to what is told. Pure; in the batch's arena.
 */
#ifndef INVENTORY_SERVICE_H
#define INVENTORY_SERVICE_H

#include "inventory.h"

#include <bus/aggregate.h>
#include <bus/effects.h>

/* The body of a BUS_INPUT_DEADLINE: a reservation past its expected_until, an order's or an own one. */
struct inventory_due {
  struct bus_uuid order_id;
};

/* A request that set or changed what is on hand, carried out now or before. */
struct stock_request {
  struct bus_uuid request_id;
  struct bus_str product_id;
  int64_t on_hand; /* afterwards */
  int64_t delta;   /* BUS_NO_INT64: it was set */
};

struct inventory_model {
  struct bus_arena *arena;
  struct bus_set products;     /* of struct product: those that messages name, and those of loaded reservations */
  struct bus_set reservations; /* of struct reservation */
  struct bus_set requests;     /* of struct stock_request; carried out: stored or changed */
};

/* The order whose reservation the input concerns, or the own reservation; or NULL. */
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

/* An action of bus_act: the events that are counted after COMMIT. */
struct inventory_tally {
  struct bus_uuid order_id;
  enum reservation_command command;
  enum reservation_alarm alarm;
  bool changed;                 /* else it was answered again with the outcome as it is */
  enum reservation_state state; /* afterwards */
  enum stock_reason reason;     /* of REJECTED */
  int64_t units;                /* that moved */
};

/* Lets the decision happen to the reservation, and counts it. */
void inventory_change(struct inventory_model *model, struct reservation *reservation, enum reservation_command command,
                      const struct reservation_decision *decision, struct bus_effects *effects);
/* A line of the model's product. */
struct reservation_line inventory_line(const struct inventory_model *model, struct bus_str product_id, int64_t quantity,
                                       int64_t unit_price);

/* Own reservations (inventory_own.c). */
void inventory_own_make(struct inventory_model *model, const void *message, struct bus_effects *effects);
void inventory_own_confirm(struct inventory_model *model, const void *message, struct bus_effects *effects);
void inventory_own_release(struct inventory_model *model, const void *message, struct bus_effects *effects);
void inventory_own_expire(struct inventory_model *model, struct reservation *reservation, struct bus_effects *effects);
/* reservation NULL: without one. refusal: of OWN_REFUSED. */
void inventory_own_answer(const struct reservation *reservation, enum own_outcome outcome,
                          const struct reservation_decision *refusal, struct bus_effects *effects);

/* bus_service.decide; model is a struct inventory_model whose products are set. */
void inventory_decide(void *model, const struct bus_input *input, struct bus_effects *effects);
/* bus_service.conclude */
void inventory_conclude(void *model, struct bus_effects *effects);

/* As clients see it; points to the product's text. */
void product_view_of(const struct product *product, struct product_view *ret);

#endif
