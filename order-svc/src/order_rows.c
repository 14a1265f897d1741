/* Columns to members, in the order in which the statements name them. */
#include "order_rows.h"

#include "order_lists.h"

/* A row while it is read: columns are taken from left to right. */
struct reader {
  const struct bus_rows *rows;
  size_t row;
  int column;
  struct bus_arena *arena;
  bool failed; /* out of memory */
};

static struct bus_str take_text(struct reader *reader) {
  struct bus_str text = bus_rows_text(reader->rows, reader->row, reader->column++);
  if (!text.data)
    return BUS_NO_STR;
  text = bus_arena_copy(reader->arena, text);
  reader->failed |= text.data == NULL;
  return text;
}

static int64_t take_int64(struct reader *reader) {
  return bus_rows_int64(reader->rows, reader->row, reader->column++);
}

static bus_time take_time(struct reader *reader) {
  return bus_rows_time(reader->rows, reader->row, reader->column++);
}

static struct bus_uuid take_uuid(struct reader *reader) {
  return bus_rows_uuid(reader->rows, reader->row, reader->column++);
}

static bool take_bool(struct reader *reader) {
  return bus_rows_bool(reader->rows, reader->row, reader->column++);
}

static struct order_lists take_lists(struct reader *reader) {
  struct order_lists lists;
  lists.product_ids = take_text(reader);
  lists.quantities = take_text(reader);
  lists.unit_prices = take_text(reader);
  return lists;
}

bool order_read_view(const struct bus_rows *rows, size_t row, struct bus_arena *arena, struct order *ret,
                     struct bus_error *err) {
  struct reader reader = {rows, row, 0, arena, false};
  const struct bus_uuid id = take_uuid(&reader);
  struct order order;
  order_init(&order, &id);
  order.customer_id = take_text(&reader);
  order.status = (int)take_int64(&reader);
  order.reason = take_text(&reader);
  const struct order_lists lists = take_lists(&reader);
  order.total = take_int64(&reader);
  order.currency = take_text(&reader);
  order.created_at = take_time(&reader);
  order.updated_at = take_time(&reader);
  order.version = take_int64(&reader);
  if (reader.failed)
    return bus_fail(err, BUS_E_NOMEM, "an order of the batch");
  if (order.status < 0 || order.status >= ORDER_STATUS_COUNT)
    return bus_fail(err, BUS_E_DB_OTHER, "an order in the database has a status that is unknown here");
  if (!order_lists_split(&lists, arena, &order.items, &order.item_count))
    return bus_fail(err, BUS_E_DB_OTHER, "an order's items cannot be read");
  *ret = order;
  return true;
}

bool order_read_saga(const struct bus_rows *rows, size_t row, struct bus_arena *arena, struct order *ret,
                     struct bus_error *err) {
  struct reader reader = {rows, row, ORDER_VIEW_COLUMNS, arena, false};
  struct order order = *ret;
  order.expected_total = take_int64(&reader);
  order.request_hash = take_text(&reader);
  order.captured = take_int64(&reader);
  order.refunded = take_int64(&reader);
  order.stock_settled = take_bool(&reader);
  order.payment_settled = take_bool(&reader);
  order.deadline = take_time(&reader);
  order.due_at = take_time(&reader);
  order.resends = take_int64(&reader);
  order.payment_token = take_text(&reader);
  order.asker.reply_to = take_text(&reader);
  order.asker.request_id = take_uuid(&reader);
  order.reply_until = take_time(&reader);
  const struct bus_str traceparent = take_text(&reader);
  order.cause.message_id = take_uuid(&reader);
  const struct bus_str tracestate = take_text(&reader);
  if (reader.failed)
    return bus_fail(err, BUS_E_NOMEM, "a saga of the batch");
  if (traceparent.data && !bus_trace_parse(traceparent, &order.cause.trace))
    order.cause.trace = (struct bus_trace){.flags = 0};
  bus_trace_set_state(&order.cause.trace, tracestate);
  *ret = order;
  return true;
}

bool order_read_tombstone(const struct bus_rows *rows, size_t row, struct bus_arena *arena,
                          struct bus_uuid *ret_order_id, struct order_tombstone *ret, struct bus_error *err) {
  struct reader reader = {rows, row, 0, arena, false};
  const struct bus_uuid order_id = take_uuid(&reader);
  struct order_tombstone tombstone = {.stored = true};
  tombstone.customer_id = take_text(&reader);
  tombstone.reason = take_text(&reader);
  if (reader.failed)
    return bus_fail(err, BUS_E_NOMEM, "out of memory reading the tombstone of an order");
  *ret_order_id = order_id;
  *ret = tombstone;
  return true;
}
