/* payment-svc without memory: a batch that cannot be decided is not committed, and an answer of the PSP that cannot be
 * read leaves the outcome open. */
#include "sample.h"

#include <payment_messages.h>
#include <payment_service.h>
#include <psp_response.h>
#include <test.h>
#include <torture.h>

struct told {
  const struct bus_message_type *type; /* NULL: a completion or a deadline */
  const void *body;
  enum bus_input_kind kind;
  enum payment_state state;
};

static bool decide(struct bus_arena *arena, const void *context) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  const struct told *told = context;
  const struct bus_envelope envelope = {.message_id = {{1}}};
  const struct bus_input input = {
      .kind = told->kind, .type = told->type, .envelope = told->type ? &envelope : NULL, .body = told->body};
  struct payment_model *model = NULL;
  struct bus_uuid_source ids;
  struct bus_effects effects;
  bus_uuid_source_init(&ids, seed);
  bus_effects_init(&effects, arena, &ids, NOW + BUS_MINUTE, "payment-svc");
  bool done = payment_model_new(&input, 1, &sample_policy, arena, &model);
  if (done) {
    const struct bus_uuid id = sample_order();
    *payment_model_find(model, &id) = sample_payment(told->state);
    bus_effects_begin(&effects, &input);
    payment_service_decide(model, &input, &effects);
    assert_int_equal(bus_effects_end(&effects), BUS_DONE);
    done = !effects.failed;
  }
  bus_refusals_over();
  assert_true(!done || effects.count > 0);
  return done;
}

TEST(every_kind_of_input)
{
  const struct payment_charge charge = {sample_order(), 1998, BUS_STR("EUR"), BUS_STR("pm_card_visa"), BUS_NO_INT64};
  const struct payment_refund refund = {sample_order(), BUS_NO_INT64};
  const struct payment_due due = {sample_order()};
  struct payment_result captured, declined;
  (void)sample_input(PAYMENT_ON_CAPTURED, PAYMENT_PROCESSING, &captured);
  (void)sample_input(PAYMENT_ON_DECLINED, PAYMENT_PROCESSING, &declined);
  const struct told told[] = {
      {&payment_charge_type, &charge, BUS_INPUT_DELIVERY, PAYMENT_NONE},
      {&payment_charge_type, &charge, BUS_INPUT_DELIVERY, PAYMENT_CAPTURED},
      {&payment_refund_type, &refund, BUS_INPUT_DELIVERY, PAYMENT_NONE},
      {&payment_refund_type, &refund, BUS_INPUT_DELIVERY, PAYMENT_CAPTURED},
      {NULL, &captured, BUS_INPUT_COMPLETION, PAYMENT_PROCESSING},
      {NULL, &declined, BUS_INPUT_COMPLETION, PAYMENT_PROCESSING},
      {NULL, &due, BUS_INPUT_DEADLINE, PAYMENT_PROCESSING},
  };
  for (size_t i = 0; i < BUS_COUNT(told); i++)
    torture(decide, &told[i]);
}

struct heard {
  int status;
  const char *body;
  enum payment_input_kind kind;
};

static bool hear(struct bus_arena *arena, const void *context) {
  const struct heard *heard = context;
  const struct payment_call call = {.kind = PAYMENT_CALL_CHARGE, .amount = 1998, .currency = "EUR", .attempt = 1};
  const struct bus_http_result answer = {
      .outcome = BUS_HTTP_ANSWERED, .status = heard->status, .body = bus_str(heard->body), .retry_after_s = -1};
  struct payment_result result;
  (void)psp_response_read(&call, &answer, arena, &result); /* for the breaker */
  bus_refusals_over();
  assert_true(result.kind == heard->kind || result.kind == PAYMENT_ON_UNSURE);
  return result.kind == heard->kind;
}

TEST(an_answer_that_cannot_be_read_leaves_the_outcome_open)
{
  static const struct heard heard[] = {
      {200, "{\"id\":\"pi_3\",\"amount\":1998,\"amount_received\":1998,\"currency\":\"eur\",\"status\":\"succeeded\"}",
       PAYMENT_ON_CAPTURED},
      {200, "{\"id\":\"pi_3\",\"amount\":1,\"currency\":\"eur\",\"status\":\"succeeded\"}", PAYMENT_ON_SUSPECT},
      {402, "{\"error\":{\"type\":\"card_error\",\"code\":\"card_declined\"}}", PAYMENT_ON_DECLINED},
      {400, "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"x\"}}", PAYMENT_ON_REFUSED},
  };
  for (size_t i = 0; i < BUS_COUNT(heard); i++)
    torture(hear, &heard[i]);
}
