/* The batch of queries: what it reads, and the answers. */
#include "data_queries.h"

#include "data_statements.h"

#include <assert.h>

#define REVENUE_OF struct report_slot
static const struct bus_column slots[] = {
    BUS_COLUMN_TIME(REVENUE_OF, slot, BUS_VIEW),
    BUS_COLUMN_INT64(REVENUE_OF, orders, INT64_MIN, INT64_MAX, BUS_VIEW),
    BUS_COLUMN_INT64(REVENUE_OF, revenue, INT64_MIN, INT64_MAX, BUS_VIEW),
    BUS_COLUMN_INT64(REVENUE_OF, refunded, INT64_MIN, INT64_MAX, BUS_VIEW),
};
static const struct bus_table slot_columns = BUS_COLUMN_TABLE("the revenue of a slot", REVENUE_OF, slots);

/* Times that every order lies between. */
#define FIRST_TIME INT64_C(0)
#define LAST_TIME (INT64_MAX / 4)

/* ---- searches ---- */

enum report_search report_search_of(const struct report_orders_get *get) {
  return get->customer_id.data ? BY_CUSTOMER : get->product_id.data ? BY_PRODUCT : BY_TIME;
}

bool report_search_is_filtered(const struct report_orders_get *get) {
  return get->status >= 0 || get->min_total != BUS_NO_INT64 || get->max_total != BUS_NO_INT64 ||
         (get->customer_id.data && get->product_id.data);
}

static void name_search(struct data_page *page) {
  const struct report_orders_get *get = page->query;
  page->page.limit = get->limit;
  page->scan = get->limit + 1;
  if (report_search_is_filtered(get))
    page->scan = report_search_of(get) == BY_TIME ? REPORT_SCAN_MAX : REPORT_SCAN_EACH_MAX;
  page->behind_at = LAST_TIME;
  if (get->cursor.data && !order_cursor_parse(get->cursor, &page->behind_at, &page->behind_id))
    page->behind_at = FIRST_TIME; /* begins a page that is empty */
  if (get->to != BUS_NO_TIME && get->to <= page->behind_at) {
    page->behind_at = get->to;
    page->behind_id = (struct bus_uuid){{0}}; /* before every order of that time */
  }
}

static void add_search(const struct data_page *page, struct bus_args *args) {
  const struct report_orders_get *get = page->query;
  bus_args_text_or_null(args, bus_str(get->status < 0 ? NULL : report_status_names[get->status]));
  bus_args_text_or_null(args, get->customer_id);
  bus_args_text_or_null(args, get->product_id);
  bus_args_time(args, get->from == BUS_NO_TIME ? FIRST_TIME : get->from);
  bus_args_int64_or_null(args, get->min_total);
  bus_args_int64_or_null(args, get->max_total);
  bus_args_time(args, page->behind_at);
  bus_args_uuid(args, &page->behind_id);
  bus_args_int64(args, page->scan);
  bus_args_int64(args, get->limit + 1);
}

static void add_searches(const struct data_pages *pages, struct bus_sql *sql, size_t statement) {
  struct bus_args *args = pages->count > 0 ? bus_sql_add(sql, statement) : NULL;
  for (size_t i = 0; i < pages->count; i++)
    add_search(&pages->items[i], args);
}

enum { ENDS_COLUMN = 13 }; /* behind those of report_columns */

/* The last order of a page is there if it fits the filters or if the search stopped at it. */
static void load_stops(const struct data_pages *pages, const struct bus_rows *rows) {
  for (size_t row = 0; row < bus_rows_count(rows); row++) {
    if (bus_rows_is_null(rows, row, ENDS_COLUMN))
      continue;
    struct data_page *page = &pages->items[bus_rows_int64(rows, row, 0) - 1];
    page->stop = (const struct report *)page->page.items + page->page.count - 1;
    if (!bus_rows_bool(rows, row, ENDS_COLUMN))
      page->page.count--;
  }
}

/* ---- revenue and figures ---- */

static enum report_grain grain_of(const struct report_revenue_get *get) {
  return get->by < 0 ? REPORT_HOUR : (enum report_grain)get->by;
}

static void name_revenue(struct data_page *page) {
  const struct report_revenue_get *get = page->query;
  enum report_grain grain = grain_of(get);
  page->page.limit = REPORT_SLOTS_MAX;
  page->span = (struct report_span){.from = report_slot_of(get->from, grain), .to = report_slot_end(get->to, grain)};
}

static void name_kpis(struct data_page *page) {
  const struct report_kpis_get *get = page->query;
  page->page.limit = INT64_MAX / 4;
  page->span = report_span_of(get->from, get->to);
}

static void add_revenues(const struct data_pages *pages, struct bus_sql *sql) {
  struct bus_args *args = pages->count > 0 ? bus_sql_add(sql, REVENUE) : NULL;
  for (size_t i = 0; i < pages->count; i++) {
    const struct report_revenue_get *get = pages->items[i].query;
    bus_args_text(args, bus_str(report_grain_names[grain_of(get)]));
    bus_args_time(args, pages->items[i].span.from);
    bus_args_time(args, pages->items[i].span.to);
    bus_args_text(args, get->currency);
  }
}

static void add_kpis(const struct data_pages *pages, struct bus_sql *sql) {
  struct bus_args *args = pages->count > 0 ? bus_sql_add(sql, SUMS) : NULL;
  for (size_t i = 0; i < pages->count; i++) {
    const struct report_span *span = &pages->items[i].span;
    bus_args_time(args, span->from);
    bus_args_time(args, span->to);
    bus_args_time(args, span->day_from);
    bus_args_time(args, span->day_to);
  }
}

/* ---- the batch ---- */

/* The pages of the input's kind, and what makes one of its query; NULL: it needs none. */
static struct data_pages *pages_of(struct data_query_model *model, const struct bus_input *input,
                                   void (**ret_name)(struct data_page *page)) {
  if (input->type == &report_revenue_get_type) {
    *ret_name = name_revenue;
    return &model->revenues;
  }
  if (input->type == &report_kpis_get_type) {
    *ret_name = name_kpis;
    return &model->kpis;
  }
  *ret_name = name_search;
  return input->type == &report_orders_get_type ? &model->searches[report_search_of(input->body)] : NULL;
}

static bool name(struct data_query_model *model, const struct bus_input *input, size_t room) {
  void (*name_page)(struct data_page * page);
  struct data_pages *pages = pages_of(model, input, &name_page);
  if (!pages)
    return true;
  if (!pages->items)
    pages->items = bus_arena_array(model->arena, room, sizeof *pages->items);
  if (!pages->items)
    return false;
  struct data_page *page = &pages->items[pages->count++];
  *page = (struct data_page){.query = input->body};
  name_page(page);
  return true;
}

bool data_query_lock(void *worker, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                     struct bus_sql *sql, void **ret_model) {
  struct data_query_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  *model = (struct data_query_model){.arena = arena, .pong = {worker && !bus_worker_commands_are_up(worker)}};
  if (!job_reads_open(&model->jobs, inputs, count, arena))
    return false;
  for (size_t i = 0; i < count; i++)
    if (!name(model, &inputs[i], count))
      return false;
  job_reads_add(&model->jobs, sql);
  add_revenues(&model->revenues, sql);
  add_kpis(&model->kpis, sql);
  for (size_t i = 0; i < SEARCHES; i++)
    add_searches(&model->searches[i], sql, ORDERS_BY_TIME + i);
  *ret_model = model;
  return true;
}

static bool load(const struct data_query_model *model, const struct data_pages *pages, const struct bus_table *table,
                 const struct bus_rows *const **rows, struct bus_error *err) {
  const struct bus_pages read = {pages->items, pages->count, sizeof *pages->items, model->arena};
  return pages->count == 0 || bus_pages_load(&read, table, BUS_VIEW, *(*rows)++, err);
}

bool data_query_load(void *opaque, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct data_query_model *model = opaque;
  (void)count; /* what data_query_lock queued, in its order */
  if (!job_reads_load(&model->jobs, &rows, err) || !load(model, &model->revenues, &slot_columns, &rows, err) ||
      !load(model, &model->kpis, &report_sum_columns, &rows, err))
    return false;
  for (size_t i = 0; i < SEARCHES; i++) {
    const struct bus_rows *found = model->searches[i].count > 0 ? *rows : NULL;
    if (!load(model, &model->searches[i], &report_columns, &rows, err))
      return false;
    if (found)
      load_stops(&model->searches[i], found);
  }
  return true;
}

/* ---- answers ---- */

static const struct data_page *page_of(const struct data_pages *pages, const void *query) {
  size_t i = 0;
  while (i < pages->count && pages->items[i].query != query)
    i++;
  assert(i < pages->count);
  return &pages->items[i];
}

static void answer_revenue(const struct data_query_model *model, const struct report_revenue_get *get,
                           struct bus_effects *effects) {
  const struct data_page *page = page_of(&model->revenues, get);
  const struct report_revenue body = {.from = page->span.from,
                                      .to = page->span.to,
                                      .currency = get->currency,
                                      .by = (int)grain_of(get),
                                      .items = page->page.items,
                                      .item_count = bus_page_shown(&page->page)};
  bus_answer(effects, &report_revenue_type, &body);
}

static void answer_kpis(const struct data_query_model *model, const void *get, struct bus_effects *effects) {
  const struct data_page *page = page_of(&model->kpis, get);
  struct report_kpis body;
  if (report_kpis_of(page->page.items, page->page.count, &page->span, effects->arena, &body))
    bus_answer(effects, &report_kpis_type, &body);
  else
    effects->failed = true;
}

struct report_order report_order_of(const struct report *report) {
  return (struct report_order){.order_id = report->order_id,
                               .customer_id = report->customer_id,
                               .status = report->status,
                               .reason = report->reason,
                               .total = report->total,
                               .currency = report->currency,
                               .refunded = report->refunded,
                               .placed_at = report->placed_at,
                               .finished_at = report->finished_at,
                               .items = report->lines,
                               .item_count = report->line_count};
}

static void answer_search(const struct data_query_model *model, const struct report_orders_get *get,
                          struct bus_effects *effects) {
  const struct data_page *page = page_of(&model->searches[report_search_of(get)], get);
  const struct report *reports = page->page.items;
  char cursor[ORDER_CURSOR_TEXT];
  struct report_orders body = {.item_count = bus_page_shown(&page->page)};
  body.items = bus_effects_array(effects, body.item_count, sizeof *body.items);
  for (size_t i = 0; body.items && i < body.item_count; i++)
    body.items[i] = report_order_of(&reports[i]);
  const struct report *last = page->page.count > body.item_count ? &reports[body.item_count - 1] : page->stop;
  if (last) {
    order_cursor_format(last->placed_at, &last->order_id, cursor);
    body.next_cursor = bus_str(cursor);
  }
  if (body.items)
    bus_answer(effects, &report_orders_type, &body);
}

void data_query_decide(void *opaque, const struct bus_input *input, struct bus_effects *effects) {
  const struct data_query_model *model = opaque;
  const struct report_revenue_get *revenue = bus_input_body(input, &report_revenue_get_type);
  const struct report_orders_get *search = bus_input_body(input, &report_orders_get_type);
  if (job_reads_answer(&model->jobs, input, effects))
    return;
  if (revenue)
    answer_revenue(model, revenue, effects);
  if (search)
    answer_search(model, search, effects);
  if (input->type == &report_kpis_get_type)
    answer_kpis(model, input->body, effects);
  if (input->type == &data_ping_type)
    bus_answer(effects, &data_pong_type, &model->pong);
}
