/* Rows of payments.payments and payments.ledger to the model and back. */
#include "payment_store.h"

#include "payment_statements.h"

/* ---- reading ---- */

enum column {
  ORDER_ID,
  STATE,
  AMOUNT,
  CURRENCY,
  TOKEN,
  PSP_ID,
  PSP_REFUND_ID,
  REASON,
  REFUNDS,
  REFUNDED_AMOUNT,
  ATTEMPTS,
  FIRST_ATTEMPT_AT,
  NEXT_ATTEMPT_AT,
  REFUND_REQUESTED,
  TRACEPARENT,
  CAUSATION_ID,
  TRACESTATE,
  VERSION,
};

static bool state_of(struct bus_str text, enum payment_state *ret) {
  for (int state = PAYMENT_NONE + 1; state < PAYMENT_STATES; state++)
    if (bus_str_is(text, payment_state_names[state])) {
      *ret = (enum payment_state)state;
      return true;
    }
  return false;
}

/* NULL is "". False: longer than the table's CHECKs let it be. */
static bool copy_text(const struct bus_rows *rows, size_t row, enum column column, char *to, size_t size) {
  struct bus_str text = bus_rows_text(rows, row, (int)column);
  if (text.len >= size)
    return false;
  if (text.len > 0)
    memcpy(to, text.data, text.len);
  to[text.len] = '\0';
  return true;
}
#define COPY(column, to) copy_text(rows, row, (column), (to), sizeof(to))

static bool read_texts(const struct bus_rows *rows, size_t row, struct payment *payment) {
  return state_of(bus_rows_text(rows, row, STATE), &payment->state) && COPY(CURRENCY, payment->currency) &&
         COPY(TOKEN, payment->token) && COPY(PSP_ID, payment->psp_id) && COPY(PSP_REFUND_ID, payment->refund_id) &&
         COPY(REASON, payment->reason);
}

static bool read_payment(const struct bus_rows *rows, size_t row, struct payment *payment) {
  struct bus_str trace = bus_rows_text(rows, row, TRACEPARENT);
  payment->amount = bus_rows_int64(rows, row, AMOUNT);
  payment->refunds = bus_rows_int64(rows, row, REFUNDS);
  payment->refunded_amount = bus_rows_int64(rows, row, REFUNDED_AMOUNT);
  payment->attempts = bus_rows_int64(rows, row, ATTEMPTS);
  payment->first_attempt_at = bus_rows_time(rows, row, FIRST_ATTEMPT_AT);
  payment->next_attempt_at = bus_rows_time(rows, row, NEXT_ATTEMPT_AT);
  payment->refund_requested = bus_rows_bool(rows, row, REFUND_REQUESTED);
  payment->version = bus_rows_int64(rows, row, VERSION);
  if (trace.data && !bus_trace_parse(trace, &payment->cause.trace))
    payment->cause.trace = (struct bus_trace){.flags = 0}; /* a trace is a help, not a fact */
  bus_trace_set_state(&payment->cause.trace, bus_rows_text(rows, row, TRACESTATE));
  payment->cause.message_id = bus_rows_uuid(rows, row, CAUSATION_ID);
  return read_texts(rows, row, payment) && payment_is_valid(payment);
}

bool payment_lock(const struct payment_policy *policy, const struct bus_input *inputs, size_t count,
                  struct bus_arena *arena, struct bus_sql *sql, void **ret_model) {
  struct payment_model *model;
  if (!payment_model_new(inputs, count, policy, arena, &model))
    return false;
  struct bus_args *args = bus_sql_add(sql, LOCK_PAYMENTS);
  for (size_t i = 0; i < model->count; i++)
    bus_args_uuid(args, &model->entries[i].now.order_id);
  *ret_model = model;
  return true;
}

bool payment_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct payment_model *model = context;
  if (count != 1)
    return bus_fail(err, BUS_E_DB_OTHER, "payments: %zu results where one was asked for", count);
  for (size_t row = 0; row < bus_rows_count(rows[0]); row++) {
    struct bus_uuid id = bus_rows_uuid(rows[0], row, ORDER_ID);
    struct payment_entry *entry = payment_model_find(model, &id);
    char text[BUS_UUID_TEXT];
    bus_uuid_format(&id, text);
    if (!entry || !read_payment(rows[0], row, &entry->now))
      return bus_fail(err, BUS_E_DB_DATA, "payment of order %s: not a row that this version writes", text);
    entry->stored = true;
  }
  return true;
}

/* ---- writing ---- */

static struct bus_str or_null(const char *text) {
  return text[0] ? bus_str(text) : BUS_NO_STR;
}

/* From `state` on the columns of INSERT and UPDATE are the same. */
static void add_state(struct bus_args *args, const struct payment *payment) {
  char trace[BUS_TRACEPARENT_TEXT] = "";
  if (bus_trace_is_set(&payment->cause.trace))
    bus_trace_format(&payment->cause.trace, trace);
  bus_args_text(args, bus_str(payment_state_names[payment->state]));
  bus_args_text_or_null(args, or_null(payment->token));
  bus_args_text_or_null(args, or_null(payment->psp_id));
  bus_args_text_or_null(args, or_null(payment->refund_id));
  bus_args_text_or_null(args, or_null(payment->reason));
  bus_args_int64(args, payment->refunds);
  bus_args_int64(args, payment->refunded_amount);
  bus_args_int64(args, payment->attempts);
  bus_args_time_or_null(args, payment->first_attempt_at);
  bus_args_time_or_null(args, payment->next_attempt_at);
  bus_args_bool(args, payment->refund_requested);
  bus_args_text_or_null(args, or_null(trace));
  bus_args_uuid_or_null(args, &payment->cause.message_id);
  bus_args_text_or_null(args, or_null(payment->cause.trace.state));
  bus_args_int64(args, payment->version);
}

static void add_payments(const struct payment_model *model, struct bus_sql *sql, bool stored) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < model->count; i++) {
    const struct payment_entry *entry = &model->entries[i];
    if (!entry->changed || entry->stored != stored)
      continue;
    if (!args)
      args = bus_sql_add(sql, stored ? UPDATE_PAYMENTS : INSERT_PAYMENTS);
    bus_args_uuid(args, &entry->now.order_id);
    if (!stored) {
      bus_args_int64(args, entry->now.amount);
      bus_args_text_or_null(args, or_null(entry->now.currency));
    }
    add_state(args, &entry->now);
  }
}

static void add_bookings(const struct payment_model *model, struct bus_sql *sql) {
  struct bus_args *args = model->bookings ? bus_sql_add(sql, INSERT_LEDGER) : NULL;
  for (const struct payment_booking *booking = model->bookings; booking; booking = booking->next) {
    const struct payment *payment = &booking->entry->now;
    bus_args_uuid(args, &payment->order_id);
    bus_args_text(args, booking->money == PAYMENT_MONEY_TAKEN ? BUS_STR("captured") : BUS_STR("refunded"));
    bus_args_int64(args, payment->amount);
    bus_args_text(args, bus_str(payment->currency));
    bus_args_text(args, bus_str(booking->psp_id));
  }
}

bool payment_store(void *context, struct bus_sql *sql) {
  const struct payment_model *model = context;
  add_payments(model, sql, false);
  add_payments(model, sql, true);
  add_bookings(model, sql);
  return true; /* memory that ran out is remembered by the trip */
}
