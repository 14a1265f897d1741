/* Answers of queries, over models that a test fills. */
#include "sample.h"

#include <payment_queries.h>
#include <payment_service.h>
#include <stdio.h>
#include <test.h>

static const uint64_t seed[4] = {1, 2, 3, 4};

struct asked {
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct bus_effects effects;
  struct bus_envelope envelope;
  struct bus_input input;
};

static struct asked *ask(const struct bus_message_type *type, const void *body) {
  struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
  struct asked *asked = bus_arena_alloc(arena, sizeof *asked);
  *asked = (struct asked){.arena = arena, .envelope.reply_to = BUS_STR("edge.reply.1")};
  asked->input =
      (struct bus_input){.kind = BUS_INPUT_DELIVERY, .type = type, .envelope = &asked->envelope, .body = body};
  bus_uuid_source_init(&asked->ids, seed);
  bus_effects_init(&asked->effects, arena, &asked->ids, NOW, "payment-svc");
  bus_effects_begin(&asked->effects, &asked->input);
  return asked;
}

static void assert_answer(struct asked *asked, const struct bus_message_type *type, const char *body) {
  assert_int_equal(asked->effects.count, 1);
  assert_int_equal(asked->effects.first->kind, BUS_EFFECT_ANSWER);
  assert_ptr_equal(asked->effects.first->type, type);
  assert_string_equal(asked->effects.first->body.data, body);
  bus_arena_free(asked->arena);
}

TEST(query_ping_is_answered)
{
  const struct payment_ping ping = {.deep = false};
  struct asked *asked = ask(&payment_ping_type, &ping);
  struct payment_query_model model = {.pong.workers_down = true};
  payment_query_decide(&model, &asked->input, &asked->effects);
  assert_answer(asked, &payment_pong_type, "{\"workers_down\":true}");
}

static struct payment_query_model *model_of(struct asked *asked) {
  struct payment_query_model *model;
  assert_true(payment_query_model_new(&asked->input, 1, asked->arena, &model));
  return model;
}

TEST(query_of_no_payment_is_not_found)
{
  const struct payment_get get = {sample_order()};
  struct asked *asked = ask(&payment_get_type, &get);
  payment_query_decide(model_of(asked), &asked->input, &asked->effects);
  assert_answer(asked, &payment_answer_type, "{\"outcome\":\"not_found\"}");
}

static void keep(struct payment_query_model *model, const struct bus_uuid *id, int64_t attempt,
                 enum payment_state state) {
  const struct bus_uuid key = payment_row_id(id, attempt);
  struct payment *payment = bus_set_find(&model->payments, &key);
  *payment = sample_payment(state);
  payment->order_id = key;
  payment->pay_attempt = attempt;
  payment->attempt_of = attempt > 0 ? *id : payment->attempt_of;
  bus_set_keep(&model->payments, payment);
}

#define SHOWN                                                                                                          \
  "{\"payment_id\":\"" SAMPLE_ORDER "\",\"order_id\":\"" SAMPLE_ORDER "\",\"status\":\"captured\",\"amount\":1998,"    \
  "\"currency\":\"EUR\",\"refunded\":500,\"refundable\":1498,\"refunds\":[],\"version\":3}"

TEST(query_shows_a_payment)
{
  const struct payment_get get = {sample_order()};
  struct asked *asked = ask(&payment_get_type, &get);
  struct payment_query_model *model = model_of(asked);
  keep(model, &get.order_id, 0, PAYMENT_CAPTURED);
  struct payment *payment = bus_set_find(&model->payments, &get.order_id);
  payment->promised_amount = 500;
  payment->refunded_amount = 500;
  payment_query_decide(model, &asked->input, &asked->effects);
  assert_answer(asked, &payment_answer_type, "{\"outcome\":\"found\",\"payment\":" SHOWN ",\"payments\":[" SHOWN "]}");
}

static const struct payment_answer *answer_of(struct asked *asked) {
  struct bus_problems problems = {.count = 0};
  struct payment_answer *answer = bus_arena_alloc(asked->arena, sizeof *answer);
  assert_int_equal(asked->effects.count, 1);
  assert_true(bus_decode(&payment_answer_schema, asked->effects.first->body, BUS_IGNORE_UNKNOWN, asked->arena, answer,
                         &problems));
  return answer;
}

TEST(query_of_an_order_that_is_paid_later_shows_its_attempts)
{
  const struct payment_get get = {sample_order()};
  struct asked *asked = ask(&payment_get_type, &get);
  struct payment_query_model *model = model_of(asked);
  const struct bus_uuid second = payment_row_id(&get.order_id, 2);
  keep(model, &get.order_id, 1, PAYMENT_DECLINED);
  keep(model, &get.order_id, 2, PAYMENT_CAPTURED);
  payment_query_decide(model, &asked->input, &asked->effects);
  const struct payment_answer *answer = answer_of(asked);
  assert_int_equal(answer->outcome, PAYMENT_FOUND);
  assert_int_equal(answer->payment->attempt, 2);
  assert_true(bus_uuid_equal(&answer->payment->payment_id, &second));
  assert_true(bus_uuid_equal(&answer->payment->order_id, &get.order_id));
  assert_int_equal(answer->payment_count, 2);
  assert_true(bus_str_is(answer->payments[0].status, "declined") && answer->payments[0].attempt == 1);
  assert_true(bus_str_is(answer->payments[1].status, "captured") && answer->payments[1].attempt == 2);
  bus_arena_free(asked->arena);
}

TEST(query_of_an_attempt_shows_it_and_no_order)
{
  const struct bus_uuid order_id = sample_order();
  const struct payment_get get = {payment_row_id(&order_id, 2)};
  struct asked *asked = ask(&payment_get_type, &get);
  struct payment_query_model *model = model_of(asked);
  keep(model, &get.order_id, 0, PAYMENT_CAPTURED);
  struct payment *payment = bus_set_find(&model->payments, &get.order_id);
  payment->pay_attempt = 2;
  payment->attempt_of = order_id;
  payment_query_decide(model, &asked->input, &asked->effects);
  const struct payment_answer *answer = answer_of(asked);
  assert_true(bus_uuid_equal(&answer->payment->payment_id, &get.order_id));
  assert_true(bus_uuid_equal(&answer->payment->order_id, &order_id));
  assert_int_equal(answer->payment_count, 0);
  bus_arena_free(asked->arena);
}

/* ---- open refunds ---- */

/* The page that a statement would have read: `count` payments. */
static struct asked *ask_list(const struct refund_list *list, struct payment *payments, size_t count) {
  struct asked *asked = ask(&refund_list_type, list);
  struct payment_query_model *model = model_of(asked);
  assert_int_equal(model->page_count, 1);
  assert_int_equal(model->pages[0].page.limit, list->limit);
  model->pages[0].page.items = payments;
  model->pages[0].page.count = count;
  payment_query_decide(model, &asked->input, &asked->effects);
  return asked;
}

static void assert_listed(struct payment payment, const char *item) {
  char body[1024];
  const struct refund_list list = {.limit = 20};
  (void)snprintf(body, sizeof body, "{\"items\":[%s]}", item);
  assert_answer(ask_list(&list, &payment, 1), &refund_page_type, body);
}

#define ITEM(refund, status, amount, attempts, more)                                                                   \
  "{\"payment_id\":\"" SAMPLE_ORDER "\",\"order_id\":\"" SAMPLE_ORDER "\"," refund "\"status\":\"" status              \
  "\",\"amount\":" amount ",\"currency\":\"EUR\",\"attempts\":" attempts more "}"

TEST(refunds_without_any_are_an_empty_page)
{
  const struct refund_list list = {.limit = 20};
  assert_answer(ask_list(&list, NULL, 0), &refund_page_type, "{\"items\":[]}");
}

TEST(refunds_of_order_svc_take_all_that_is_left)
{
  struct payment payment = sample_payment(PAYMENT_REFUNDING);
  payment.refunded_amount = 500;
  payment.first_attempt_at = payment.next_attempt_at = BUS_NO_TIME;
  assert_listed(payment, ITEM("", "called", "1498", "1", ",\"psp_id\":\"pi_1\""));
}

TEST(refunds_that_failed_say_since_when_and_when_they_are_tried_again)
{
  struct payment payment = sample_payment(PAYMENT_REFUNDING);
  payment.refund_id = sample_order();
  payment.refund_amount = 700;
  payment.attempts = 4;
  payment.first_attempt_at = NOW;
  payment.next_attempt_at = NOW + 30 * BUS_SECOND;
  assert_listed(payment, ITEM("\"refund_id\":\"" SAMPLE_ORDER "\",", "failing", "700", "4",
                              ",\"psp_id\":\"pi_1\",\"since\":\"2026-02-25T06:13:20.000Z\",\"next_at\":"
                              "\"2026-02-25T06:13:50.000Z\""));
}

TEST(refunds_that_the_provider_has_are_not_failing)
{
  struct payment payment = sample_payment(PAYMENT_REFUNDING);
  payment.attempts = 4;
  payment.first_attempt_at = payment.next_attempt_at = BUS_NO_TIME;
  (void)snprintf(payment.psp_refund_id, sizeof payment.psp_refund_id, "re_1");
  assert_listed(payment, ITEM("", "at_provider", "1998", "4", ",\"psp_id\":\"pi_1\""));
}

TEST(refunds_that_are_unknown_say_why)
{
  struct payment payment = sample_payment(PAYMENT_UNKNOWN);
  payment.refund_id = sample_order();
  payment.refund_amount = 1;
  payment.attempts = 1;
  payment.psp_id[0] = '\0';
  payment.first_attempt_at = BUS_NO_TIME;
  (void)snprintf(payment.reason, sizeof payment.reason, "mismatch");
  assert_listed(payment, ITEM("\"refund_id\":\"" SAMPLE_ORDER "\",", "unknown", "1", "1", ",\"reason\":\"mismatch\""));
}

TEST(refunds_behind_a_full_page_are_on_the_next)
{
  struct payment payments[3] = {sample_payment(PAYMENT_REFUNDING), sample_payment(PAYMENT_REFUNDING),
                                sample_payment(PAYMENT_REFUNDING)};
  const struct refund_list list = {.limit = 2};
  payments[1].order_id.bytes[15] = 0x11;
  payments[2].order_id.bytes[15] = 0x12;
  for (size_t count = 2; count <= 3; count++) {
    struct asked *asked = ask_list(&list, payments, count);
    struct bus_problems problems = {.count = 0};
    struct refund_page page;
    assert_true(bus_decode(&refund_page_schema, asked->effects.first->body, BUS_IGNORE_UNKNOWN, asked->arena, &page,
                           &problems));
    assert_int_equal(page.item_count, 2);
    assert_true(bus_uuid_equal(&page.items[1].payment_id, &payments[1].order_id));
    assert_int_equal(bus_uuid_equal(&page.next_cursor, &payments[1].order_id), count == 3);
    bus_arena_free(asked->arena);
  }
}

TEST(refunds_of_two_who_ask_at_a_time_are_two_pages)
{
  const struct refund_list first = {.limit = 2}, second = {.limit = 5};
  struct asked *asked = ask(&refund_list_type, &first);
  const struct bus_input inputs[] = {asked->input, {.type = &refund_list_type, .body = &second}};
  struct payment_query_model *model;
  assert_true(payment_query_model_new(inputs, 2, asked->arena, &model));
  assert_int_equal(model->page_count, 2);
  model->pages[1].page.count = 1;
  model->pages[1].page.items = &(struct payment){.state = PAYMENT_REFUNDING, .amount = 1};
  payment_query_decide(model, &asked->input, &asked->effects);
  assert_answer(asked, &refund_page_type, "{\"items\":[]}");
}
