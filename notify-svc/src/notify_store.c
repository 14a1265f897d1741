/* Reads and writes the rows of a batch. Lock order: customers, endpoints, deliveries, windows
 * of mail, each by key. */
#include "notify_model.h"
#include "notify_statements.h"

/* ---- trip 1 ---- */

static void lock_customers(const struct notify_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, LOCK_CUSTOMERS);
  for (size_t i = 0; i < model->input_count; i++)
    if (model->inputs[i].type == &webhook_create_type)
      bus_args_text(args, ((const struct webhook_request *)model->inputs[i].body)->customer_id);
}

/* By id; of events and of new endpoints by customer. */
static void lock_endpoints(const struct notify_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, LOCK_ENDPOINTS);
  struct notify_event event;
  for (size_t i = 0; i < model->endpoints.count; i++) {
    bus_args_uuid(args, &((const struct endpoint_entry *)bus_set_at(&model->endpoints, i))->endpoint.endpoint_id);
    bus_args_null(args);
  }
  for (size_t i = 0; i < model->input_count; i++) {
    const struct bus_input *input = &model->inputs[i];
    struct bus_str customer = BUS_NO_STR;
    if (input->type == &webhook_create_type)
      customer = ((const struct webhook_request *)input->body)->customer_id;
    else if (notify_event_of(input, &event))
      customer = event.customer_id;
    if (!customer.data)
      continue;
    bus_args_null(args);
    bus_args_text(args, customer);
  }
}

void notify_store_lock(const struct notify_model *model, struct bus_sql *sql) {
  if (model->has_creates)
    lock_customers(model, sql);
  lock_endpoints(model, sql);
  if (model->deliveries.count > 0)
    bus_set_lock(&model->deliveries, sql, LOCK_DELIVERIES);
  if (model->windows.count > 0)
    bus_set_lock(&model->windows, sql, LOCK_MAIL_WINDOWS);
}

bool notify_load(void *opaque, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct notify_model *model = opaque;
  (void)count; /* what notify_store_lock queued, in its order */
  rows += model->has_creates;
  return bus_set_load(&model->endpoints, *rows++, err) && bus_set_load_next(&model->deliveries, &rows, err) &&
         bus_set_load_next(&model->windows, &rows, err);
}

/* ---- trip 2 ---- */

static void store_replays(const struct notify_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, REPLAY_DELIVERIES);
  bus_args_int64(args, WEBHOOK_REPLAY_MAX);
  for (size_t i = 0; i < model->replay_count; i++) {
    bus_args_uuid(args, &model->replays[i]->webhook_id);
    bus_args_time(args, model->replays[i]->since);
    bus_args_bool(args, model->replays[i]->delivered);
  }
}

static void store_disabled(const struct notify_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, TELL_DISABLED);
  for (size_t i = 0; i < model->disabled_count; i++) {
    bus_args_uuid(args, &model->disabled[i].endpoint_id);
    bus_args_text(args, model->disabled[i].payload);
  }
}

bool notify_store(void *opaque, struct bus_sql *sql) {
  const struct notify_model *model = opaque;
  struct bus_args *args = NULL;
  bus_set_store(&model->endpoints, sql, INSERT_ENDPOINTS, UPDATE_ENDPOINTS);
  bus_set_store(&model->deliveries, sql, INSERT_DELIVERIES, UPDATE_DELIVERIES);
  for (size_t i = 0; i < model->fresh_count; i++)
    bus_sql_add_row(sql, &args, INSERT_DELIVERIES, &delivery_columns, &model->fresh[i]);
  args = NULL;
  for (size_t i = 0; i < model->attempt_count; i++)
    bus_sql_add_row(sql, &args, INSERT_ATTEMPTS, &attempt_columns, &model->attempts[i]);
  bus_set_store(&model->windows, sql, INSERT_MAIL_WINDOWS, UPDATE_MAIL_WINDOWS);
  if (model->replay_count > 0)
    store_replays(model, sql);
  if (model->disabled_count > 0)
    store_disabled(model, sql);
  return true; /* memory that ran out is remembered by the trip */
}
