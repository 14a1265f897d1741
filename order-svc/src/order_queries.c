/* Queries in, rows of `unnest` to the database, answers out: what comes back says by its place whose answer it is. An
 * unknown order and someone else's order get the same answer. */
#include "order_queries.h"

#include "order_columns.h"
#include "order_statements.h"
#include "order_upkeep.h"

#include <assert.h>

/* Behind nothing: later than any order. */
#define LAST_TIME INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
static const struct bus_uuid last_id = {
    {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}};

/* ---- what is asked ---- */

/* ASK_KINDS: nothing that a database must be asked for. */
static enum order_question question_of(const struct bus_input *input) {
  if (input->type == &order_get_type || input->type == &order_get_many_type)
    return ASK_ORDER;
  if (input->type == &order_events_get_type)
    return ASK_EVENTS;
  if (input->type == &order_ping_type)
    return ASK_AGE;
  if (input->type != &order_list_type)
    return ASK_KINDS;
  return ((const struct order_list *)input->body)->customer_id.data ? ASK_PAGE_OF_CUSTOMER : ASK_PAGE;
}

/* A cursor that is none begins a page that is empty: behind the oldest order. */
static void begin_page(struct order_asked *asked) {
  const struct order_list *list = asked->body;
  asked->page.limit = list->limit;
  asked->before = LAST_TIME;
  asked->before_id = last_id;
  if (list->cursor.data && !order_cursor_parse(list->cursor, &asked->before, &asked->before_id))
    asked->before = 0;
}

/* The orders that an input of ASK_ORDER asks for; another input is one question, too. */
static const struct order_get *questions_in(const struct bus_input *input, size_t *ret_count) {
  const struct order_get_many *many = input->body;
  bool together = input->type == &order_get_many_type;
  *ret_count = together ? many->order_count : 1;
  return together ? many->orders : input->body;
}

static size_t count_questions(const struct bus_input *inputs, size_t count) {
  size_t questions = 0, more;
  for (size_t i = 0; i < count; i++, questions += more)
    (void)questions_in(&inputs[i], &more);
  return questions;
}

/* Returns how many. */
static size_t add_questions(struct order_asked *asked, const struct bus_input *input, enum order_question kind) {
  size_t count;
  const struct order_get *questions = questions_in(input, &count);
  for (size_t i = 0; i < count; i++)
    asked[i] = (struct order_asked){.body = &questions[i], .kind = kind};
  if (kind == ASK_PAGE || kind == ASK_PAGE_OF_CUSTOMER)
    begin_page(asked);
  else if (kind == ASK_EVENTS)
    asked->page.limit = ((const struct order_events_get *)input->body)->limit;
  return count;
}

bool order_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                           struct order_query_model **ret) {
  struct order_query_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->arena = arena;
  model->asked = bus_arena_array(arena, count_questions(inputs, count), sizeof *model->asked);
  if (!model->asked)
    return false;
  size_t place = 0;
  for (int kind = 0; kind < ASK_KINDS; kind++) {
    model->first[kind] = place;
    for (size_t i = 0; i < count; i++)
      if ((int)question_of(&inputs[i]) == kind)
        place += add_questions(&model->asked[place], &inputs[i], (enum order_question)kind);
  }
  model->first[ASK_KINDS] = place;
  *ret = model;
  return true;
}

static const struct order_asked *find_question(const struct order_query_model *model, enum order_question kind,
                                               const void *body) {
  size_t i = model->first[kind];
  while (i < model->first[kind + 1] && model->asked[i].body != body)
    i++;
  assert(i < model->first[kind + 1]);
  return &model->asked[i];
}

/* ---- the SQL: a statement for each kind of question, however many of it a batch has ---- */

static const size_t statements[ASK_KINDS] = {
    [ASK_ORDER] = GET_ORDERS,   [ASK_PAGE] = LIST_ORDERS, [ASK_PAGE_OF_CUSTOMER] = LIST_ORDERS_OF_CUSTOMERS,
    [ASK_EVENTS] = LIST_EVENTS, [ASK_AGE] = OUTBOX_AGE,
};

static void page_args(struct bus_args *args, const struct order_asked *asked) {
  const struct order_list *list = asked->body;
  if (asked->kind == ASK_PAGE_OF_CUSTOMER)
    bus_args_text(args, list->customer_id);
  bus_args_int64_or_null(args, list->status < 0 ? BUS_NO_INT64 : list->status);
  bus_args_time(args, asked->before);
  bus_args_uuid(args, &asked->before_id);
  bus_args_int64(args, asked->page.limit + 1);
}

static void order_args(struct bus_args *args, const struct bus_uuid *order_id, struct bus_str customer_id) {
  bus_args_uuid(args, order_id);
  bus_args_text_or_null(args, customer_id);
}

/* ASK_AGE: one row for all who ask. */
static void question_args(struct bus_args *args, const struct order_asked *asked) {
  const struct order_get *get = asked->body;
  const struct order_events_get *events = asked->body;
  if (asked->kind == ASK_ORDER)
    order_args(args, &get->order_id, get->customer_id);
  if (asked->kind == ASK_PAGE || asked->kind == ASK_PAGE_OF_CUSTOMER)
    page_args(args, asked);
  if (asked->kind != ASK_EVENTS)
    return;
  order_args(args, &events->order_id, events->customer_id);
  bus_args_int64(args, events->after_seq);
  bus_args_int64(args, asked->page.limit + 1);
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
      question_args(args, &model->asked[i]);
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
  int64_t closed_for = order_upkeep_intake_closed_for();
  pong->outbox_age_ms = bus_rows_int64(rows, 0, 0);
  pong->intake_closed_ms = closed_for == BUS_NO_INT64 ? BUS_NO_INT64 : closed_for / BUS_MILLISECOND;
}

static bool load_kind(struct order_query_model *model, int kind, const struct bus_rows *rows, struct bus_error *err) {
  size_t first = model->first[kind];
  const struct bus_pages pages = {&model->asked[first], model->first[kind + 1] - first, sizeof *model->asked,
                                  model->arena};
  if (kind != ASK_AGE)
    return bus_pages_load(&pages, kind == ASK_EVENTS ? &event_view_columns : &order_columns, BUS_VIEW, rows, err);
  load_pong(&model->pong, rows);
  return true;
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

/* ---- answers ---- */

static struct order_answer answer_of(const struct order_asked *asked, struct order_view *view) {
  if (asked->page.count == 0)
    return (struct order_answer){.outcome = ORDER_NOT_FOUND};
  *view = order_view_of(asked->page.items);
  return (struct order_answer){.outcome = ORDER_FOUND, .order = view};
}

/* As a page is cut: who asks gets an answer for each order, if only that it has to be asked for alone. */
static void leave_out_beyond(struct order_answer *answers, size_t count) {
  size_t items = 0;
  for (size_t i = 0; i < count; i++) {
    size_t more = answers[i].order ? answers[i].order->item_count : 0;
    if (items + more > ORDER_PAGE_ITEMS)
      answers[i] = (struct order_answer){.outcome = ORDER_LEFT_OUT};
    else
      items += more;
  }
}

static void answer_together(const struct order_asked *asked, size_t count, struct bus_effects *effects) {
  struct order_answers body = {.answer_count = count};
  struct order_view *views = bus_effects_array(effects, count, sizeof *views);
  body.answers = bus_effects_array(effects, count, sizeof *body.answers);
  if (!views || !body.answers)
    return;
  for (size_t i = 0; i < count; i++)
    body.answers[i] = answer_of(&asked[i], &views[i]);
  leave_out_beyond(body.answers, count);
  bus_answer(effects, &order_answers_type, &body);
}

static void answer_orders(const struct order_query_model *model, const struct bus_input *input,
                          struct bus_effects *effects) {
  size_t count;
  const struct order_asked *asked = find_question(model, ASK_ORDER, questions_in(input, &count));
  struct order_view view;
  const struct order_answer body = answer_of(asked, &view);
  if (input->type == &order_get_many_type)
    answer_together(asked, count, effects);
  else
    bus_answer(effects, &order_answer_type, &body);
}

static size_t cut_page(const struct order_asked *asked) {
  const struct order *orders = asked->page.items;
  size_t items = 0, count = 0, most = bus_page_shown(&asked->page);
  while (count < most && (count == 0 || items + orders[count].item_count <= ORDER_PAGE_ITEMS))
    items += orders[count++].item_count;
  return count;
}

static void answer_page(const struct order_asked *asked, struct bus_effects *effects) {
  char cursor[ORDER_CURSOR_TEXT];
  struct order *orders = asked->page.items;
  struct order_page body = {.item_count = cut_page(asked)};
  body.items = bus_effects_array(effects, body.item_count, sizeof *body.items);
  if (!body.items)
    return;
  for (size_t i = 0; i < body.item_count; i++)
    body.items[i] = order_view_of(&orders[i]);
  if (body.item_count < asked->page.count) {
    const struct order *last = &orders[body.item_count - 1];
    order_cursor_format(last->created_at, &last->order_id, cursor);
    body.next_cursor = bus_str(cursor);
  }
  bus_answer(effects, &order_page_type, &body);
}

static void answer_events(const struct order_asked *asked, struct bus_effects *effects) {
  struct order_event_view *events = asked->page.items;
  size_t shown = bus_page_shown(&asked->page);
  const struct order_history body = {
      .outcome = asked->page.found ? ORDER_FOUND : ORDER_NOT_FOUND,
      .items = events,
      .item_count = shown,
      .next_after_seq = shown < asked->page.count ? events[shown - 1].seq : BUS_NO_INT64,
  };
  bus_answer(effects, &order_history_type, &body);
}

void order_query_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct order_query_model *model = context;
  enum order_question kind = question_of(input);
  switch (kind) {
  case ASK_ORDER:
    answer_orders(model, input, effects);
    break;
  case ASK_PAGE:
  case ASK_PAGE_OF_CUSTOMER:
    answer_page(find_question(model, kind, input->body), effects);
    break;
  case ASK_EVENTS:
    answer_events(find_question(model, kind, input->body), effects);
    break;
  case ASK_AGE:
    bus_answer(effects, &order_pong_type, &model->pong);
    break;
  case ASK_KINDS:
    bus_park(effects, "order-svc answers no such query");
  }
}
