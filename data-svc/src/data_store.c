/* Reads and writes the rows of a batch. Lock order: orders by their shared lock, then sums by key. */
#include "data_model.h"
#include "data_statements.h"

#include <bus/hash.h>

/* ---- trip 1 ---- */

enum { LOCKS = 64, LOCK_CLASS = 0x7265706f }; /* "repo" */

static void lock_orders(const struct data_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, LOCK_ORDERS);
  uint64_t named = 0;
  for (size_t i = 0; i < model->reports.count; i++) {
    const struct report *report = bus_set_at(&model->reports, i);
    named |= UINT64_C(1) << bus_hash64(&report->order_id, sizeof report->order_id) % LOCKS;
  }
  for (int64_t i = 0; i < LOCKS; i++)
    if (named >> i & 1)
      bus_args_int64(args, ((int64_t)LOCK_CLASS << 32) + i);
}

bool data_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
               struct bus_sql *sql, void **ret_model) {
  struct data_model *model;
  (void)context;
  if (!data_model_new(inputs, count, arena, &model))
    return false;
  lock_orders(model, sql);
  (void)bus_sql_add(sql, READ_MONTHS);
  struct bus_args *args = bus_sql_add(sql, READ_ORDERS);
  for (size_t i = 0; i < model->reports.count; i++) {
    const struct report *report = bus_set_at(&model->reports, i);
    bus_args_uuid(args, &report->order_id);
    bus_args_time(args, model->placed[i]);
  }
  *ret_model = model;
  return true;
}

bool data_load(void *opaque, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct data_model *model = opaque;
  (void)count; /* what data_lock queued, in its order */
  model->since = bus_rows_time(rows[1], 0, 0);
  model->until = bus_rows_time(rows[1], 0, 1);
  if (!bus_set_load(&model->reports, rows[2], err))
    return false;
  data_model_keep(model);
  return true;
}

/* ---- trip 2 ---- */

/* A changed row, or NULL. */
static const struct report_entry *changed(const struct data_model *model, size_t index) {
  const struct report_entry *entry = bus_set_at(&model->reports, index);
  return bus_set_is_changed(&model->reports, entry) ? entry : NULL;
}

static void put_lines(const struct data_model *model, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < model->reports.count; i++) {
    const struct report_entry *entry = changed(model, i);
    for (size_t j = 0; entry && entry->before.line_count == 0 && j < entry->report.line_count; j++) {
      if (!args)
        args = bus_sql_add(sql, PUT_LINES);
      bus_args_text(args, entry->report.lines[j].product_id);
      bus_args_time(args, entry->report.placed_at);
      bus_args_uuid(args, &entry->report.order_id);
    }
  }
}

bool data_store(void *opaque, struct bus_sql *sql) {
  const struct data_model *model = opaque;
  struct bus_args *args = NULL;
  size_t share_count;
  const struct share *shares = data_model_shares(model, &share_count);
  for (size_t i = 0; i < model->reports.count; i++)
    if (changed(model, i))
      bus_sql_add_row(sql, &args, PUT_ORDERS, &report_columns, changed(model, i));
  put_lines(model, sql);
  args = NULL;
  for (size_t i = 0; i < share_count; i++)
    bus_sql_add_row(sql, &args, PUT_ROLLUPS, &share_columns, &shares[i]);
  return shares != NULL; /* memory that ran out otherwise is remembered by the trip */
}
