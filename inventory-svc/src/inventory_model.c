/* The model of a batch: the ids that its messages name. */
#include "inventory_model.h"

#include "inventory_columns.h"

#include <order_messages.h>

/* Every body that names an order begins with its id. */
#define BEGINS_WITH_ID(S) _Static_assert(offsetof(struct S, order_id) == 0, "the order's id comes first")
BEGINS_WITH_ID(inventory_reserve);
BEGINS_WITH_ID(inventory_order);
BEGINS_WITH_ID(inventory_due);
BEGINS_WITH_ID(order_event);

const struct bus_uuid *inventory_order_of(const struct bus_input *input) {
  bool names = input->kind == BUS_INPUT_DEADLINE || input->type == &inventory_reserve_type ||
               input->type == &order_confirmed_type || input->type == &inventory_commit_type ||
               input->type == &inventory_release_type;
  return names ? input->body : NULL;
}

static void add_products(struct bus_set *products, const struct bus_input *input) {
  const struct inventory_reserve *reserve = input->body;
  const struct order_event *confirmed = input->body;
  const struct inventory_put_product *put = input->body;
  const struct inventory_set_stock *set_stock = input->body;
  if (!input->body)
    return;
  for (size_t i = 0; input->type == &inventory_reserve_type && i < reserve->item_count; i++)
    bus_set_add(products, &reserve->items[i].product_id);
  for (size_t i = 0; input->type == &order_confirmed_type && i < confirmed->item_count; i++)
    bus_set_add(products, &confirmed->items[i].product_id);
  if (input->type == &inventory_put_product_type)
    bus_set_add(products, &put->product_id);
  if (input->type == &inventory_set_stock_type)
    bus_set_add(products, &set_stock->product_id);
}

bool inventory_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                         struct inventory_model **ret) {
  struct inventory_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->arena = arena;
  bus_set_init(&model->products, &product_columns, 0, arena);
  bus_set_init(&model->reservations, &reservation_columns, 0, arena);
  bus_set_init(&model->requests, &request_columns, 0, arena);
  for (size_t i = 0; i < count; i++) {
    if (inventory_order_of(&inputs[i]))
      bus_set_add(&model->reservations, inventory_order_of(&inputs[i]));
    if (inputs[i].type == &inventory_set_stock_type)
      bus_set_add(&model->requests, &((const struct inventory_set_stock *)inputs[i].body)->request_id);
    add_products(&model->products, &inputs[i]);
  }
  *ret = model;
  return bus_set_open(&model->products) && bus_set_open(&model->reservations) && bus_set_open(&model->requests);
}

bool inventory_model_link(struct inventory_model *model) {
  for (size_t i = 0; i < model->products.count; i++) {
    struct product *product = bus_set_at(&model->products, i);
    product->stored = product->version;
  }
  for (size_t i = 0; i < model->reservations.count; i++) {
    struct reservation *reservation = bus_set_at(&model->reservations, i);
    for (size_t j = 0; j < reservation->line_count; j++) {
      struct reservation_line *line = &reservation->lines[j];
      line->product = inventory_model_product(model, line->product_id);
      if (!line->product || !product_exists(line->product))
        return false;
    }
  }
  return true;
}

void inventory_model_finish(struct inventory_model *model) {
  for (size_t i = 0; i < model->products.count; i++) {
    const struct product *product = bus_set_at(&model->products, i);
    if (product->version != product->stored)
      bus_set_change(&model->products, product);
  }
}

bool inventory_model_is_valid(const struct inventory_model *model) {
  for (size_t i = 0; i < model->products.count; i++)
    if (!product_is_valid(bus_set_at(&model->products, i)))
      return false;
  return true;
}
