/* Trip 1 locks the batch's orders by id; trip 2 writes each changed order once, and what happened to it. */
#include "order_store.h"

#include "order_columns.h"
#include "order_service.h"
#include "order_statements.h"
#include "order_upkeep.h"

/* Rows that a batch needs besides its orders. */
struct need {
  bool tombstones; /* may be met */
  bool alone;      /* one may be written */
};

static bool meets_tombstones(const struct bus_input *input) {
  enum order_message message = order_input_message(input);
  return message == ORDER_ON_PLACE || message == ORDER_ON_CANCEL;
}

static struct need need_of(const struct bus_input *inputs, size_t count) {
  struct need need = {.tombstones = false};
  for (size_t i = 0; i < count; i++) {
    need.tombstones |= meets_tombstones(&inputs[i]);
    need.alone |= inputs[i].type == &order_cancel_type && ((const struct order_cancel *)inputs[i].body)->accepted;
  }
  return need;
}

static void ask_for_tombstones(const struct bus_input *inputs, size_t count, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, FIND_TOMBSTONES);
  for (size_t i = 0; i < count; i++)
    if (meets_tombstones(&inputs[i]))
      bus_args_uuid(args, inputs[i].body);
}

bool order_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                struct bus_sql *sql, void **ret_model) {
  const struct order_context *own = context;
  struct order_model *model;
  if (!order_model_new(inputs, count, &own->policy, arena, &model))
    return false;
  struct need need = need_of(inputs, count);
  if (need.tombstones)
    (void)bus_sql_add(sql, need.alone ? GUARD_ALONE : GUARD_SHARED);
  bus_set_lock(&model->orders, sql, LOCK_ORDERS);
  if (need.tombstones)
    ask_for_tombstones(inputs, count, sql);
  *ret_model = model;
  return true;
}

static const struct order_entry *entry_at(const struct order_model *model, size_t index) {
  return bus_set_at(&model->orders, index);
}

static bool load_tombstones(struct order_model *model, const struct bus_rows *rows, struct bus_error *err) {
  for (size_t row = 0; row < bus_rows_count(rows); row++) {
    struct order_tombstone tombstone = {.stored = true};
    if (!bus_row_read(&tombstone_columns, BUS_ROW, rows, row, 0, model->arena, &tombstone, err))
      return false;
    struct order_entry *entry = order_model_find(model, &tombstone.order_id);
    if (!entry)
      return bus_fail(err, BUS_E_DB_OTHER, "a tombstone of an order that was not asked for");
    if (!order_model_add_tombstone(model, entry, &tombstone))
      return bus_fail(err, BUS_E_NOMEM, "out of memory reading the tombstone of an order");
  }
  return true;
}

bool order_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct order_model *model = context;
  if (count == 1)
    return bus_set_load(&model->orders, rows[0], err);
  /* rows[0]: the guard */
  return bus_set_load(&model->orders, rows[1], err) && load_tombstones(model, rows[2], err);
}

bool order_store(void *context, struct bus_sql *sql) {
  const struct order_model *model = context;
  struct bus_args *events = NULL, *tombstones = NULL;
  bus_set_store(&model->orders, sql, INSERT_ORDERS, UPDATE_ORDERS);
  for (size_t i = 0; i < model->orders.count; i++)
    for (const struct order_record *record = entry_at(model, i)->first; record; record = record->next)
      bus_sql_add_row(sql, &events, INSERT_EVENTS, &event_columns, record);
  for (size_t i = 0; i < model->orders.count; i++)
    for (const struct order_tombstone *t = entry_at(model, i)->now.tombstones; t; t = t->next)
      if (!t->stored)
        bus_sql_add_row(sql, &tombstones, INSERT_TOMBSTONES, &tombstone_columns, t);
  return true; /* memory that ran out is remembered by the trip */
}
