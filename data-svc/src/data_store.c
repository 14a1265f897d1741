/* Reads and writes the rows of a batch. Lock order: orders by their shared lock, then jobs, then sums by key. */
#include "data_model.h"
#include "data_statements.h"
#include "data_upkeep.h"

#include <bus/hash.h>

/* ---- trip 1 ---- */

enum { LOCKS = 64, LOCK_CLASS = 0x7265706f }; /* "repo" */

/* A step of a job takes the locks of all orders: sums are made again while no event changes them. */
static void lock_orders(const struct data_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, LOCK_ORDERS);
  uint64_t named = model->jobs.count > 0 ? UINT64_MAX : 0;
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
  if (!data_model_new(inputs, count, arena, &model))
    return false;
  model->export_max = ((const struct data_context *)context)->settings.job_export_max;
  lock_orders(model, sql);
  (void)bus_sql_add(sql, READ_MONTHS);
  struct bus_args *args = bus_sql_add(sql, READ_ORDERS);
  for (size_t i = 0; i < model->reports.count; i++) {
    const struct report *report = bus_set_at(&model->reports, i);
    bus_args_uuid(args, &report->order_id);
    bus_args_time(args, model->placed[i]);
  }
  if (model->jobs.count > 0) {
    bus_set_lock(&model->jobs, sql, LOCK_JOBS);
    args = bus_sql_add(sql, WALK_JOBS);
    bus_args_int64(args, JOB_WALK_MAX);
    for (size_t i = 0; i < model->jobs.count; i++)
      bus_args_uuid(args, &((const struct job *)bus_set_at(&model->jobs, i))->job_id);
  }
  *ret_model = model;
  return true;
}

static void load_walks(const struct data_model *model, const struct bus_rows *rows) {
  for (size_t row = 0; row < bus_rows_count(rows); row++) {
    const struct bus_uuid job_id = bus_rows_uuid(rows, row, 0);
    struct job_entry *entry = bus_set_find(&model->jobs, &job_id);
    if (entry)
      entry->walk = (struct job_walk){.walked = bus_rows_int64(rows, row, 1),
                                      .fitting = bus_rows_int64(rows, row, 2),
                                      .last_at = bus_rows_time(rows, row, 3),
                                      .last_id = bus_rows_uuid(rows, row, 4),
                                      .total = bus_rows_int64(rows, row, 5)};
  }
}

bool data_load(void *opaque, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct data_model *model = opaque;
  (void)count; /* what data_lock queued, in its order */
  model->since = bus_rows_time(rows[1], 0, 0);
  model->until = bus_rows_time(rows[1], 0, 1);
  if (!bus_set_load(&model->reports, rows[2], err))
    return false;
  data_model_keep(model);
  if (model->jobs.count == 0)
    return true;
  if (!bus_set_load(&model->jobs, rows[3], err))
    return false;
  load_walks(model, rows[4]);
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

/* Rows that steps write by one statement: one for each job that has some. */
struct step_rows {
  size_t statement;
  bool (*has)(const struct job_entry *entry);
  void (*add)(const struct job_entry *entry, struct bus_args *args);
};

static bool copies(const struct job_entry *entry) {
  return job_copies_orders(&entry->before, &entry->job);
}

static void add_copy(const struct job_entry *entry, struct bus_args *args) {
  bus_args_uuid(args, &entry->job.job_id);
  bus_args_time(args, entry->job.place_at);
  bus_args_uuid(args, &entry->job.place_id);
}

static bool makes_hour(const struct job_entry *entry) {
  return job_makes_sums(&entry->before, &entry->job);
}

static void add_hour(const struct job_entry *entry, struct bus_args *args) {
  bus_args_time(args, entry->before.place_at);
}

static bool makes_day(const struct job_entry *entry) {
  return makes_hour(entry) && job_ends_day(&entry->before);
}

static void add_day(const struct job_entry *entry, struct bus_args *args) {
  bus_args_time(args, report_slot_of(entry->before.place_at, REPORT_DAY));
}

/* After the batch's own shares: sums that are made again are those of all orders. Days are sums of their hours. */
static void put_jobs(const struct data_model *model, struct bus_sql *sql) {
  static const struct step_rows all[] = {
      {COPY_ORDERS, copies, add_copy}, {SUM_HOURS, makes_hour, add_hour}, {SUM_DAYS, makes_day, add_day}};
  for (const struct step_rows *rows = all; rows < all + BUS_COUNT(all); rows++) {
    struct bus_args *args = NULL;
    for (size_t i = 0; i < model->jobs.count; i++) {
      const struct job_entry *entry = bus_set_at(&model->jobs, i);
      if (!bus_set_is_changed(&model->jobs, entry) || !rows->has(entry))
        continue;
      args = args ? args : bus_sql_add(sql, rows->statement);
      rows->add(entry, args);
    }
  }
  bus_set_store(&model->jobs, sql, UPDATE_JOBS, UPDATE_JOBS); /* each is stored already */
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
  put_jobs(model, sql);
  return shares != NULL; /* memory that ran out otherwise is remembered by the trip */
}
