/*
 * What a batch works on: the products, reservations and requests that its messages name, each once, found by id. The
 * store fills it with what the database holds and writes back what differs; deciding sees what earlier messages of the
 * batch did. Pure; everything lies in the batch's arena.
 */
#ifndef INVENTORY_MODEL_H
#define INVENTORY_MODEL_H

#include "reservation.h"

#include <bus/effects.h>

struct model_product {
  struct product now;     /* first: lines point to it */
  int64_t stored_version; /* 0: not in the database */
  bool card_changed;      /* name, price or currency differ from the database's */
};

struct model_reservation {
  struct reservation now;
  enum reservation_state stored;
  bool changed; /* since it was loaded */
};

/* The body of a BUS_INPUT_DEADLINE: a reservation past its expected_until. */
struct inventory_due {
  struct bus_uuid order_id;
};

/* A request of set-stock that was carried out, now or before. */
struct model_request {
  struct bus_uuid id;
  bool known, stored; /* carried out; and in the database already */
  struct bus_str product_id;
  int64_t on_hand;
};

struct inventory_model {
  struct bus_arena *arena;
  /* Named by the messages: sorted, each once. */
  struct bus_str *wanted;
  size_t wanted_count;
  struct model_reservation *reservations; /* by order id */
  size_t reservation_count;
  struct model_request *requests; /* by id */
  size_t request_count;
  /* By id: what was found, and the wanted that do not exist. Not before inventory_model_set_products. */
  struct model_product *products;
  size_t product_count;
};

/* The order whose reservation the input concerns, or NULL. */
const struct bus_uuid *inventory_order_of(const struct bus_input *input);

/* Which ids the inputs name. False: out of memory. */
bool inventory_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                         struct inventory_model **ret) BUS_MUST_CHECK;

/* found: the products in the database, any order; their text must last as long as the model. False: out of memory. */
bool inventory_model_set_products(struct inventory_model *model, const struct product *found,
                                  size_t count) BUS_MUST_CHECK;

/* NULL: not in the model. */
struct model_product *inventory_model_product(const struct inventory_model *model, struct bus_str id);
struct model_reservation *inventory_model_reservation(const struct inventory_model *model,
                                                      const struct bus_uuid *order_id);
struct model_request *inventory_model_request(const struct inventory_model *model, const struct bus_uuid *id);

/* Every product in the model keeps its invariant. */
bool inventory_model_is_valid(const struct inventory_model *model);

#endif
