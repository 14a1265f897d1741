/* Answers of queries, over models that a test fills. */
#include "sample.h"

#include <payment_queries.h>
#include <payment_service.h>
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

TEST(query_shows_a_payment)
{
  const struct payment_get get = {sample_order()};
  struct asked *asked = ask(&payment_get_type, &get);
  struct payment_query_model *model = model_of(asked);
  struct payment *payment = bus_set_at(&model->payments, 0);
  *payment = sample_payment(PAYMENT_CAPTURED);
  payment->promised_amount = 500;
  payment->refunded_amount = 500;
  bus_set_keep(&model->payments, payment);
  payment_query_decide(model, &asked->input, &asked->effects);
  assert_answer(asked, &payment_answer_type,
                "{\"outcome\":\"found\",\"payment\":{\"payment_id\":\"" SAMPLE_ORDER "\",\"order_id\":\"" SAMPLE_ORDER
                "\",\"status\":\"captured\",\"amount\":1998,"
                "\"currency\":\"EUR\",\"refunded\":500,\"refundable\":1498,\"refunds\":[],\"version\":3}}");
}
