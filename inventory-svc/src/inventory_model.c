/* What a batch works on: gathered from its messages, sorted once, found by binary search. */
#include "inventory_model.h"

#include <order_messages.h>

#include <stdlib.h>

/* Every body that names an order begins with its id. */
#define BEGINS_WITH_ID(S) _Static_assert(offsetof(struct S, order_id) == 0, "the order's id comes first")
BEGINS_WITH_ID(inventory_reserve);
BEGINS_WITH_ID(inventory_order);
BEGINS_WITH_ID(inventory_due);
BEGINS_WITH_ID(order_event);

static int compare_text(const void *a, const void *b) {
  return product_id_compare(a, b);
}

static int compare_uuid(const void *a, const void *b) {
  return bus_uuid_compare(a, b);
}

static int compare_product(const void *a, const void *b) {
  const struct model_product *left = a, *right = b;
  return compare_text(&left->now.id, &right->now.id);
}

/* Sorts and drops repetitions; returns how many are left. */
static size_t sort_unique(void *items, size_t count, size_t size, int (*compare)(const void *, const void *)) {
  if (count == 0)
    return 0;
  qsort(items, count, size, compare);
  char *base = items;
  size_t kept = 1;
  for (size_t i = 1; i < count; i++) {
    if (compare(base + (kept - 1) * size, base + i * size) == 0)
      continue;
    if (kept != i)
      memcpy(base + kept * size, base + i * size, size);
    kept++;
  }
  return kept;
}

/* The ids of a batch, before they are sorted. */
struct ids {
  struct bus_str *products;
  struct bus_uuid *orders, *requests;
  size_t product_count, order_count, request_count;
};

const struct bus_uuid *inventory_order_of(const struct bus_input *input) {
  bool names = input->kind == BUS_INPUT_DEADLINE || input->type == &inventory_reserve_type ||
               input->type == &order_confirmed_type || input->type == &inventory_commit_type ||
               input->type == &inventory_release_type;
  return names ? input->body : NULL;
}

static size_t products_in(const struct bus_input *input) {
  if (input->type == &inventory_reserve_type)
    return ((const struct inventory_reserve *)input->body)->item_count;
  if (input->type == &order_confirmed_type)
    return ((const struct order_event *)input->body)->item_count;
  return 1; /* at most */
}

static void gather_products(struct ids *ids, const struct bus_input *input) {
  const struct inventory_reserve *reserve = input->body;
  const struct order_event *confirmed = input->body;
  for (size_t i = 0; input->type == &inventory_reserve_type && i < reserve->item_count; i++)
    ids->products[ids->product_count++] = reserve->items[i].product_id;
  for (size_t i = 0; input->type == &order_confirmed_type && i < confirmed->item_count; i++)
    ids->products[ids->product_count++] = confirmed->items[i].product_id;
}

static void gather(struct ids *ids, const struct bus_input *input) {
  if (inventory_order_of(input)) {
    ids->orders[ids->order_count++] = *inventory_order_of(input);
    gather_products(ids, input);
  } else if (input->type == &inventory_put_product_type) {
    ids->products[ids->product_count++] = ((const struct inventory_put_product *)input->body)->product_id;
  } else if (input->type == &inventory_set_stock_type) {
    const struct inventory_set_stock *body = input->body;
    ids->products[ids->product_count++] = body->product_id;
    ids->requests[ids->request_count++] = body->request_id;
  }
}

static bool make_room(struct ids *ids, const struct bus_input *inputs, size_t count, struct bus_arena *arena) {
  size_t products = 0;
  for (size_t i = 0; i < count; i++)
    products += products_in(&inputs[i]);
  *ids = (struct ids){
      .products = bus_arena_array(arena, products, sizeof *ids->products),
      .orders = bus_arena_array(arena, count, sizeof *ids->orders),
      .requests = bus_arena_array(arena, count, sizeof *ids->requests),
  };
  return ids->products && ids->orders && ids->requests;
}

static bool make_entries(struct inventory_model *model, struct ids *ids) {
  model->wanted = ids->products;
  model->wanted_count = sort_unique(ids->products, ids->product_count, sizeof *ids->products, compare_text);
  model->reservation_count = sort_unique(ids->orders, ids->order_count, sizeof *ids->orders, compare_uuid);
  model->request_count = sort_unique(ids->requests, ids->request_count, sizeof *ids->requests, compare_uuid);
  model->reservations = bus_arena_array(model->arena, model->reservation_count, sizeof *model->reservations);
  model->requests = bus_arena_array(model->arena, model->request_count, sizeof *model->requests);
  if (!model->reservations || !model->requests)
    return false;
  for (size_t i = 0; i < model->reservation_count; i++)
    model->reservations[i].now.order_id = ids->orders[i];
  for (size_t i = 0; i < model->request_count; i++)
    model->requests[i].id = ids->requests[i];
  return true;
}

bool inventory_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                         struct inventory_model **ret) {
  struct ids ids;
  struct inventory_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model || !make_room(&ids, inputs, count, arena))
    return false;
  model->arena = arena;
  for (size_t i = 0; i < count; i++)
    gather(&ids, &inputs[i]);
  if (!make_entries(model, &ids))
    return false;
  *ret = model;
  return true;
}

bool inventory_model_set_products(struct inventory_model *model, const struct product *found, size_t count) {
  size_t room = count + model->wanted_count;
  model->products = bus_arena_array(model->arena, room, sizeof *model->products);
  if (!model->products)
    return false;
  for (size_t i = 0; i < count; i++)
    model->products[i] = (struct model_product){.now = found[i], .stored_version = found[i].version};
  if (count > 0)
    qsort(model->products, count, sizeof *model->products, compare_product);
  model->product_count = count;
  size_t absent = 0;
  for (size_t i = 0; i < model->wanted_count; i++)
    if (!inventory_model_product(model, model->wanted[i]))
      model->products[count + absent++].now.id = model->wanted[i];
  model->product_count += absent;
  if (absent > 0)
    qsort(model->products, model->product_count, sizeof *model->products, compare_product);
  return true;
}

struct model_product *inventory_model_product(const struct inventory_model *model, struct bus_str id) {
  const struct model_product key = {.now.id = id};
  if (model->product_count == 0)
    return NULL;
  return bsearch(&key, model->products, model->product_count, sizeof *model->products, compare_product);
}

static int compare_reservation(const void *key, const void *entry) {
  return bus_uuid_compare(key, &((const struct model_reservation *)entry)->now.order_id);
}

struct model_reservation *inventory_model_reservation(const struct inventory_model *model,
                                                      const struct bus_uuid *order_id) {
  if (model->reservation_count == 0)
    return NULL;
  return bsearch(order_id, model->reservations, model->reservation_count, sizeof *model->reservations,
                 compare_reservation);
}

static int compare_request(const void *key, const void *entry) {
  return bus_uuid_compare(key, &((const struct model_request *)entry)->id);
}

struct model_request *inventory_model_request(const struct inventory_model *model, const struct bus_uuid *id) {
  if (model->request_count == 0)
    return NULL;
  return bsearch(id, model->requests, model->request_count, sizeof *model->requests, compare_request);
}

bool inventory_model_is_valid(const struct inventory_model *model) {
  for (size_t i = 0; i < model->product_count; i++)
    if (!product_is_valid(&model->products[i].now))
      return false;
  return true;
}
