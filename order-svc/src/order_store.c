/* Trip 1 locks the batch's orders by id; trip 2 writes each changed order once, and what happened to it. */
#include "order_store.h"

#include "order_hooks.h"
#include "order_lists.h"
#include "order_rows.h"
#include "order_statements.h"

/* Rows that a batch needs besides its orders. */
struct need {
  bool tombstones; /* may be met */
  bool alone;      /* one may be written */
};

static struct need need_of(const struct bus_input *inputs, size_t count) {
  struct need need = {.tombstones = false};
  enum order_message message;
  struct bus_uuid order_id;
  for (size_t i = 0; i < count; i++) {
    if (!order_input_read(&inputs[i], &message, &order_id))
      continue;
    need.tombstones |= message == ORDER_ON_PLACE || message == ORDER_ON_CANCEL;
    need.alone |= message == ORDER_ON_CANCEL && ((const struct order_cancel *)inputs[i].body)->accepted;
  }
  return need;
}

static void find_tombstones(const struct bus_input *inputs, size_t count, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, FIND_TOMBSTONES);
  enum order_message message;
  struct bus_uuid order_id;
  for (size_t i = 0; i < count; i++)
    if (order_input_read(&inputs[i], &message, &order_id) && (message == ORDER_ON_PLACE || message == ORDER_ON_CANCEL))
      bus_args_uuid(args, &order_id);
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
  struct bus_args *args = bus_sql_add(sql, LOCK_ORDERS);
  for (size_t i = 0; i < model->entry_count; i++)
    bus_args_uuid(args, &model->entries[i].now.order_id);
  if (need.tombstones)
    find_tombstones(inputs, count, sql);
  *ret_model = model;
  return true;
}

static bool load_orders(struct order_model *model, const struct bus_rows *rows, struct bus_error *err) {
  struct order order;
  for (size_t row = 0; row < bus_rows_count(rows); row++) {
    if (!order_read_view(rows, row, model->arena, &order, err) ||
        !order_read_saga(rows, row, model->arena, &order, err))
      return false;
    struct order_entry *entry = order_model_find(model, &order.order_id);
    if (!entry)
      return bus_fail(err, BUS_E_DB_OTHER, "an order that was not asked for");
    entry->now = order;
    entry->stored = true;
  }
  return true;
}

/* Behind the orders: their entries are made anew. */
static bool load_tombstones(struct order_model *model, const struct bus_rows *rows, struct bus_error *err) {
  struct order_tombstone tombstone;
  struct bus_uuid order_id;
  for (size_t row = 0; row < bus_rows_count(rows); row++) {
    if (!order_read_tombstone(rows, row, model->arena, &order_id, &tombstone, err))
      return false;
    struct order_entry *entry = order_model_find(model, &order_id);
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
    return load_orders(model, rows[0], err);
  return load_orders(model, rows[1], err) && load_tombstones(model, rows[2], err); /* rows[0]: the guard */
}

/* The statement's arguments, queued at the first row: a statement without rows is not sent. */
static struct bus_args *once(struct bus_sql *sql, struct bus_args **args, size_t statement) {
  if (!*args)
    *args = bus_sql_add(sql, statement);
  return *args;
}

/* ---- the columns of an order, in the order of the statements ---- */

static void add_cause(struct bus_args *args, const struct bus_cause *cause) {
  char text[BUS_TRACEPARENT_TEXT] = "";
  if (bus_trace_is_set(&cause->trace))
    bus_trace_format(&cause->trace, text);
  bus_args_text_or_null(args, text[0] ? bus_str(text) : BUS_NO_STR);
  bus_args_uuid_or_null(args, &cause->message_id);
  bus_args_text_or_null(args, cause->trace.state[0] ? bus_str(cause->trace.state) : BUS_NO_STR);
}

static void add_fixed(struct bus_args *args, const struct order *order, const struct order_lists *lists) {
  bus_args_uuid(args, &order->order_id);
  bus_args_text(args, order->customer_id);
  bus_args_text(args, lists->product_ids);
  bus_args_text(args, lists->quantities);
  bus_args_int64_or_null(args, order->expected_total);
  bus_args_text(args, order->request_hash);
  bus_args_time(args, order->created_at);
  add_cause(args, &order->cause);
}

static void add_changing(struct bus_args *args, const struct order *order, const struct order_lists *lists) {
  bus_args_int64(args, order->status);
  bus_args_text_or_null(args, order->reason);
  bus_args_text_or_null(args, lists->unit_prices);
  bus_args_int64_or_null(args, order->total);
  bus_args_text_or_null(args, order->currency);
  bus_args_time(args, order->updated_at);
  bus_args_int64(args, order->version);
  bus_args_int64(args, order->captured);
  bus_args_int64(args, order->refunded);
  bus_args_bool(args, order->stock_settled);
  bus_args_bool(args, order->payment_settled);
  bus_args_time_or_null(args, order->deadline);
  bus_args_time_or_null(args, order->due_at);
  bus_args_int64(args, order->resends);
  bus_args_text_or_null(args, order->payment_token);
  bus_args_text_or_null(args, order->asker.reply_to);
  bus_args_uuid_or_null(args, &order->asker.request_id);
  bus_args_time_or_null(args, order->reply_until);
}

/* ---- trip 2 ---- */

static bool insert_orders(const struct order_model *model, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  struct order_lists lists;
  for (size_t i = 0; i < model->entry_count; i++) {
    const struct order_entry *entry = &model->entries[i];
    if (entry->stored || entry->now.status == ORDER_NONE)
      continue;
    if (!order_lists_join(entry->now.items, entry->now.item_count, model->arena, &lists))
      return false;
    add_fixed(once(sql, &args, INSERT_ORDERS), &entry->now, &lists);
    add_changing(args, &entry->now, &lists);
  }
  return true;
}

static bool update_orders(const struct order_model *model, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  struct order_lists lists;
  for (size_t i = 0; i < model->entry_count; i++) {
    const struct order_entry *entry = &model->entries[i];
    if (!entry->stored || !entry->changed)
      continue;
    if (!order_lists_join(entry->now.items, entry->now.item_count, model->arena, &lists))
      return false;
    bus_args_uuid(once(sql, &args, UPDATE_ORDERS), &entry->now.order_id);
    add_changing(args, &entry->now, &lists);
  }
  return true;
}

static void insert_events(const struct order_model *model, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < model->entry_count; i++)
    for (const struct order_record *record = model->entries[i].first; record; record = record->next) {
      bus_args_uuid(once(sql, &args, INSERT_EVENTS), &model->entries[i].now.order_id);
      bus_args_int64(args, record->seq);
      bus_args_text(args, bus_str(order_fact_name(record->type)));
      bus_args_time(args, record->at);
      bus_args_text(args, record->data);
    }
}

static void insert_tombstones(const struct order_model *model, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < model->entry_count; i++)
    for (const struct order_tombstone *tombstone = model->entries[i].now.tombstones; tombstone;
         tombstone = tombstone->next) {
      if (tombstone->stored)
        continue;
      bus_args_uuid(once(sql, &args, INSERT_TOMBSTONES), &model->entries[i].now.order_id);
      bus_args_text_or_null(args, tombstone->customer_id);
      bus_args_text_or_null(args, tombstone->reason);
    }
}

bool order_store(void *context, struct bus_sql *sql) {
  const struct order_model *model = context;
  if (!insert_orders(model, sql) || !update_orders(model, sql))
    return false;
  insert_events(model, sql);
  insert_tombstones(model, sql);
  return true;
}
