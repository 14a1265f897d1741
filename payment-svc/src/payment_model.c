/* The payments of a batch, sorted by order id. */
#include "payment_model.h"

#include "payment_messages.h"

#include <stdlib.h>

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

static int by_id(const void *a, const void *b) {
  return bus_uuid_compare(a, b);
}

static size_t collect(const struct bus_input *inputs, size_t count, struct bus_uuid *ids) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    const struct bus_uuid *id = payment_order_of(&inputs[i]);
    if (id)
      ids[found++] = *id;
  }
  qsort(ids, found, sizeof *ids, by_id);
  return found;
}

bool payment_model_new(const struct bus_input *inputs, size_t count, const struct payment_policy *policy,
                       struct bus_arena *arena, struct payment_model **ret) {
  struct payment_model *model = bus_arena_alloc(arena, sizeof *model);
  struct bus_uuid *ids = bus_arena_array(arena, count + 1, sizeof *ids);
  struct payment_entry *entries = bus_arena_array(arena, count + 1, sizeof *entries);
  if (!model || !ids || !entries)
    return false;
  *model = (struct payment_model){.policy = policy, .entries = entries};
  size_t found = collect(inputs, count, ids);
  for (size_t i = 0; i < found; i++)
    if (i == 0 || !bus_uuid_equal(&ids[i], &ids[i - 1]))
      payment_init(&entries[model->count++].now, &ids[i]);
  *ret = model;
  return true;
}

static int entry_by_id(const void *id, const void *entry) {
  return bus_uuid_compare(id, &((const struct payment_entry *)entry)->now.order_id);
}

struct payment_entry *payment_model_find(const struct payment_model *model, const struct bus_uuid *order_id) {
  return model->count == 0 ? NULL
                           : bsearch(order_id, model->entries, model->count, sizeof *model->entries, entry_by_id);
}
