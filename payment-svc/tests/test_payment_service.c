/* decide() as the worker calls it: batches of inputs over a model, and what comes out. */
#include "sample.h"

#include <inventory_messages.h>
#include <payment_messages.h>
#include <payment_service.h>
#include <stdlib.h>
#include <test.h>

struct bench {
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct bus_effects effects;
  struct bus_input inputs[16];
  struct bus_envelope envelopes[16];
  size_t count;
  struct payment_model *model;
};

static struct bus_uuid order(uint8_t number) {
  struct bus_uuid id = sample_order();
  id.bytes[15] = number;
  return id;
}

static struct bench *bench_new(void) {
  struct bench *bench = calloc(1, sizeof *bench);
  static const uint64_t seed[4] = {1, 2, 3, 4};
  bench->arena = bus_arena_new((size_t)1 << 20);
  bus_uuid_source_init(&bench->ids, seed);
  return bench;
}

static void bench_free(struct bench *bench) {
  bus_arena_free(bench->arena);
  free(bench);
}

static void deliver(struct bench *bench, const struct bus_message_type *type, const void *body) {
  size_t i = bench->count++;
  bench->envelopes[i] = (struct bus_envelope){.type = bus_str(type->type), .message_id = order((uint8_t)(0xA0 + i))};
  bench->envelopes[i].trace = (struct bus_trace){.trace_id = {7}, .span_id = {8}, .flags = 1};
  bench->inputs[i] =
      (struct bus_input){.kind = BUS_INPUT_DELIVERY, .type = type, .envelope = &bench->envelopes[i], .body = body};
}

static void push(struct bench *bench, enum bus_input_kind kind, const void *body) {
  bench->inputs[bench->count++] = (struct bus_input){.kind = kind, .body = body};
}

static struct payment *payment_at(const struct bench *bench, size_t index) {
  return bus_set_at(&bench->model->payments, index);
}

static struct payment *first(const struct bench *bench) {
  return payment_at(bench, 0);
}

/* As if it had been loaded. */
static void keep(struct bench *bench, enum payment_state state) {
  *first(bench) = sample_payment(state);
  bus_set_keep(&bench->model->payments, first(bench));
}

static void run(struct bench *bench) {
  bus_effects_init(&bench->effects, bench->arena, &bench->ids, NOW, "payment-svc");
  if (!bench->model)
    assert_true(payment_model_new(bench->inputs, bench->count, &sample_policy, bench->arena, &bench->model));
  for (size_t i = 0; i < bench->count; i++) {
    bus_effects_begin(&bench->effects, &bench->inputs[i]);
    payment_service_decide(bench->model, &bench->inputs[i], &bench->effects);
    (void)bus_effects_end(&bench->effects);
  }
  assert_false(bench->effects.failed);
}

static const struct bus_effect *effect_at(const struct bench *bench, size_t index) {
  const struct bus_effect *effect = bench->effects.first;
  while (effect && index-- > 0)
    effect = effect->next;
  return effect;
}

static struct payment_charge a_charge(uint8_t number, int64_t amount) {
  return (struct payment_charge){
      .order_id = order(number), .amount = amount, .currency = BUS_STR("EUR"), .token = BUS_STR("pm_card_visa")};
}

TEST(service_charge_calls_after_commit)
{
  struct bench *bench = bench_new();
  const struct payment_charge charge = a_charge(1, 1998);
  deliver(bench, &payment_charge_type, &charge);
  run(bench);
  assert_int_equal(bench->effects.count, 1);
  const struct bus_effect *effect = effect_at(bench, 0);
  assert_int_equal(effect->kind, BUS_EFFECT_ACTION);
  const struct payment_action *action = effect->action;
  assert_true(action->calls && action->moved);
  assert_int_equal(action->state, PAYMENT_PROCESSING);
  assert_int_equal(action->call.amount, 1998);
  assert_true(bus_set_is_changed(&bench->model->payments, first(bench)));
  assert_false(bus_set_is_stored(&bench->model->payments, first(bench)));
  bench_free(bench);
}

TEST(service_free_order_is_captured_at_once)
{
  struct bench *bench = bench_new();
  const struct payment_charge charge = a_charge(1, 0);
  deliver(bench, &payment_charge_type, &charge);
  run(bench);
  const struct bus_effect *effect = effect_at(bench, 0);
  assert_int_equal(effect->kind, BUS_EFFECT_EMIT);
  assert_ptr_equal(effect->type, &payment_captured_type);
  assert_true(bus_str_is(effect->body, "{\"order_id\":\"0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a01\",\"amount\":0,"
                                       "\"currency\":\"EUR\"}"));
  assert_true(bus_uuid_equal(&effect->envelope.correlation_id, &charge.order_id));
  assert_true(bus_uuid_equal(&effect->envelope.causation_id, &bench->envelopes[0].message_id));
  assert_memory_equal(effect->envelope.trace.trace_id, bench->envelopes[0].trace.trace_id, 16);
  assert_null(bench->model->bookings);
  bench_free(bench);
}

TEST(service_tombstone_and_the_charge_behind_it_in_one_batch)
{
  struct bench *bench = bench_new();
  const struct payment_refund refund = {.order_id = order(1)};
  const struct payment_charge charge = a_charge(1, 1998);
  deliver(bench, &payment_refund_type, &refund);
  deliver(bench, &payment_charge_type, &charge);
  run(bench);
  assert_int_equal(bench->model->payments.count, 1);
  assert_ptr_equal(effect_at(bench, 0)->type, &payment_refunded_type);
  assert_true(
      bus_str_is(effect_at(bench, 0)->body, "{\"order_id\":\"0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a01\",\"amount\":0}"));
  assert_ptr_equal(effect_at(bench, 2)->type, &payment_failed_type);
  assert_true(bus_str_is(effect_at(bench, 2)->body,
                         "{\"order_id\":\"0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a01\",\"reason\":\"voided\"}"));
  assert_int_equal(bench->effects.count, 3); /* and the fact of the tombstone */
  bench_free(bench);
}

/* ---- attempts to pay later: each is a row, of one order ---- */

static struct payment *attempt_in(struct bench *bench, const struct bus_uuid *order_id, int64_t number) {
  const struct bus_uuid key = payment_row_id(order_id, number);
  return payment_model_find(bench->model, &key);
}

TEST(service_each_attempt_is_a_row_of_its_own)
{
  struct bench *bench = bench_new();
  struct payment_charge charges[2] = {a_charge(1, 1998), a_charge(1, 1998)};
  for (size_t i = 0; i < 2; i++) {
    charges[i].attempt = (int64_t)i + 1;
    deliver(bench, &payment_charge_type, &charges[i]);
  }
  run(bench);
  assert_int_equal(bench->model->payments.count, 2);
  for (int64_t i = 0; i < 2; i++) {
    const struct payment *attempt = attempt_in(bench, &charges[0].order_id, i + 1);
    const struct payment_action *action = effect_at(bench, (size_t)i)->action;
    assert_int_equal(attempt->state, PAYMENT_PROCESSING);
    assert_int_equal(attempt->pay_attempt, i + 1);
    assert_true(bus_uuid_equal(&attempt->attempt_of, &charges[0].order_id));
    assert_true(bus_uuid_equal(&action->call.order_id, &charges[0].order_id));
    assert_int_equal(action->call.pay_attempt, i + 1);
  }
  bench_free(bench);
}

TEST(service_a_refund_voids_its_attempt_and_says_which)
{
  struct bench *bench = bench_new();
  const struct payment_refund refund = {.order_id = order(1), .attempt = 2};
  struct payment_charge charge = a_charge(1, 1998);
  charge.attempt = 2;
  deliver(bench, &payment_refund_type, &refund);
  deliver(bench, &payment_charge_type, &charge);
  run(bench);
  assert_int_equal(attempt_in(bench, &refund.order_id, 2)->state, PAYMENT_VOIDED);
  assert_true(bus_str_is(effect_at(bench, 0)->body,
                         "{\"order_id\":\"0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a01\",\"amount\":0,\"attempt\":2}"));
  assert_true(bus_uuid_equal(&effect_at(bench, 0)->envelope.correlation_id, &refund.order_id));
  assert_true(
      bus_str_is(effect_at(bench, 2)->body,
                 "{\"order_id\":\"0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a01\",\"reason\":\"voided\",\"attempt\":2}"));
  bench_free(bench);
}

TEST(service_a_result_finds_its_attempt)
{
  struct bench *bench = bench_new();
  const struct payment_result result = {.order_id = order(1), .pay_attempt = 2};
  const struct bus_input input = {.kind = BUS_INPUT_COMPLETION, .body = &result};
  const struct bus_uuid second = payment_row_id(&result.order_id, 2), first_one = payment_row_id(&result.order_id, 0);
  assert_true(payment_model_new(&input, 1, &sample_policy, bench->arena, &bench->model));
  assert_true(bus_uuid_equal(&payment_model_of(bench->model, &input)->order_id, &second));
  assert_true(bus_uuid_equal(&first_one, &result.order_id));
  bench_free(bench);
}

/* As if it had been loaded: an order whose first attempt was declined, and whose second captured 1998. */
static void keep_two_attempts(struct bench *bench, const struct bus_uuid *order_id) {
  for (int64_t number = 1; number <= 2; number++) {
    struct payment *payment = attempt_in(bench, order_id, number);
    const struct bus_uuid key = payment->order_id;
    *payment = sample_payment(number == 1 ? PAYMENT_DECLINED : PAYMENT_CAPTURED);
    payment->order_id = key;
    payment->attempt_of = *order_id;
    payment->pay_attempt = number;
    bus_set_keep(&bench->model->payments, payment);
  }
}

TEST(service_an_operators_refund_finds_the_attempt_that_was_captured)
{
  const struct bus_uuid id = order(1), second = payment_row_id(&id, 2), named[] = {id, second};
  for (size_t i = 0; i < BUS_COUNT(named); i++) {
    struct bench *bench = bench_new();
    const struct payment_refund_part part = {
        .refund_id = order(9), .order_id = named[i], .amount = 500, .reason = BUS_NO_STR, .restock = true};
    deliver(bench, &payment_refund_part_type, &part);
    deliver(bench, &payment_refund_part_type, &part);
    bench->envelopes[0].reply_to = bench->envelopes[1].reply_to = BUS_STR("edge.reply.1");
    assert_true(payment_model_new(bench->inputs, bench->count, &sample_policy, bench->arena, &bench->model));
    if (i == 0)
      keep_two_attempts(bench, &id);
    else {
      *payment_model_find(bench->model, &second) = sample_payment(PAYMENT_CAPTURED);
      payment_model_find(bench->model, &second)->order_id = second;
      payment_model_find(bench->model, &second)->attempt_of = id;
      payment_model_find(bench->model, &second)->pay_attempt = 2;
    }
    run(bench);
    const struct payment *payment = payment_model_find(bench->model, &second);
    const struct refund *refund = bus_set_find(&bench->model->refunds, &part.refund_id);
    assert_int_equal(payment->state, PAYMENT_REFUNDING);
    assert_true(bus_uuid_equal(&refund->order_id, &second));
    const struct payment_action *action = effect_at(bench, 0)->action;
    assert_int_equal(action->call.pay_attempt, 2);
    assert_true(bus_uuid_equal(&action->call.order_id, &id));
    assert_non_null(strstr(effect_at(bench, 1)->body.data, "\"outcome\":\"accepted\""));
    assert_non_null(strstr(effect_at(bench, 1)->body.data, "\"attempt\":2,"));
    assert_non_null(strstr(effect_at(bench, 2)->body.data, "\"outcome\":\"replayed\""));
    bench_free(bench);
  }
}

TEST(service_stock_of_an_order_paid_later_is_put_back_by_the_orders_id)
{
  struct bench *bench = bench_new();
  const struct bus_uuid id = order(1), second = payment_row_id(&id, 2), refund_id = order(9);
  const struct payment_refund_part part = {.refund_id = refund_id, .order_id = id, .amount = 500, .restock = true};
  struct payment_result result = {.order_id = id,
                                  .pay_attempt = 2,
                                  .call = PAYMENT_CALL_REFUND,
                                  .kind = PAYMENT_ON_REFUNDED,
                                  .attempt = 1,
                                  .refund = 1,
                                  .refund_id = refund_id};
  memcpy(result.psp_id, "re_1", sizeof "re_1");
  deliver(bench, &payment_refund_part_type, &part);
  push(bench, BUS_INPUT_COMPLETION, &result);
  assert_true(payment_model_new(bench->inputs, bench->count, &sample_policy, bench->arena, &bench->model));
  keep_two_attempts(bench, &id);
  run(bench);
  assert_int_equal(payment_model_find(bench->model, &second)->refunded_amount, 500);
  const struct bus_effect *effect = bench->effects.first;
  while (effect && effect->type != &inventory_restock_type)
    effect = effect->next;
  assert_non_null(effect);
  assert_string_equal(effect->body.data, "{\"order_id\":\"0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a01\"}");
  bench_free(bench);
}

TEST(service_the_psps_hint_finds_the_last_attempt)
{
  struct bench *bench = bench_new();
  const struct bus_uuid id = order(1);
  const struct payment_check check = {id, BUS_STR("pi_2")};
  deliver(bench, &payment_check_type, &check);
  assert_true(payment_model_new(bench->inputs, bench->count, &sample_policy, bench->arena, &bench->model));
  keep_two_attempts(bench, &id);
  struct payment *last = attempt_in(bench, &id, 2);
  const struct bus_uuid key = last->order_id;
  *last = sample_payment(PAYMENT_PROCESSING);
  last->order_id = key;
  last->attempt_of = id;
  last->pay_attempt = 2;
  last->next_attempt_at = NOW + BUS_MINUTE;
  memcpy(last->psp_id, "pi_2", sizeof "pi_2");
  run(bench);
  const struct payment_action *action = effect_at(bench, 0)->action;
  assert_true(action->calls);
  assert_int_equal(action->call.pay_attempt, 2);
  assert_string_equal(action->call.read_id, "pi_2");
  bench_free(bench);
}

TEST(service_result_is_said_in_the_commands_trace_and_booked)
{
  struct bench *bench = bench_new();
  struct payment_result result = {.order_id = sample_order(), .kind = PAYMENT_ON_CAPTURED, .attempt = 1};
  memcpy(result.psp_id, "pi_1", sizeof "pi_1");
  push(bench, BUS_INPUT_COMPLETION, &result);
  assert_true(payment_model_new(bench->inputs, bench->count, &sample_policy, bench->arena, &bench->model));
  keep(bench, PAYMENT_PROCESSING);
  first(bench)->cause = (struct bus_cause){
      .trace = {.trace_id = {9}, .span_id = {1}, .flags = 1, .state = BUS_STR("a=1")}, .message_id = {{4}}};
  run(bench);
  const struct bus_effect *effect = effect_at(bench, 0);
  assert_ptr_equal(effect->type, &payment_captured_type);
  assert_int_equal(effect->envelope.trace.trace_id[0], 9);
  assert_string_equal(effect->envelope.trace.state.data, "a=1");
  assert_int_equal(effect->envelope.causation_id.bytes[0], 4); /* the command's message */
  assert_non_null(bench->model->bookings);
  assert_int_equal(bench->model->bookings->entry, PAYMENT_MONEY_TAKEN);
  assert_true(bus_str_is(bench->model->bookings->psp_id, "pi_1"));
  bench_free(bench);
}

TEST(service_due_payment_is_called_again)
{
  struct bench *bench = bench_new();
  const struct payment_due due = {.order_id = sample_order()};
  push(bench, BUS_INPUT_DEADLINE, &due);
  push(bench, BUS_INPUT_DEADLINE, &due); /* found twice */
  assert_true(payment_model_new(bench->inputs, bench->count, &sample_policy, bench->arena, &bench->model));
  keep(bench, PAYMENT_PROCESSING);
  first(bench)->next_attempt_at = NOW;
  run(bench);
  assert_int_equal(bench->effects.count, 1);
  const struct payment_action *action = effect_at(bench, 0)->action;
  assert_true(action->calls);
  assert_false(action->moved);
  assert_int_equal(action->call.attempt, 2);
  bench_free(bench);
}

TEST(service_decline_and_refund_answer_as_they_are)
{
  struct bench *bench = bench_new();
  const struct payment_refund refund = {.order_id = sample_order()};
  deliver(bench, &payment_refund_type, &refund);
  assert_true(payment_model_new(bench->inputs, bench->count, &sample_policy, bench->arena, &bench->model));
  keep(bench, PAYMENT_DECLINED);
  run(bench);
  assert_int_equal(bench->effects.count, 1); /* said again, counted no more */
  assert_ptr_equal(effect_at(bench, 0)->type, &payment_declined_type);
  assert_true(bus_str_is(effect_at(bench, 0)->body, "{\"order_id\":\"" SAMPLE_ORDER "\",\"reason\":\"because\"}"));
  assert_false(bus_set_is_changed(&bench->model->payments, first(bench)));
  bench_free(bench);
}

TEST(service_model_has_each_order_once_sorted)
{
  struct bench *bench = bench_new();
  const struct payment_charge charges[] = {a_charge(9, 1), a_charge(3, 1), a_charge(9, 1), a_charge(1, 1)};
  for (size_t i = 0; i < BUS_COUNT(charges); i++)
    deliver(bench, &payment_charge_type, &charges[i]);
  run(bench);
  assert_int_equal(bench->model->payments.count, 3);
  for (size_t i = 1; i < 3; i++)
    assert_true(bus_uuid_compare(&payment_at(bench, i - 1)->order_id, &payment_at(bench, i)->order_id) < 0);
  const struct bus_uuid other = order(77);
  assert_null(payment_model_find(bench->model, &other));
  assert_int_equal(bench->effects.count, 3); /* the repeated one waits for the first one's outcome */
  bench_free(bench);
}

TEST(service_parks_what_is_no_command)
{
  struct bench *bench = bench_new();
  const struct payment_ping ping = {.deep = false};
  deliver(bench, &payment_ping_type, &ping);
  run(bench);
  assert_int_equal(bench->effects.verdict, BUS_PARK);
  assert_int_equal(bench->model->payments.count, 0);
  bench_free(bench);
}

TEST(service_without_memory_fails_the_batch)
{
  struct bench *bench = bench_new();
  const struct payment_charge charge = a_charge(1, 1998);
  deliver(bench, &payment_charge_type, &charge);
  struct bus_arena *tiny = bus_arena_new(16);
  assert_false(payment_model_new(bench->inputs, bench->count, &sample_policy, tiny, &bench->model));
  assert_true(payment_model_new(bench->inputs, bench->count, &sample_policy, bench->arena, &bench->model));
  bus_effects_init(&bench->effects, tiny, &bench->ids, NOW, "payment-svc");
  bus_effects_begin(&bench->effects, &bench->inputs[0]);
  payment_service_decide(bench->model, &bench->inputs[0], &bench->effects);
  assert_true(bench->effects.failed);
  bus_arena_free(tiny);
  bench_free(bench);
}

TEST(service_dispute_is_recorded_and_alarmed)
{
  struct bench *bench = bench_new();
  const struct payment_dispute told = {.dispute_id = BUS_STR("dp_1"),
                                       .psp_id = BUS_STR("pi_1"),
                                       .amount = 1998,
                                       .currency = BUS_STR("EUR"),
                                       .reason = BUS_STR("fraudulent"),
                                       .status = BUS_STR("needs_response"),
                                       .at = NOW};
  deliver(bench, &payment_dispute_type, &told);
  run(bench);
  const struct payment_dispute_news *news = bench->model->disputes;
  assert_non_null(news);
  assert_null(news->next);
  assert_true(bus_uuid_equal(&news->event_id, &bench->envelopes[0].message_id));
  assert_true(bus_str_is(news->psp_id, "pi_1") && bus_str_is(news->status, "needs_response"));
  assert_int_equal(bench->effects.count, 1);
  const struct payment_action *action = effect_at(bench, 0)->action;
  assert_int_equal(action->alarm, PAYMENT_ALARM_DISPUTE);
  assert_ptr_equal(action->dispute, news);
  assert_false(action->calls || action->moved);
  bench_free(bench);
}

TEST(service_alarm_is_an_action)
{
  struct bench *bench = bench_new();
  struct payment_result result = {.order_id = sample_order(), .kind = PAYMENT_ON_SUSPECT, .attempt = 1};
  push(bench, BUS_INPUT_COMPLETION, &result);
  assert_true(payment_model_new(bench->inputs, bench->count, &sample_policy, bench->arena, &bench->model));
  keep(bench, PAYMENT_PROCESSING);
  run(bench);
  assert_int_equal(bench->effects.count, 1);
  const struct payment_action *action = effect_at(bench, 0)->action;
  assert_int_equal(action->alarm, PAYMENT_ALARM_SUSPECT);
  assert_int_equal(action->state, PAYMENT_UNKNOWN);
  assert_false(action->calls);
  bench_free(bench);
}
