/* The orders of a batch: gathered from its messages, sorted once, found by binary search. */
#include "order_model.h"

#include <inventory_messages.h>
#include <payment_messages.h>

#include <stdlib.h>

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

static int compare_uuid(const void *a, const void *b) {
  return bus_uuid_compare(a, b);
}

static size_t sort_unique(struct bus_uuid *ids, size_t count) {
  size_t kept = 0;
  if (count > 0)
    qsort(ids, count, sizeof *ids, compare_uuid);
  for (size_t i = 0; i < count; i++)
    if (kept == 0 || !bus_uuid_equal(&ids[kept - 1], &ids[i]))
      ids[kept++] = ids[i];
  return kept;
}

bool order_model_new(const struct bus_input *inputs, size_t count, const struct order_policy *policy,
                     struct bus_arena *arena, struct order_model **ret) {
  struct order_model *model = bus_arena_alloc(arena, sizeof *model);
  struct bus_uuid *ids = bus_arena_array(arena, count, sizeof *ids);
  enum order_message message;
  size_t found = 0;
  if (!model || !ids)
    return false;
  for (size_t i = 0; i < count; i++)
    if (order_input_read(&inputs[i], &message, &ids[found]))
      found++;
  *model = (struct order_model){.arena = arena, .policy = policy, .entry_count = sort_unique(ids, found)};
  model->entries = bus_arena_array(arena, model->entry_count, sizeof *model->entries);
  if (!model->entries)
    return false;
  for (size_t i = 0; i < model->entry_count; i++)
    order_init(&model->entries[i].now, &ids[i]);
  *ret = model;
  return true;
}

static int compare_entry(const void *key, const void *entry) {
  return bus_uuid_compare(key, &((const struct order_entry *)entry)->now.order_id);
}

struct order_entry *order_model_find(const struct order_model *model, const struct bus_uuid *order_id) {
  if (model->entry_count == 0)
    return NULL;
  return bsearch(order_id, model->entries, model->entry_count, sizeof *model->entries, compare_entry);
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
  const struct order_tombstone tombstone = {.customer_id = cancel->customer_id, .reason = cancel->reason};
  return order_model_add_tombstone(model, entry, &tombstone);
}

bool order_model_record(struct order_model *model, struct order_entry *entry, const struct order_fact *fact,
                        bus_time now) {
  struct order_record *record = bus_arena_alloc(model->arena, sizeof *record);
  if (!record || !order_fact_encode(fact, model->arena, &record->data))
    return false;
  order_evolve(&entry->now, fact, now);
  record->type = fact->type;
  record->seq = entry->now.version;
  record->at = entry->now.updated_at;
  if (entry->last)
    entry->last->next = record;
  else
    entry->first = record;
  entry->last = record;
  entry->changed = true;
  return true;
}
