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
  bus_args_int64(args, asked->page.limit + 1);
}

static void add_order(struct bus_args *args, const struct bus_uuid *order_id, struct bus_str customer_id) {
  bus_args_uuid(args, order_id);
  bus_args_text_or_null(args, customer_id);
}

static void add_events(struct bus_args *args, const struct order_asked *asked) {
  const struct order_events_get *get = asked->body;
  add_order(args, &get->order_id, get->customer_id);
  bus_args_int64(args, get->after_seq);
  bus_args_int64(args, asked->page.limit + 1);
}

static void add_question(struct bus_args *args, const struct order_asked *asked) {
  const struct order_get *get = asked->body;
  switch (asked->kind) {
  case ASK_ORDER:
    add_order(args, &get->order_id, get->customer_id);
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

#define V struct order_event_view
static const struct bus_column event_views[] = {
    BUS_COLUMN_INT64(V, seq, 1, INT64_MAX, BUS_VIEW),
    BUS_COLUMN_TEXT(V, type, 0, INT64_MAX, BUS_VIEW),
    BUS_COLUMN_TIME(V, at, BUS_VIEW),
    BUS_COLUMN_TEXT(V, data, 0, INT64_MAX, BUS_VIEW),
};
static const struct bus_table event_view_columns = BUS_COLUMN_TABLE("orders.order_events", V, event_views);

static void load_pong(struct order_pong *pong, const struct bus_rows *rows) {
  int64_t closed_for = order_hooks_intake_closed_for();
  pong->outbox_age_ms = bus_rows_int64(rows, 0, 0);
  pong->intake_closed_ms = closed_for == BUS_NO_INT64 ? BUS_NO_INT64 : closed_for / BUS_MILLISECOND;
}

static bool load_kind(struct order_query_model *model, int kind, const struct bus_rows *rows, struct bus_error *err) {
  size_t first = model->first[kind];
  const struct bus_pages pages = {&model->asked[first], model->first[kind + 1] - first, sizeof *model->asked,
                                  model->arena};
  if (kind == ASK_AGE)
    load_pong(&model->pong, rows);
  return kind == ASK_AGE ||
         bus_pages_load(&pages, kind == ASK_EVENTS ? &event_view_columns : &order_columns, BUS_VIEW, rows, err);
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
