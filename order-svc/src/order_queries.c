/* Queries in, answers out. An unknown order and someone else's order get the same answer. */
#include "order_query.h"

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

static size_t questions_in(const struct bus_input *input) {
  return input->type == &order_get_many_type ? ((const struct order_get_many *)input->body)->order_count : 1;
}

static size_t count_questions(const struct bus_input *inputs, size_t count) {
  size_t questions = 0;
  for (size_t i = 0; i < count; i++)
    questions += questions_in(&inputs[i]);
  return questions;
}

/* Orders that are asked for together are questions like all others, one behind the other. Returns the next place. */
static size_t add_many(struct order_query_model *model, const struct order_get_many *many, size_t place) {
  for (size_t i = 0; i < many->order_count; i++)
    model->asked[place++] = (struct order_asked){.body = &many->orders[i], .kind = ASK_ORDER};
  return place;
}

static size_t add(struct order_query_model *model, const struct bus_input *input, enum order_question kind,
                  size_t place) {
  struct order_asked *asked = &model->asked[place];
  if (input->type == &order_get_many_type)
    return add_many(model, input->body, place);
  asked->body = input->body;
  asked->kind = kind;
  if (kind == ASK_PAGE || kind == ASK_PAGE_OF_CUSTOMER)
    begin_page(asked);
  else if (kind == ASK_EVENTS)
    asked->page.limit = ((const struct order_events_get *)input->body)->limit;
  return place + 1;
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
        place = add(model, &inputs[i], (enum order_question)kind, place);
  }
  model->first[ASK_KINDS] = place;
  *ret = model;
  return true;
}

static const struct order_asked *find(const struct order_query_model *model, enum order_question kind,
                                      const void *body) {
  size_t i = model->first[kind];
  while (i < model->first[kind + 1] && model->asked[i].body != body)
    i++;
  assert(i < model->first[kind + 1]);
  return &model->asked[i];
}

/* ---- answers ---- */

static struct order_answer answer_of(const struct order_asked *asked, struct order_view *view) {
  if (asked->page.count == 0)
    return (struct order_answer){.outcome = ORDER_NOT_FOUND};
  *view = order_view_of(asked->page.items);
  return (struct order_answer){.outcome = ORDER_FOUND, .order = view};
}

static void answer_order(const struct order_asked *asked, struct bus_effects *effects) {
  struct order_view view;
  const struct order_answer body = answer_of(asked, &view);
  bus_answer(effects, &order_answer_type, &body);
}

/* As a page is cut: who asks gets an answer for each order, if only that it has to be asked for alone. */
static void leave_out(struct order_answer *answers, size_t count) {
  size_t items = 0;
  for (size_t i = 0; i < count; i++) {
    size_t more = answers[i].order ? answers[i].order->item_count : 0;
    if (items + more > ORDER_PAGE_ITEMS)
      answers[i] = (struct order_answer){.outcome = ORDER_LEFT_OUT};
    else
      items += more;
  }
}

static void answer_many(const struct order_asked *asked, size_t count, struct bus_effects *effects) {
  struct order_answers body = {.answer_count = count};
  struct order_view *views = bus_effects_array(effects, count, sizeof *views);
  body.answers = bus_effects_array(effects, count, sizeof *body.answers);
  if (!views || !body.answers)
    return;
  for (size_t i = 0; i < count; i++)
    body.answers[i] = answer_of(&asked[i], &views[i]);
  leave_out(body.answers, count);
  bus_answer(effects, &order_answers_type, &body);
}

static void answer_orders(const struct order_query_model *model, const struct bus_input *input,
                          struct bus_effects *effects) {
  const struct order_get_many *many = input->body;
  if (input->type == &order_get_many_type)
    answer_many(find(model, ASK_ORDER, many->orders), many->order_count, effects);
  else
    answer_order(find(model, ASK_ORDER, input->body), effects);
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

static void answer_ping(const struct order_query_model *model, struct bus_effects *effects) {
  bus_answer(effects, &order_pong_type, &model->pong);
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
    answer_page(find(model, kind, input->body), effects);
    break;
  case ASK_EVENTS:
    answer_events(find(model, kind, input->body), effects);
    break;
  case ASK_AGE:
    answer_ping(model, effects);
    break;
  case ASK_KINDS:
    bus_park(effects, "order-svc answers no such query");
  }
}
