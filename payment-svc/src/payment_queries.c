/* Answers queries: a payment with its refunds, and pings. */
#include "payment_queries.h"

#include "payment_columns.h"
#include "payment_service.h"
#include "payment_statements.h"

bool payment_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                             struct payment_query_model **ret) {
  struct payment_query_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  bus_set_init(&model->payments, &payment_columns, 0, arena);
  bus_set_init(&model->refunds, &refund_columns, 0, arena);
  for (const struct bus_input *input = inputs; input < inputs + count; input++) {
    const struct payment_get *get = input->body;
    if (input->type == &payment_get_type)
      payment_add_keys(&model->payments, &get->order_id);
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
  model->pong.workers_down = worker && !bus_worker_commands_are_up(worker);
  *ret_model = model;
  return true;
}

bool payment_query_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  struct payment_query_model *model = context;
  return count == 0 || (bus_set_load(&model->payments, rows[0], err) && bus_set_load(&model->refunds, rows[1], err));
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

void payment_query_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct payment_query_model *model = context;
  if (input->type != &payment_get_type && input->type != &payment_ping_type)
    bus_park(effects, "payment-svc answers no such query");
  else if (input->type == &payment_ping_type)
    bus_answer(effects, &payment_pong_type, &model->pong);
  else
    answer_get(model, input->body, effects);
}
