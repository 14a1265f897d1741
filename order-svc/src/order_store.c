/* Trip 1 locks the batch's orders by id; trip 2 writes each changed order once, and what happened to it. */
#include "order_store.h"

#include "order_columns.h"
#include "order_service.h"
#include "order_statements.h"
#include "order_upkeep.h"

static bool meets_tombstones(const struct bus_input *input) {
  enum order_message message = order_input_message(input);
  return message == ORDER_ON_PLACE || message == ORDER_ON_CANCEL;
}

static bool is_pay(const struct bus_input *input) {
  return order_input_message(input) == ORDER_ON_PAY;
}

/* A statement that takes the orders of some inputs. */
static void ask_for(size_t statement, bool (*of)(const struct bus_input *), const struct bus_input *inputs,
                    size_t count, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, statement);
  for (size_t i = 0; i < count; i++)
    if (of(&inputs[i]))
      bus_args_uuid(args, inputs[i].body);
}

static void ask_for_customers(const struct order_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, COUNT_UNPAID);
  bus_args_int64(args, model->unpaid->of_customer);
  bus_args_int64(args, model->unpaid->all);
  for (size_t i = 0; i < model->customers.count; i++)
    bus_args_text(args, ((const struct order_customer *)bus_set_at(&model->customers, i))->customer_id);
}

bool order_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                struct bus_sql *sql, void **ret_model) {
  const struct order_context *own = context;
  struct order_model *model;
  if (!order_model_new(inputs, count, &own->policy, &own->unpaid, arena, &model))
    return false;
  const struct order_need *need = &model->need;
  if (need->tombstones)
    (void)bus_sql_add(sql, need->alone ? GUARD_ALONE : GUARD_SHARED);
  if (need->customers)
    (void)bus_sql_add(sql, GUARD_UNPAID);
  bus_set_lock(&model->orders, sql, LOCK_ORDERS);
  if (need->tombstones)
    ask_for(FIND_TOMBSTONES, meets_tombstones, inputs, count, sql);
  if (need->customers)
    ask_for_customers(model, sql);
  if (need->attempts)
    ask_for(FIND_ATTEMPTS, is_pay, inputs, count, sql);
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

static bool load_attempt(struct order_model *model, const struct bus_rows *rows, size_t row, struct bus_error *err) {
  const struct bus_uuid order_id = bus_rows_uuid(rows, row, 0);
  struct order_entry *entry = order_model_find(model, &order_id);
  struct order_fact fact;
  struct bus_problems problems = {.count = 0};
  if (!entry)
    return bus_fail(err, BUS_E_DB_OTHER, "an attempt to pay an order that was not asked for");
  if (!order_fact_decode(FACT_PAYMENT_REQUESTED, bus_rows_text(rows, row, 1), model->arena, &fact, &problems))
    return bus_fail(err, BUS_E_DB_OTHER, "an attempt to pay an order is not one that this version writes");
  if (!order_model_add_attempt(model, entry, &fact))
    return bus_fail(err, BUS_E_NOMEM, "out of memory reading an attempt to pay an order");
  return true;
}

static bool load_attempts(struct order_model *model, const struct bus_rows *rows, struct bus_error *err) {
  for (size_t row = 0; row < bus_rows_count(rows); row++)
    if (!load_attempt(model, rows, row, err))
      return false;
  return true;
}

bool order_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct order_model *model = context;
  const struct order_need *need = &model->need;
  (void)count;                                /* what order_lock queued */
  rows += need->tombstones + need->customers; /* of the guards: without meaning */
  return bus_set_load(&model->orders, *rows++, err) && (!need->tombstones || load_tombstones(model, *rows++, err)) &&
         bus_set_load_next(&model->customers, &rows, err) && (!need->attempts || load_attempts(model, *rows, err));
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
