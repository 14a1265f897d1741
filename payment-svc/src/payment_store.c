/* Rows of payments.payments, payments.refunds, payments.ledger and payments.dispute_events to the model and back. */
#include "payment_store.h"

#include "payment_columns.h"
#include "payment_statements.h"

bool payment_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                  struct bus_sql *sql, void **ret_model) {
  const struct payment_policy *policy = context;
  struct payment_model *model;
  if (!payment_model_new(inputs, count, policy, arena, &model))
    return false;
  bus_set_lock(&model->payments, sql, LOCK_PAYMENTS);
  /* Open refunds of the payments, and the refunds that inputs name. */
  bus_set_lock_both(&model->payments, &model->refunds, sql, READ_REFUNDS);
  *ret_model = model;
  return true;
}

bool payment_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct payment_model *model = context;
  (void)count; /* what payment_lock queued */
  return bus_set_load(&model->payments, rows[0], err) && bus_set_load(&model->refunds, rows[1], err);
}

bool payment_store(void *context, struct bus_sql *sql) {
  const struct payment_model *model = context;
  struct bus_args *args = NULL;
  bus_set_store(&model->payments, sql, INSERT_PAYMENTS, UPDATE_PAYMENTS);
  bus_set_store(&model->refunds, sql, INSERT_REFUNDS, UPDATE_REFUNDS);
  for (const struct payment_booking *booking = model->bookings; booking; booking = booking->next)
    bus_sql_add_row(sql, &args, INSERT_LEDGER, &booking_columns, booking);
  args = NULL;
  for (const struct payment_dispute_news *news = model->disputes; news; news = news->next)
    bus_sql_add_row(sql, &args, INSERT_DISPUTES, &dispute_columns, news);
  return true; /* memory that ran out is remembered by the trip */
}
