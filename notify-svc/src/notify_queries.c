/* The batch of queries: what it reads, and the answers. */
#include "notify_queries.h"

#include "notify_statements.h"

#include <bus/worker.h>
#include <order_messages.h>

#include <assert.h>

/* ---- what is read ---- */

static void name_deliveries(struct notify_query_model *model, const struct webhook_deliveries_get *get) {
  struct notify_page *page = &model->pages[model->page_count++];
  *page = (struct notify_page){{.limit = get->limit}, .query = get, .behind_at = INT64_MAX / 4};
  page->attempts.limit = INT64_MAX / 4;
  if (get->cursor.data && !order_cursor_parse(get->cursor, &page->behind_at, &page->behind_id))
    page->behind_at = 0; /* begins a page that is empty */
  bus_set_add(&model->endpoints, &get->webhook_id);
}

static void name(struct notify_query_model *model, const struct bus_input *input) {
  if (input->type == &webhook_deliveries_get_type)
    name_deliveries(model, input->body);
  if (input->type == &webhook_get_type)
    bus_set_add(&model->endpoints, &((const struct webhook_get *)input->body)->webhook_id);
  if (input->type == &webhook_list_type)
    model->lists[model->list_count++] = (struct notify_page){{.limit = WEBHOOK_ENDPOINTS_MAX}, .query = input->body};
}

static void add_pages(const struct notify_query_model *model, struct bus_sql *sql, size_t statement) {
  struct bus_args *args = bus_sql_add(sql, statement);
  for (size_t i = 0; i < model->page_count; i++) {
    const struct notify_page *page = &model->pages[i];
    bus_args_uuid(args, &((const struct webhook_deliveries_get *)page->query)->webhook_id);
    bus_args_int64(args, page->page.limit + 1);
    bus_args_time(args, page->behind_at);
    bus_args_uuid(args, &page->behind_id);
  }
}

bool notify_query_lock(void *worker, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                       struct bus_sql *sql, void **ret_model) {
  struct notify_query_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  *model = (struct notify_query_model){.arena = arena,
                                       .lists = bus_arena_array(arena, count, sizeof *model->lists),
                                       .pages = bus_arena_array(arena, count, sizeof *model->pages),
                                       .pong = {!bus_worker_commands_are_up(worker)}};
  if (!model->lists || !model->pages)
    return false;
  bus_set_init(&model->endpoints, &endpoint_columns, 0, arena);
  for (size_t i = 0; i < count; i++)
    name(model, &inputs[i]);
  if (!bus_set_open(&model->endpoints))
    return false;
  if (model->endpoints.count > 0)
    bus_set_lock(&model->endpoints, sql, GET_ENDPOINTS);
  struct bus_args *args = model->list_count > 0 ? bus_sql_add(sql, LIST_ENDPOINTS) : NULL;
  for (size_t i = 0; i < model->list_count; i++)
    bus_args_text(args, ((const struct webhook_list *)model->lists[i].query)->customer_id);
  if (model->page_count > 0) {
    add_pages(model, sql, PAGE_DELIVERIES);
    add_pages(model, sql, PAGE_ATTEMPTS);
  }
  *ret_model = model;
  return true;
}

bool notify_query_load(void *opaque, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct notify_query_model *model = opaque;
  const struct bus_pages lists = {model->lists, model->list_count, sizeof *model->lists, model->arena};
  const struct bus_pages pages = {model->pages, model->page_count, sizeof *model->pages, model->arena};
  struct bus_pages attempts = pages;
  (void)count; /* what notify_query_lock queued, in its order */
  if (model->page_count > 0)
    attempts.first = &model->pages[0].attempts;
  return bus_set_load_next(&model->endpoints, &rows, err) &&
         (lists.count == 0 || bus_pages_load(&lists, &endpoint_columns, BUS_ROW, *rows++, err)) &&
         (pages.count == 0 || (bus_pages_load(&pages, &delivery_columns, BUS_VIEW, *rows++, err) &&
                               bus_pages_load(&attempts, &attempt_columns, BUS_ROW, *rows++, err)));
}

/* ---- answers ---- */

static const struct notify_page *page_of(const struct notify_page *pages, size_t count, const void *query) {
  size_t i = 0;
  while (i < count && pages[i].query != query)
    i++;
  assert(i < count);
  return &pages[i];
}

/* NULL: none, or another's. */
static const struct endpoint *find(const struct notify_query_model *model, const struct bus_uuid *id,
                                   struct bus_str customer_id) {
  const struct endpoint *endpoint = bus_set_find(&model->endpoints, id);
  bool is_there = endpoint && bus_set_is_stored(&model->endpoints, endpoint) && endpoint->status != WEBHOOK_DELETED;
  return is_there && (!customer_id.data || bus_str_equal(customer_id, endpoint->customer_id)) ? endpoint : NULL;
}

static void answer_get(const struct notify_query_model *model, const void *query, struct bus_effects *effects) {
  const struct webhook_get *get = query;
  struct webhook_view view;
  const struct endpoint *endpoint = find(model, &get->webhook_id, get->customer_id);
  if (endpoint)
    webhook_view_of(endpoint, effects->now, &view);
  const struct webhook_answer body = {.outcome = endpoint ? WEBHOOK_DONE : WEBHOOK_NOT_FOUND,
                                      .webhook = endpoint ? &view : NULL};
  bus_answer(effects, &webhook_answer_type, &body);
}

static void answer_list(const struct notify_query_model *model, const void *query, struct bus_effects *effects) {
  const struct bus_page *page = &page_of(model->lists, model->list_count, query)->page;
  const struct endpoint *endpoints = page->items;
  struct webhook_page body = {.item_count = bus_page_shown(page)};
  body.items = bus_effects_array(effects, body.item_count, sizeof *body.items);
  for (size_t i = 0; body.items && i < body.item_count; i++)
    webhook_view_of(&endpoints[i], effects->now, &body.items[i]);
  bus_answer(effects, &webhook_page_type, &body);
}

/* The attempts of a delivery stand together. */
static bool show(const struct delivery *delivery, const struct bus_page *attempts, struct bus_effects *effects,
                 struct webhook_delivery *ret) {
  const struct attempt *all = attempts->items;
  size_t first = 0, end;
  while (first < attempts->count && !bus_uuid_equal(&all[first].delivery_id, &delivery->delivery_id))
    first++;
  for (end = first; end < attempts->count && bus_uuid_equal(&all[end].delivery_id, &delivery->delivery_id);)
    end++;
  *ret = (struct webhook_delivery){.delivery_id = delivery->delivery_id,
                                   .order_id = delivery->order_id,
                                   .event = delivery->event,
                                   .status = delivery->status,
                                   .attempt_count = delivery->attempts,
                                   .created_at = delivery->created_at,
                                   .next_attempt_at = delivery->next_attempt_at,
                                   .attempts = bus_effects_array(effects, end - first, sizeof *ret->attempts),
                                   .shown_count = end - first};
  for (size_t i = first; ret->attempts && i < end; i++)
    ret->attempts[i - first] = (struct webhook_attempt){all[i].at, all[i].status, all[i].duration_ms, all[i].note};
  return ret->attempts != NULL;
}

static void answer_deliveries(const struct notify_query_model *model, const void *query, struct bus_effects *effects) {
  const struct webhook_deliveries_get *get = query;
  const struct notify_page *page = page_of(model->pages, model->page_count, get);
  const struct delivery *deliveries = page->page.items;
  char cursor[ORDER_CURSOR_TEXT];
  struct webhook_deliveries body = {.outcome = WEBHOOK_DONE, .item_count = bus_page_shown(&page->page)};
  if (!find(model, &get->webhook_id, get->customer_id))
    body = (struct webhook_deliveries){.outcome = WEBHOOK_NOT_FOUND};
  body.items = bus_effects_array(effects, body.item_count, sizeof *body.items);
  for (size_t i = 0; i < body.item_count; i++)
    if (!body.items || !show(&deliveries[i], &page->attempts, effects, &body.items[i]))
      return;
  bool more = body.item_count > 0 && page->page.count > body.item_count;
  const struct delivery *last = more ? &deliveries[body.item_count - 1] : NULL;
  if (last)
    order_cursor_format(last->created_at, &last->delivery_id, cursor);
  body.next_cursor = last ? bus_str(cursor) : BUS_NO_STR;
  bus_answer(effects, &webhook_deliveries_type, &body);
}

static void answer_ping(const struct notify_query_model *model, const void *ping, struct bus_effects *effects) {
  (void)ping;
  bus_answer(effects, &notify_pong_type, &model->pong);
}

void notify_query_decide(void *model, const struct bus_input *input, struct bus_effects *effects) {
  static const struct {
    const struct bus_message_type *type;
    void (*answer)(const struct notify_query_model *model, const void *query, struct bus_effects *effects);
  } answers[] = {{&notify_ping_type, answer_ping},
                 {&webhook_get_type, answer_get},
                 {&webhook_list_type, answer_list},
                 {&webhook_deliveries_get_type, answer_deliveries}};
  for (size_t i = 0; i < BUS_COUNT(answers); i++) {
    if (input->type != answers[i].type)
      continue;
    answers[i].answer(model, input->body, effects);
    return;
  }
  bus_park(effects, "no query that is known here");
}
