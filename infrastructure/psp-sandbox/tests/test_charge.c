/* Parameters, tokens, and the shapes of responses. */
#include "charge.h"
#include "outcome.h"
#include "response.h"

#include <stdio.h>

#include "test.h"

static struct bus_arena *arena;

static struct psp_form form_of(const char *body) {
  struct psp_form form;
  const char *problem;
  if (arena == NULL)
    arena = bus_arena_new(1 << 20);
  assert_true(psp_form_parse(bus_str(body), arena, &form, &problem));
  return form;
}

#define GOOD "amount=1998&currency=eur&payment_method=pm_card_visa&confirm=true"

static struct psp_error charge_error(const char *body) {
  struct psp_form form = form_of(body);
  struct psp_charge charge;
  struct psp_error error = {0};
  assert_false(psp_charge_read(&form, &charge, &error));
  assert_int_equal(error.status, 400);
  assert_string_equal(error.type, "invalid_request_error");
  return error;
}

TEST(a_charge_is_read)
{
  struct psp_form form = form_of(GOOD "&metadata[order_id]=o-1&metadata[a]=b&description=x&off_session=true");
  struct psp_charge charge;
  struct psp_error error;
  assert_true(psp_charge_read(&form, &charge, &error));
  assert_int_equal(charge.amount, 1998);
  assert_true(bus_str_is(charge.currency, "eur"));
  assert_true(bus_str_is(charge.order_id, "o-1"));
  assert_string_equal(charge.method->token, "pm_card_visa");
}

TEST(amounts_that_are_no_positive_integers_are_refused)
{
  static const char *const amounts[] = {"0",  "-1", "%2B1", "1.5",           "1e3", "01x",
                                        "+1", "",   "1+",   "1000000000000", "0x10"};
  char body[128];
  for (size_t i = 0; i < BUS_COUNT(amounts); i++) {
    snprintf(body, sizeof body, "amount=%s&currency=eur&payment_method=pm_card_visa&confirm=true", amounts[i]);
    assert_string_equal(charge_error(body).param, "amount");
  }
}

TEST(missing_and_malformed_parameters_are_named)
{
  assert_string_equal(charge_error("currency=eur&payment_method=pm_card_visa&confirm=true").code, "parameter_missing");
  assert_string_equal(charge_error("amount=1&payment_method=pm_card_visa&confirm=true").param, "currency");
  assert_string_equal(charge_error("amount=1&currency=EUR&payment_method=pm_card_visa&confirm=true").param, "currency");
  assert_string_equal(charge_error("amount=1&currency=euro&payment_method=pm_card_visa&confirm=true").param,
                      "currency");
  assert_string_equal(charge_error("amount=1&currency=eur&confirm=true").param, "payment_method");
  assert_string_equal(charge_error("amount=1&currency=eur&payment_method=pm_card_visa").param, "confirm");
  assert_string_equal(charge_error("amount=1&currency=eur&payment_method=pm_card_visa&confirm=false").param, "confirm");
  assert_string_equal(charge_error(GOOD "&amonut=2").code, "parameter_unknown");
}

static const char *amount_error(const char *currency, int amount) {
  char body[128];
  snprintf(body, sizeof body, "amount=%d&currency=%s&payment_method=pm_card_visa&confirm=true", amount, currency);
  struct psp_form form = form_of(body);
  struct psp_charge charge;
  struct psp_error error = {0};
  return psp_charge_read(&form, &charge, &error) ? "" : error.code ? error.code : error.param;
}

TEST(an_amount_is_one_that_stripe_takes_in_its_currency)
{
  assert_string_equal(amount_error("eur", 1), "");
  assert_string_equal(amount_error("jpy", 1), "");
  assert_string_equal(amount_error("kwd", 5120), "");
  assert_string_equal(amount_error("kwd", 5124), "invalid_charge_amount");
  assert_string_equal(amount_error("isk", 500), "");
  assert_string_equal(amount_error("isk", 510), "invalid_charge_amount_no_decimal_compatible");
  assert_string_equal(amount_error("xxx", 500), "currency");
}

TEST(an_unknown_token_is_no_payment_method)
{
  struct psp_error error = charge_error("amount=1&currency=eur&payment_method=pm_nothing&confirm=true");
  assert_string_equal(error.message, "No such PaymentMethod");
  assert_string_equal(error.param, "payment_method");
  assert_null(psp_method_find(BUS_STR("PM_CARD_VISA")));
  assert_null(psp_method_find(BUS_STR("")));
}

static struct psp_plan plan(const char *token, int attempt) {
  const struct psp_method *method = psp_method_find(bus_str(token));
  assert_non_null(method);
  return psp_plan_of(method, attempt);
}

TEST(tokens_behave)
{
  assert_int_equal(plan("pm_card_visa", 0).step, PSP_CAPTURE);
  assert_int_equal(plan("pm_card_visa_chargeDeclined", 0).step, PSP_DECLINE);
  assert_int_equal(plan("pm_sandbox_timeout", 0).step, PSP_CAPTURE);
  assert_true(plan("pm_sandbox_timeout", 0).is_late);
  assert_true(plan("pm_card_createDispute", 0).is_disputed);
  assert_int_equal(plan("pm_sandbox_timeout_declined", 0).step, PSP_DECLINE);
  assert_true(plan("pm_sandbox_timeout_declined", 0).is_late);
  assert_int_equal(plan("pm_sandbox_error_once", 0).step, PSP_ANSWER_500);
  assert_int_equal(plan("pm_sandbox_error_once", 1).step, PSP_CAPTURE);
  assert_int_equal(plan("pm_sandbox_429_once", 0).step, PSP_ANSWER_429);
  assert_int_equal(plan("pm_sandbox_429_once", 1).step, PSP_CAPTURE);
  assert_int_equal(plan("pm_sandbox_error", 0).step, PSP_ANSWER_500);
  assert_int_equal(plan("pm_sandbox_error", 9).step, PSP_ANSWER_500);
  assert_int_equal(plan("pm_sandbox_hang", 0).step, PSP_HANG);
}

TEST(every_token_that_declines_says_why)
{
  for (size_t i = 0; i < psp_method_count; i++) {
    const struct psp_course *course = psp_methods[i].course;
    bool declines = psp_plan_of(&psp_methods[i], 0).step == PSP_DECLINE || (course && course->becomes == PSP_DECLINED);
    const struct psp_error *decline = psp_methods[i].decline;
    assert_true(declines == (decline != NULL));
    if (decline)
      assert_int_equal(decline->status, 402);
  }
  assert_string_equal(psp_method_find(BUS_STR("pm_card_chargeDeclinedInsufficientFunds"))->decline->decline_code,
                      "insufficient_funds");
  assert_string_equal(psp_method_find(BUS_STR("pm_card_chargeDeclinedExpiredCard"))->decline->code, "expired_card");
}

TEST(a_refund_is_read)
{
  struct psp_form form = form_of("payment_intent=pi_1&amount=5&reason=requested_by_customer&metadata[order_id]=o");
  struct psp_refund refund;
  struct psp_error error;
  assert_true(psp_refund_read(&form, &refund, &error));
  assert_true(bus_str_is(refund.payment_intent, "pi_1"));
  assert_int_equal(refund.amount, 5);
  form = form_of("payment_intent=pi_1");
  assert_true(psp_refund_read(&form, &refund, &error));
  assert_true(refund.amount == BUS_NO_INT64);
  form = form_of("amount=5");
  assert_false(psp_refund_read(&form, &refund, &error));
  assert_string_equal(error.param, "payment_intent");
  form = form_of("payment_intent=pi_1&amount=0");
  assert_false(psp_refund_read(&form, &refund, &error));
  assert_string_equal(error.param, "amount");
}

static const struct psp_identity identity = {{"pi_7", 4}, {"ch_7", 4}, INT64_C(1700000000) * BUS_SECOND};

TEST(an_intent_is_answered_in_its_shape)
{
  struct psp_form form = form_of(GOOD "&metadata[order_id]=o-1&metadata[quote]=%22%5C");
  struct psp_charge charge;
  struct psp_error error;
  assert_true(psp_charge_read(&form, &charge, &error));
  assert_string_equal(psp_response_intent(arena, &identity, &charge, &form, "succeeded").data,
                      "{\"id\":\"pi_7\",\"object\":\"payment_intent\",\"amount\":1998,\"amount_received\":1998,"
                      "\"created\":1700000000,\"currency\":\"eur\",\"last_payment_error\":null,"
                      "\"latest_charge\":\"ch_7\",\"livemode\":false,\"metadata\":{\"order_id\":\"o-1\","
                      "\"quote\":\"\\\"\\\\\"},\"payment_method\":\"pm_card_visa\",\"status\":\"succeeded\"}");
}

TEST(a_decline_is_a_card_error_with_its_intent)
{
  struct psp_form form = form_of("amount=5&currency=eur&confirm=true&payment_method=pm_card_visa_chargeDeclined"
                                 "&metadata[payment_intent]=%22payment_intent%22:");
  struct psp_charge charge;
  struct psp_error error;
  assert_true(psp_charge_read(&form, &charge, &error));
  struct bus_str answer = psp_response_decline(arena, &identity, &charge, &form);
  assert_non_null(answer.data);
  assert_int_equal(strncmp(answer.data,
                           "{\"error\":{\"type\":\"card_error\",\"code\":\"card_declined\","
                           "\"decline_code\":\"generic_decline\",\"message\":\"Your card was declined.\","
                           "\"charge\":\"ch_7\",\"payment_intent\":{\"id\":\"pi_7\",",
                           150),
                   0);
  struct bus_str intent = psp_response_failed_intent(answer);
  assert_int_equal(strncmp(intent.data, "{\"id\":\"pi_7\"", 12), 0);
  assert_int_equal(strncmp(intent.data + intent.len - 2, "\"}", 2), 0);
  assert_non_null(memmem(intent.data, intent.len, "\"status\":\"requires_payment_method\"", 34));
  assert_null(psp_response_failed_intent(BUS_STR("{}")).data);
}

TEST(errors_leave_out_what_they_have_not)
{
  const struct psp_error error = {.status = 401, .type = "invalid_request_error", .message = "Invalid API Key."};
  form_of("");
  assert_string_equal(psp_response_error(arena, &error).data,
                      "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Invalid API Key.\"}}");
}

TEST(a_refund_is_answered_in_its_shape)
{
  struct psp_form form = form_of("payment_intent=pi_7");
  struct psp_refund refund;
  struct psp_error error;
  assert_true(psp_refund_read(&form, &refund, &error));
  const struct psp_identity own = {BUS_STR("re_1"), BUS_STR("ch_7"), INT64_C(1700000000) * BUS_SECOND};
  assert_string_equal(psp_response_refund(arena, &own, &refund, 12, BUS_STR("eur"), &form, "succeeded").data,
                      "{\"id\":\"re_1\",\"object\":\"refund\",\"amount\":12,\"charge\":\"ch_7\","
                      "\"created\":1700000000,\"currency\":\"eur\",\"metadata\":{},\"payment_intent\":\"pi_7\","
                      "\"reason\":null,\"status\":\"succeeded\"}");
}

/* ---- statuses that are not final ---- */

static struct psp_entry outcome_of(const char *token) {
  static const struct psp_identity own = {{"pi_7", 4}, {"ch_7", 4}, INT64_C(1700000000) * BUS_SECOND};
  struct psp_charge charge;
  struct psp_error error;
  struct psp_entry entry;
  struct psp_form form = form_of("amount=1998&currency=eur&confirm=true&payment_method=pm_card_visa");
  assert_true(psp_charge_read(&form, &charge, &error));
  charge.method = psp_method_find(bus_str(token));
  assert_non_null(charge.method);
  assert_true(
      psp_outcome_of_charge(arena, &own, &charge, &form, psp_plan_of(charge.method, 0).step, 5 * BUS_SECOND, &entry));
  return entry;
}

static void assert_status(struct bus_str answer, const char *status) {
  char text[64];
  int len = snprintf(text, sizeof text, "\"status\":\"%s\"", status);
  assert_non_null(memmem(answer.data, answer.len, text, (size_t)len));
}

TEST(every_token_of_an_intent_that_takes_time_has_its_course)
{
  for (size_t i = 0; i < psp_method_count; i++) {
    const struct psp_course *course = psp_methods[i].course;
    assert_true((psp_plan_of(&psp_methods[i], 0).step == PSP_PEND) == (course != NULL));
    if (!course)
      continue;
    struct psp_entry entry = outcome_of(psp_methods[i].token);
    assert_status(entry.answer, course->status);
    assert_int_equal(entry.status, 200);
    assert_int_equal(entry.type, course->at_once ? course->becomes : PSP_PENDING);
    assert_true((entry.then != NULL) == (!course->at_once && course->becomes != PSP_STAYS));
    if (entry.then)
      assert_int_equal(entry.then->at, INT64_C(1700000005) * BUS_SECOND);
  }
}

TEST(an_intent_that_takes_time_is_answered_as_it_is_and_as_it_will_be)
{
  struct psp_entry entry = outcome_of("pm_sandbox_processing");
  assert_non_null(strstr(entry.answer.data, "\"amount_received\":0"));
  assert_status(entry.then->answer, "succeeded");
  assert_non_null(strstr(entry.then->answer.data, "\"amount_received\":1998"));
  entry = outcome_of("pm_sandbox_processing_declined");
  assert_status(entry.then->answer, "requires_payment_method");
  assert_non_null(strstr(entry.then->answer.data, "\"last_payment_error\":{\"type\":\"card_error\""));
  entry = outcome_of("pm_sandbox_requires_capture_canceled");
  assert_status(entry.then->answer, "canceled");
}

TEST(each_status_that_is_not_final_has_a_token)
{
  static const char *const statuses[] = {"requires_payment_method", "requires_confirmation",
                                         "requires_action",         "processing",
                                         "requires_capture",        "canceled"};
  static const char *const refunds[] = {"pending", "requires_action", "failed"};
  for (size_t s = 0; s < BUS_COUNT(statuses); s++) {
    bool found = false;
    for (size_t i = 0; i < psp_method_count; i++)
      found = found || (psp_methods[i].course && strcmp(psp_methods[i].course->status, statuses[s]) == 0);
    assert_true(found);
  }
  for (size_t s = 0; s < BUS_COUNT(refunds); s++) {
    bool found = false;
    for (size_t i = 0; i < psp_method_count; i++)
      found = found || (psp_methods[i].refund && strcmp(psp_methods[i].refund->status, refunds[s]) == 0);
    assert_true(found);
  }
}
