/* Queries as rows of `unnest`; what comes back says by its place whose answer it is. */
#include "order_query_store.h"

#include "order_columns.h"
#include "order_hooks.h"
#include "order_statements.h"

static const size_t statements[ASK_KINDS] = {
    [ASK_ORDER] = GET_ORDERS,   [ASK_PAGE] = LIST_ORDERS, [ASK_PAGE_OF_CUSTOMER] = LIST_ORDERS_OF_CUSTOMERS,
    [ASK_EVENTS] = LIST_EVENTS, [ASK_AGE] = OUTBOX_AGE,
};

static void add_page(struct bus_args *args, const struct order_asked *asked) {
  const struct order_list *list = asked->body;
  if (asked->kind == ASK_PAGE_OF_CUSTOMER)
    bus_args_text(args, list->customer_id);
  bus_args_int64_or_null(args, list->status < 0 ? BUS_NO_INT64 : list->status);
  bus_args_time(args, asked->before);
  bus_args_uuid(args, &asked->before_id);
  bus_args_int64(args, asked->limit + 1);
}

static void add_events(struct bus_args *args, const struct order_asked *asked) {
  const struct order_events_get *get = asked->body;
  bus_args_uuid(args, &get->order_id);
  bus_args_text_or_null(args, get->customer_id);
  bus_args_int64(args, get->after_seq);
  bus_args_int64(args, asked->limit + 1);
}

static void add_order(struct bus_args *args, const struct order_asked *asked) {
  const struct order_get *get = asked->body;
  bus_args_uuid(args, &get->order_id);
  bus_args_text_or_null(args, get->customer_id);
}

static void add_question(struct bus_args *args, const struct order_asked *asked) {
  switch (asked->kind) {
  case ASK_ORDER:
    add_order(args, asked);
    break;
  case ASK_EVENTS:
    add_events(args, asked);
    break;
  case ASK_AGE: /* one row for all who ask */
    break;
  default:
    add_page(args, asked);
  }
}

bool order_query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                      struct bus_sql *sql, void **ret_model) {
  const struct bus_worker *worker = context;
  struct order_query_model *model;
  if (!order_query_model_new(inputs, count, arena, &model))
    return false;
  model->pong.workers_down = worker && !bus_worker_commands_are_up(worker);
  for (int kind = 0; kind < ASK_KINDS; kind++) {
    if (model->first[kind] == model->first[kind + 1])
      continue;
    struct bus_args *args = bus_sql_add(sql, statements[kind]);
    for (size_t i = model->first[kind]; i < model->first[kind + 1]; i++)
      add_question(args, &model->asked[i]);
  }
  *ret_model = model;
  return true;
}

/* Places count from 1 within their kind. NULL: a place that was not asked for. */
static struct order_asked *at_place(const struct order_query_model *model, int kind, int64_t place) {
  size_t count = model->first[kind + 1] - model->first[kind];
  if (place < 1 || (uint64_t)place > count)
    return NULL;
  return &model->asked[model->first[kind] + (size_t)place - 1];
}

static bool load_orders(struct order_query_model *model, int kind, const struct bus_rows *rows, struct bus_error *err) {
  size_t count = bus_rows_count(rows);
  struct order *orders = bus_arena_array(model->arena, count, sizeof *orders);
  if (!orders)
    return bus_fail(err, BUS_E_NOMEM, "orders that were asked for");
  for (size_t row = 0; row < count; row++) {
    struct order_asked *asked = at_place(model, kind, bus_rows_int64(rows, row, 0));
    if (!asked)
      return bus_fail(err, BUS_E_DB_OTHER, "an order for nobody");
    bus_row_init(&order_columns, &orders[row]);
    if (!bus_row_read(&order_columns, BUS_VIEW, rows, row, 1, model->arena, &orders[row], err))
      return false;
    if (asked->order_count++ == 0)
      asked->orders = &orders[row];
  }
  return true;
}

static bool read_event(struct order_query_model *model, const struct bus_rows *rows, size_t row,
                       struct order_event_view *ret) {
  *ret = (struct order_event_view){
      .seq = bus_rows_int64(rows, row, 1),
      .type = bus_arena_copy(model->arena, bus_rows_text(rows, row, 2)),
      .at = bus_rows_time(rows, row, 3),
      .data = bus_arena_copy(model->arena, bus_rows_text(rows, row, 4)),
  };
  return ret->type.data && ret->data.data;
}

static bool load_events(struct order_query_model *model, const struct bus_rows *rows, struct bus_error *err) {
  size_t count = bus_rows_count(rows);
  struct order_event_view *events = bus_arena_array(model->arena, count, sizeof *events);
  if (!events)
    return bus_fail(err, BUS_E_NOMEM, "events that were asked for");
  for (size_t row = 0; row < count; row++) {
    struct order_asked *asked = at_place(model, ASK_EVENTS, bus_rows_int64(rows, row, 0));
    if (!asked)
      return bus_fail(err, BUS_E_DB_OTHER, "an event for nobody");
    asked->found = true;
    if (bus_rows_is_null(rows, row, 1))
      continue;
    if (!read_event(model, rows, row, &events[row]))
      return bus_fail(err, BUS_E_NOMEM, "events that were asked for");
    if (asked->event_count++ == 0)
      asked->events = &events[row];
  }
  return true;
}

static void load_pong(struct order_pong *pong, const struct bus_rows *rows) {
  int64_t closed_for = order_hooks_intake_closed_for();
  pong->outbox_age_ms = bus_rows_int64(rows, 0, 0);
  pong->intake_closed_ms = closed_for == BUS_NO_INT64 ? BUS_NO_INT64 : closed_for / BUS_MILLISECOND;
}

static bool load_kind(struct order_query_model *model, int kind, const struct bus_rows *rows, struct bus_error *err) {
  switch (kind) {
  case ASK_EVENTS:
    return load_events(model, rows, err);
  case ASK_AGE:
    load_pong(&model->pong, rows);
    return true;
  default:
    return load_orders(model, kind, rows, err);
  }
}

bool order_query_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct order_query_model *model = context;
  (void)count; /* what order_query_lock queued, in its order */
  for (int kind = 0; kind < ASK_KINDS; kind++) {
    if (model->first[kind] == model->first[kind + 1])
      continue;
    if (!load_kind(model, kind, *rows, err))
      return false;
    rows++;
  }
  return true;
}
