/* The payments of a batch. */
#include "payment_model.h"

#include "payment_columns.h"

static const struct bus_uuid *order_of_delivery(const struct bus_input *input) {
  if (input->type == &payment_charge_type)
    return &((const struct payment_charge *)input->body)->order_id;
  if (input->type == &payment_refund_type)
    return &((const struct payment_refund *)input->body)->order_id;
  return NULL;
}

const struct bus_uuid *payment_order_of(const struct bus_input *input) {
  switch (input->kind) {
  case BUS_INPUT_DELIVERY:
    return order_of_delivery(input);
  case BUS_INPUT_DEADLINE:
    return &((const struct payment_due *)input->body)->order_id;
  case BUS_INPUT_COMPLETION:
    return &((const struct payment_result *)input->body)->order_id;
  }
  return NULL;
}

bool payment_model_new(const struct bus_input *inputs, size_t count, const struct payment_policy *policy,
                       struct bus_arena *arena, struct payment_model **ret) {
  struct payment_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->policy = policy;
  bus_set_init(&model->payments, &payment_columns, 0, arena);
  for (size_t i = 0; i < count; i++)
    if (payment_order_of(&inputs[i]))
      bus_set_add(&model->payments, payment_order_of(&inputs[i]));
  *ret = model;
  return bus_set_open(&model->payments);
}

struct payment *payment_model_find(const struct payment_model *model, const struct bus_uuid *order_id) {
  return bus_set_find(&model->payments, order_id);
}
