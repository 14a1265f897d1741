/* The orders of a batch. */
#include "order_model.h"

#include "order_columns.h"

#include <inventory_messages.h>
#include <payment_messages.h>

/* Every body that comes in begins with the order's id. */
#define BEGINS_WITH_ID(S) _Static_assert(offsetof(struct S, order_id) == 0, "the order's id comes first")
BEGINS_WITH_ID(order_place);
BEGINS_WITH_ID(order_cancel);
BEGINS_WITH_ID(stock_reserved);
BEGINS_WITH_ID(stock_rejected);
BEGINS_WITH_ID(stock_event);
BEGINS_WITH_ID(payment_event);
BEGINS_WITH_ID(payment_refusal);
BEGINS_WITH_ID(order_due);

static const struct bus_message_type *const types[ORDER_MESSAGES] = {
    [ORDER_ON_PLACE] = &order_place_type,
    [ORDER_ON_CANCEL] = &order_cancel_type,
    [ORDER_ON_STOCK_RESERVED] = &stock_reserved_type,
    [ORDER_ON_STOCK_REJECTED] = &stock_rejected_type,
    [ORDER_ON_STOCK_RELEASED] = &stock_released_type,
    [ORDER_ON_STOCK_MISSING] = &stock_missing_type,
    [ORDER_ON_STOCK_HELD] = &stock_held_type,
    [ORDER_ON_STOCK_COMMITTED] = &stock_committed_type,
    [ORDER_ON_PAYMENT_CAPTURED] = &payment_captured_type,
    [ORDER_ON_PAYMENT_DECLINED] = &payment_declined_type,
    [ORDER_ON_PAYMENT_FAILED] = &payment_failed_type,
    [ORDER_ON_PAYMENT_REFUNDED] = &payment_refunded_type,
};

static int message_of(const struct bus_input *input) {
  if (input->kind == BUS_INPUT_DEADLINE)
    return ORDER_ON_DEADLINE;
  int message = 0;
  while (message < ORDER_MESSAGES && (!types[message] || types[message] != input->type))
    message++;
  return message;
}

bool order_input_read(const struct bus_input *input, enum order_message *ret_message, struct bus_uuid *ret_order_id) {
  int message = message_of(input);
  if (message == ORDER_MESSAGES)
    return false;
  *ret_message = (enum order_message)message;
  *ret_order_id = *(const struct bus_uuid *)input->body;
  return true;
}

bool order_model_new(const struct bus_input *inputs, size_t count, const struct order_policy *policy,
                     struct bus_arena *arena, struct order_model **ret) {
  struct order_model *model = bus_arena_alloc(arena, sizeof *model);
  enum order_message message;
  struct bus_uuid order_id;
  if (!model)
    return false;
  *model = (struct order_model){.arena = arena, .policy = policy};
  bus_set_init(&model->orders, &order_columns, sizeof(struct order_entry), arena);
  for (size_t i = 0; i < count; i++)
    if (order_input_read(&inputs[i], &message, &order_id))
      bus_set_add(&model->orders, &order_id);
  if (!bus_set_open(&model->orders))
    return false;
  for (size_t i = 0; i < model->orders.count; i++) {
    struct order *order = bus_set_at(&model->orders, i);
    const struct bus_uuid id = order->order_id;
    order_init(order, &id);
  }
  *ret = model;
  return true;
}

struct order_entry *order_model_find(const struct order_model *model, const struct bus_uuid *order_id) {
  return bus_set_find(&model->orders, order_id);
}

bool order_model_add_tombstone(struct order_model *model, struct order_entry *entry,
                               const struct order_tombstone *tombstone) {
  struct order_tombstone *added = bus_arena_alloc(model->arena, sizeof *added);
  if (!added)
    return false;
  *added = *tombstone;
  added->next = entry->now.tombstones;
  entry->now.tombstones = added;
  return true;
}

bool order_model_keep_cancel(struct order_model *model, struct order_entry *entry, const struct order_cancel *cancel) {
  const struct order_tombstone tombstone = {
      .order_id = cancel->order_id, .customer_id = cancel->customer_id, .reason = cancel->reason};
  return order_model_add_tombstone(model, entry, &tombstone);
}

bool order_model_record(struct order_model *model, struct order_entry *entry, const struct order_fact *fact,
                        bus_time now) {
  struct order_record *record = bus_arena_alloc(model->arena, sizeof *record);
  if (!record || !order_fact_encode(fact, model->arena, &record->data))
    return false;
  order_evolve(&entry->now, fact, now);
  record->order_id = entry->now.order_id;
  record->type = fact->type;
  record->seq = entry->now.version;
  record->at = entry->now.updated_at;
  if (entry->last)
    entry->last->next = record;
  else
    entry->first = record;
  entry->last = record;
  bus_set_change(&model->orders, entry);
  return true;
}
