/* Answers queries: a payment with its refunds, pages of open refunds, and pings. */
#include "payment_queries.h"

#include "payment_columns.h"
#include "payment_service.h"
#include "payment_statements.h"

#include <assert.h>

static void add_page(struct payment_query_model *model, const struct refund_list *list) {
  model->pages[model->page_count++] = (struct payment_query_page){{.limit = list->limit}, list};
}

bool payment_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                             struct payment_query_model **ret) {
  struct payment_query_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->arena = arena;
  model->pages = bus_arena_array(arena, count, sizeof *model->pages);
  if (!model->pages)
    return false;
  bus_set_init(&model->payments, &payment_columns, 0, arena);
  bus_set_init(&model->refunds, &refund_columns, 0, arena);
  for (const struct bus_input *input = inputs; input < inputs + count; input++) {
    const struct payment_get *get = input->body;
    if (input->type == &payment_get_type)
      payment_add_keys(&model->payments, &get->order_id);
    else if (input->type == &refund_list_type)
      add_page(model, input->body);
  }
  *ret = model;
  return bus_set_open(&model->payments) && bus_set_open(&model->refunds);
}

bool payment_query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                        struct bus_sql *sql, void **ret_model) {
  const struct bus_worker *worker = context;
  struct payment_query_model *model;
  if (!payment_query_model_new(inputs, count, arena, &model))
    return false;
  if (model->payments.count > 0) {
    bus_set_lock(&model->payments, sql, GET_PAYMENTS);
    bus_set_lock(&model->payments, sql, GET_PAYMENT_REFUNDS);
  }
  struct bus_args *args = model->page_count > 0 ? bus_sql_add(sql, LIST_OPEN_REFUNDS) : NULL;
  for (size_t i = 0; i < model->page_count; i++) {
    bus_args_int64(args, model->pages[i].page.limit + 1);
    bus_args_uuid(args, &model->pages[i].list->cursor); /* nil: before every payment */
  }
  model->pong.workers_down = worker && !bus_worker_commands_are_up(worker);
  *ret_model = model;
  return true;
}

bool payment_query_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct payment_query_model *model = context;
  (void)count; /* the statements that payment_query_lock queued, in its order */
  if (model->payments.count > 0 &&
      (!bus_set_load(&model->payments, *rows++, err) || !bus_set_load(&model->refunds, *rows++, err)))
    return false;
  const struct bus_pages pages = {model->pages, model->page_count, sizeof *model->pages, model->arena};
  return pages.count == 0 || bus_pages_load(&pages, &payment_columns, BUS_ROW, *rows, err);
}

static bool is_of(const struct refund *refund, const struct payment *payment) {
  return bus_uuid_equal(&refund->order_id, &payment->order_id);
}

static size_t count_refunds(const struct payment_query_model *model, const struct payment *payment) {
  size_t count = 0;
  for (size_t i = 0; i < model->refunds.count; i++)
    count += is_of(bus_set_at(&model->refunds, i), payment);
  return count;
}

/* The set is sorted by id: the refunds are put into their order. */
static void show_refunds(const struct payment_query_model *model, const struct payment *payment,
                         struct payment_view *view, const struct refund **sorted) {
  for (size_t i = 0; i < model->refunds.count; i++) {
    const struct refund *refund = bus_set_at(&model->refunds, i);
    size_t place = view->refund_count;
    if (!is_of(refund, payment))
      continue;
    for (; place > 0 && refund->number < sorted[place - 1]->number; place--)
      sorted[place] = sorted[place - 1];
    sorted[place] = refund;
    view->refund_count++;
  }
  for (size_t i = 0; i < view->refund_count; i++)
    refund_view_of(sorted[i], payment, &view->refunds[i]);
}

/* False when out of memory. */
static bool show_payment(const struct payment_query_model *model, const struct payment *payment,
                         struct payment_view *view, struct bus_effects *effects) {
  size_t count = count_refunds(model, payment);
  const struct refund **sorted = bus_effects_array(effects, count + 1, sizeof *sorted);
  payment_view_of(payment, view);
  view->refunds = bus_effects_array(effects, count + 1, sizeof *view->refunds);
  if (sorted && view->refunds)
    show_refunds(model, payment, view, sorted);
  return sorted && view->refunds;
}

static bool show_payments(const struct payment_query_model *model, const struct bus_uuid *order_id,
                          struct payment_answer *answer, struct bus_effects *effects) {
  answer->payments = bus_effects_array(effects, PAYMENT_ATTEMPTS_MAX + 1, sizeof *answer->payments);
  for (int64_t attempt = 0; answer->payments && attempt <= PAYMENT_ATTEMPTS_MAX; attempt++) {
    const struct bus_uuid key = payment_row_id(order_id, attempt);
    const struct payment *payment = bus_set_find(&model->payments, &key);
    const struct bus_uuid paid = payment_order(payment);
    if (payment->state == PAYMENT_NONE || !bus_uuid_equal(&paid, order_id))
      continue; /* the id of an attempt is no order's */
    if (!show_payment(model, payment, &answer->payments[answer->payment_count++], effects))
      return false;
  }
  return answer->payments != NULL;
}

static void answer_get(const struct payment_query_model *model, const struct payment_get *get,
                       struct bus_effects *effects) {
  const struct payment *payment = payment_last_of(&model->payments, &get->order_id);
  struct payment_view view;
  struct payment_answer answer = {.outcome = PAYMENT_NOT_FOUND};
  if (payment->state != PAYMENT_NONE) {
    answer = (struct payment_answer){.outcome = PAYMENT_FOUND, .payment = &view};
    if (!show_payment(model, payment, &view, effects) || !show_payments(model, &get->order_id, &answer, effects))
      return;
  }
  bus_answer(effects, &payment_answer_type, &answer);
}

static int open_status(const struct payment *payment) {
  if (payment->state == PAYMENT_UNKNOWN)
    return OPEN_REFUND_UNKNOWN;
  if (payment->psp_refund_id[0])
    return OPEN_REFUND_AT_PROVIDER;
  return payment->attempts > 1 ? OPEN_REFUND_FAILING : OPEN_REFUND_CALLED;
}

static struct bus_str text_or_none(const char *text) {
  return text[0] ? bus_str(text) : BUS_NO_STR;
}

static struct open_refund open_refund_of(const struct payment *payment) {
  bool is_operators = payment->refund_amount > 0;
  return (struct open_refund){.payment_id = payment->order_id,
                              .order_id = payment_order(payment),
                              .refund_id = payment->refund_id,
                              .status = open_status(payment),
                              .amount =
                                  is_operators ? payment->refund_amount : payment->amount - payment->refunded_amount,
                              .currency = text_or_none(payment->currency),
                              .attempts = payment->attempts,
                              .reason = text_or_none(payment->reason),
                              .psp_id = text_or_none(payment->psp_id),
                              .since = payment->first_attempt_at,
                              .next_at = payment->next_attempt_at};
}

static const struct payment_query_page *find_page(const struct payment_query_model *model,
                                                  const struct refund_list *list) {
  size_t i = 0;
  while (model->pages[i].list != list) {
    i++;
    assert(i < model->page_count);
  }
  return &model->pages[i];
}

/* NULL: out of memory. */
static struct open_refund *show_open(const struct payment *payments, size_t count, struct bus_effects *effects) {
  struct open_refund *shown = bus_effects_array(effects, count, sizeof *shown);
  for (size_t i = 0; shown && i < count; i++)
    shown[i] = open_refund_of(&payments[i]);
  return shown;
}

static void answer_list(const struct payment_query_model *model, const struct refund_list *list,
                        struct bus_effects *effects) {
  const struct bus_page *page = &find_page(model, list)->page;
  const struct payment *payments = page->items;
  size_t count = bus_page_shown(page);
  struct refund_page body = {.items = show_open(payments, count, effects), .item_count = count};
  if (count < page->count)
    body.next_cursor = payments[count - 1].order_id;
  if (body.items)
    bus_answer(effects, &refund_page_type, &body);
}

void payment_query_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct payment_query_model *model = context;
  if (input->type == &payment_get_type)
    answer_get(model, input->body, effects);
  else if (input->type == &refund_list_type)
    answer_list(model, input->body, effects);
  else if (input->type == &payment_ping_type)
    bus_answer(effects, &payment_pong_type, &model->pong);
  else
    bus_park(effects, "payment-svc answers no such query");
}
