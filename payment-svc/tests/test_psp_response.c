/* Tests the PSP's responses: the documentation's examples, every status, and malformed responses. */
#include "sample.h"

#include <psp_response.h>
#include <stdio.h>
#include <stdlib.h>
#include <test.h>

struct reading {
  struct payment_result result;
  bool works;
};

static struct payment_call charge_call(void) {
  struct payment payment = sample_payment(PAYMENT_NONE);
  return decide_kind(&payment, PAYMENT_ON_CHARGE, NOW).call;
}

static struct payment_call refund_call(void) {
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  return decide_kind(&payment, PAYMENT_ON_REFUND, NOW).call;
}

static struct reading read_answer(const struct payment_call *call, const struct bus_http_result *answer) {
  struct reading reading;
  struct bus_arena *arena = bus_arena_new((size_t)4 << 20);
  reading.works = psp_response_read(call, answer, arena, &reading.result);
  bus_arena_free(arena);
  return reading;
}

static struct reading read_body(struct payment_call call, int status, const char *body) {
  const struct bus_http_result answer = {
      .outcome = BUS_HTTP_ANSWERED, .status = status, .body = bus_str(body), .retry_after_s = -1};
  return read_answer(&call, &answer);
}

#define INTENT(amount, received, currency, order, status)                                                              \
  "{\"id\":\"pi_3\",\"object\":\"payment_intent\",\"amount\":" amount ",\"amount_capturable\":0,"                      \
  "\"amount_details\":{\"tip\":{}},\"amount_received\":" received ",\"application\":null,\"currency\":\"" currency     \
  "\",\"livemode\":false,\"metadata\":{\"order_id\":\"" order                                                          \
  "\"},\"payment_method_types\":[\"card\"],\"status\":\"" status "\"}"
#define GOOD_INTENT INTENT("1998", "1998", "eur", SAMPLE_ORDER, "succeeded")
#define REFUND(amount, currency, intent, status)                                                                       \
  "{\n  \"id\": \"re_9\",\n  \"object\": \"refund\",\n  \"amount\": " amount ",\n  \"balance_transaction\": null,\n"   \
  "  \"charge\": \"ch_1\",\n  \"currency\": \"" currency "\",\n  \"payment_intent\": \"" intent "\",\n"                \
  "  \"reason\": null,\n  \"status\": \"" status "\"\n}\n"

TEST(answer_captured)
{
  struct reading reading = read_body(charge_call(), 200, GOOD_INTENT);
  assert_int_equal(reading.result.kind, PAYMENT_ON_CAPTURED);
  assert_string_equal(reading.result.psp_id, "pi_3");
  assert_int_equal(reading.result.attempt, 1);
  assert_true(reading.works);
  assert_int_equal(read_body(charge_call(), 201, GOOD_INTENT).result.kind, PAYMENT_ON_CAPTURED);
}

/* As the documentation prints it, with everything that we ignore. */
TEST(answer_of_the_documentation_is_read)
{
  static const char body[] =
      "{\n  \"id\": \"pi_3MtwBwLkdIwHu7ix28a3tqPa\",\n  \"object\": \"payment_intent\",\n  \"amount\": 1998,\n"
      "  \"amount_capturable\": 0,\n  \"amount_details\": {\n    \"tip\": {}\n  },\n  \"amount_received\": 1998,\n"
      "  \"application\": null,\n  \"application_fee_amount\": null,\n  \"automatic_payment_methods\": {\n"
      "    \"enabled\": true\n  },\n  \"canceled_at\": null,\n  \"cancellation_reason\": null,\n"
      "  \"capture_method\": \"automatic\",\n  \"client_secret\": \"pi_3Mtw_secret_YrKJUKribcBjcG8HVhfZluoGH\",\n"
      "  \"confirmation_method\": \"automatic\",\n  \"created\": 1680800504,\n  \"currency\": \"eur\",\n"
      "  \"customer\": null,\n  \"description\": null,\n  \"invoice\": null,\n  \"last_payment_error\": null,\n"
      "  \"latest_charge\": \"ch_3MtwBwLkdIwHu7ix\",\n  \"livemode\": false,\n  \"metadata\": {},\n"
      "  \"next_action\": null,\n  \"payment_method\": \"pm_1\",\n  \"payment_method_options\": {\n    \"card\": {\n"
      "      \"installments\": null,\n      \"mandate_options\": null,\n      \"network\": null,\n"
      "      \"request_three_d_secure\": \"automatic\"\n    }\n  },\n  \"payment_method_types\": [\n    \"card\"\n"
      "  ],\n  \"shipping\": null,\n  \"status\": \"succeeded\",\n  \"transfer_data\": null\n}";
  struct reading reading = read_body(charge_call(), 200, body);
  assert_int_equal(reading.result.kind, PAYMENT_ON_CAPTURED);
  assert_string_equal(reading.result.psp_id, "pi_3MtwBwLkdIwHu7ix28a3tqPa");
}

TEST(answer_that_is_not_what_was_asked_for_is_suspect)
{
  static const char *const bodies[] = {
      INTENT("1997", "1997", "eur", SAMPLE_ORDER, "succeeded"),
      INTENT("1998", "1997", "eur", SAMPLE_ORDER, "succeeded"),
      INTENT("1998", "1998", "usd", SAMPLE_ORDER, "succeeded"),
      INTENT("1998", "1998", "EUR", SAMPLE_ORDER, "succeeded"),
      INTENT("1998", "1998", "eur", "00000000-0000-4000-8000-000000000000", "succeeded"),
      INTENT("5", "0", "eur", SAMPLE_ORDER, "canceled"),
  };
  for (size_t i = 0; i < BUS_COUNT(bodies); i++) {
    struct reading reading = read_body(charge_call(), 200, bodies[i]);
    assert_int_equal(reading.result.kind, PAYMENT_ON_SUSPECT);
    assert_string_equal(reading.result.psp_id, "pi_3");
  }
}

TEST(answer_without_success_in_its_status)
{
  static const struct {
    const char *body;
    enum payment_input_kind kind;
    const char *reason;
  } cases[] = {
      {INTENT("1998", "0", "eur", SAMPLE_ORDER, "requires_payment_method"), PAYMENT_ON_REFUSED,
       "requires_payment_method"},
      {INTENT("1998", "0", "eur", SAMPLE_ORDER, "canceled"), PAYMENT_ON_REFUSED, "canceled"},
      {INTENT("1998", "0", "eur", SAMPLE_ORDER, "processing"), PAYMENT_ON_PENDING, "processing"},
      {INTENT("1998", "0", "eur", SAMPLE_ORDER, "requires_action"), PAYMENT_ON_PENDING, "requires_action"},
      {INTENT("1998", "0", "eur", SAMPLE_ORDER, "requires_confirmation"), PAYMENT_ON_PENDING, "requires_confirmation"},
      {INTENT("1998", "0", "eur", SAMPLE_ORDER, "requires_capture"), PAYMENT_ON_PENDING, "requires_capture"},
      {INTENT("1998", "0", "eur", SAMPLE_ORDER, "something_new"), PAYMENT_ON_PENDING, "something_new"},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct reading reading = read_body(charge_call(), 200, cases[i].body);
    assert_int_equal(reading.result.kind, cases[i].kind);
    assert_string_equal(reading.result.reason, cases[i].reason);
  }
}

#define ERROR_BODY(type, more) "{\"error\":{\"type\":\"" type "\"" more ",\"message\":\"Your card: 4242…\"}}"

TEST(answer_declined_with_the_most_exact_code)
{
  static const struct {
    const char *body, *reason;
  } cases[] = {
      {ERROR_BODY("card_error", ",\"code\":\"card_declined\",\"decline_code\":\"insufficient_funds\""),
       "insufficient_funds"},
      {ERROR_BODY("card_error", ",\"code\":\"expired_card\""), "expired_card"},
      {ERROR_BODY("card_error", ",\"code\":null,\"decline_code\":null"), "card_declined"},
      {ERROR_BODY("invalid_request_error", ""), "card_declined"},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct reading reading = read_body(charge_call(), 402, cases[i].body);
    assert_int_equal(reading.result.kind, PAYMENT_ON_DECLINED);
    assert_string_equal(reading.result.reason, cases[i].reason);
    assert_true(reading.works);
  }
}

TEST(answer_declined_with_the_whole_payment_intent)
{
  struct reading reading = read_body(
      charge_call(), 402,
      "{\"error\":{\"charge\":\"ch_1\",\"code\":\"card_declined\",\"decline_code\":\"generic_decline\","
      "\"doc_url\":\"https://x\",\"message\":\"Your card was declined.\",\"payment_intent\":{\"id\":\"pi_4\","
      "\"amount\":1998,\"last_payment_error\":{\"payment_method\":{\"card\":{\"checks\":{\"cvc_check\":\"pass\"},"
      "\"networks\":{\"available\":[\"visa\"]}}}}},\"type\":\"card_error\"}}");
  assert_int_equal(reading.result.kind, PAYMENT_ON_DECLINED);
  assert_string_equal(reading.result.reason, "generic_decline");
}

TEST(answer_refused_means_no_money_moved)
{
  struct reading reading = read_body(
      charge_call(), 400, ERROR_BODY("invalid_request_error", ",\"code\":\"resource_missing\",\"param\":\"x\""));
  assert_int_equal(reading.result.kind, PAYMENT_ON_REFUSED);
  assert_string_equal(reading.result.reason, "resource_missing");
  reading = read_body(charge_call(), 400, ERROR_BODY("invalid_request_error", ""));
  assert_string_equal(reading.result.reason, "invalid_request_error");
  reading = read_body(charge_call(), 400, ERROR_BODY("card_error", ",\"code\":\"incorrect_number\""));
  assert_int_equal(reading.result.kind, PAYMENT_ON_DECLINED);
  reading = read_body(charge_call(), 404, ERROR_BODY("invalid_request_error", ",\"code\":\"resource_missing\""));
  assert_int_equal(reading.result.kind, PAYMENT_ON_REFUSED);
}

/* "Unrecognized request URL" is a fault of our configuration, and says nothing about an earlier attempt. */
TEST(answer_not_found_without_a_code_is_unsure)
{
  struct reading reading = read_body(charge_call(), 404, ERROR_BODY("invalid_request_error", ""));
  assert_int_equal(reading.result.kind, PAYMENT_ON_UNSURE);
}

TEST(answer_key_used_for_something_else_is_suspect)
{
  struct reading reading = read_body(charge_call(), 400, ERROR_BODY("idempotency_error", ""));
  assert_int_equal(reading.result.kind, PAYMENT_ON_SUSPECT);
  assert_string_equal(reading.result.reason, "idempotency_error");
}

TEST(answer_api_error_is_unsure)
{ assert_int_equal(read_body(charge_call(), 400, ERROR_BODY("api_error", "")).result.kind, PAYMENT_ON_UNSURE); }

TEST(answer_statuses_that_say_nothing_are_unsure)
{
  static const struct {
    int status;
    bool works;
  } cases[] = {{401, true},  {403, true},  {408, true},  {409, true},  {425, true},  {429, true},  {500, false},
               {502, false}, {503, false}, {504, false}, {599, false}, {301, false}, {304, false}, {100, false}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    /* Whatever the body says. */
    struct reading reading = read_body(charge_call(), cases[i].status, GOOD_INTENT);
    assert_int_equal(reading.result.kind, PAYMENT_ON_UNSURE);
    assert_int_equal(reading.works, cases[i].works);
    reading = read_body(refund_call(), cases[i].status, ERROR_BODY("card_error", ""));
    assert_int_equal(reading.result.kind, PAYMENT_ON_UNSURE);
  }
}

TEST(answer_retry_after)
{
  struct payment_call call = charge_call();
  struct bus_http_result answer = {
      .outcome = BUS_HTTP_ANSWERED, .status = 429, .body = BUS_STR(""), .retry_after_s = 17};
  assert_int_equal(read_answer(&call, &answer).result.wait, 17 * BUS_SECOND);
  answer.retry_after_s = INT64_MAX;
  assert_int_equal(read_answer(&call, &answer).result.wait, 24 * BUS_HOUR);
  answer.retry_after_s = -1;
  assert_int_equal(read_answer(&call, &answer).result.wait, 0);
}

TEST(answer_none)
{
  struct payment_call call = charge_call();
  struct bus_http_result answer = {.outcome = BUS_HTTP_UNKNOWN, .error = "timed out", .retry_after_s = -1};
  struct reading reading = read_answer(&call, &answer);
  assert_int_equal(reading.result.kind, PAYMENT_ON_UNSURE);
  assert_string_equal(reading.result.reason, "no_answer");
  assert_false(reading.works);
  answer.outcome = BUS_HTTP_NOT_SENT;
  reading = read_answer(&call, &answer);
  assert_int_equal(reading.result.kind, PAYMENT_ON_UNSURE); /* an earlier attempt may have arrived */
  assert_string_equal(reading.result.reason, "not_sent");
}

/* ---- what cannot be read ---- */

TEST(answer_malformed_is_never_definite)
{
  static const char *const bodies[] = {
      "",
      " ",
      "null",
      "[]",
      "{}",
      "true",
      "OK",
      "<html><body>502 Bad Gateway</body></html>",
      "{\"id\":\"pi_3\",\"amount\":1998,\"currency\":\"eur\",\"status\":\"succeeded\"",
      GOOD_INTENT "x",
      GOOD_INTENT GOOD_INTENT,
      "{\"id\":\"pi_3\",\"id\":\"pi_4\",\"amount\":1998,\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"id\":\"\",\"amount\":1998,\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"id\":7,\"amount\":1998,\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"amount\":1998,\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"id\":\"pi_3\",\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"id\":\"pi_3\",\"amount\":\"1998\",\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"id\":\"pi_3\",\"amount\":1998.0,\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"id\":\"pi_3\",\"amount\":1.998e3,\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"id\":\"pi_3\",\"amount\":-1998,\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"id\":\"pi_3\",\"amount\":99999999999999999999,\"currency\":\"eur\",\"status\":\"succeeded\"}",
      "{\"id\":\"pi_3\",\"amount\":1998,\"currency\":\"euro\",\"status\":\"succeeded\"}",
      "{\"id\":\"pi_3\",\"amount\":1998,\"currency\":\"eur\"}",
      "{\"id\":\"pi_3\",\"amount\":1998,\"currency\":\"eur\",\"status\":null}",
      "{\"id\":\"pi_3\",\"amount\":1998,\"currency\":\"eur\",\"status\":\"succee\\u0000ded\"}",
      "{\"id\":\"pi_3\",\"amount\":1998,\"currency\":\"eur\",\"status\":\"succeeded\",\"x\":\"\xff\"}",
      "{\"ID\":\"pi_3\",\"Amount\":1998,\"CURRENCY\":\"eur\",\"Status\":\"succeeded\"}",
      "{\"error\":null}",
      "{\"error\":\"card_error\"}",
      "{\"error\":{}}",
      "{\"error\":{\"type\":\"\"}}",
      "{\"error\":{\"type\":\"card error\"}}",
      "{\"error\":{\"type\":\"card_error\",\"code\":17}}",
      "{\"error\":[{\"type\":\"card_error\"}]}",
  };
  static const int statuses[] = {200, 201, 400, 402, 404, 422};
  for (size_t i = 0; i < BUS_COUNT(bodies); i++)
    for (size_t j = 0; j < BUS_COUNT(statuses); j++) {
      struct reading charge = read_body(charge_call(), statuses[j], bodies[i]);
      struct reading refund = read_body(refund_call(), statuses[j], bodies[i]);
      if (charge.result.kind != PAYMENT_ON_UNSURE || refund.result.kind != PAYMENT_ON_UNSURE || charge.works)
        fail_msg("status %d was believed: %s", statuses[j], bodies[i]);
      assert_string_equal(charge.result.reason, "unreadable");
    }
}

/* A success that stands in an error's place, or the other way round, is no answer. */
TEST(answer_of_the_wrong_kind_is_unsure)
{
  assert_int_equal(read_body(charge_call(), 402, GOOD_INTENT).result.kind, PAYMENT_ON_UNSURE);
  assert_int_equal(read_body(charge_call(), 200, ERROR_BODY("card_error", "")).result.kind, PAYMENT_ON_UNSURE);
  assert_int_equal(read_body(refund_call(), 200, GOOD_INTENT).result.kind, PAYMENT_ON_UNSURE);
}

TEST(answer_cut_at_any_byte_is_unsure)
{
  static const char body[] = GOOD_INTENT;
  for (size_t len = 0; len + 1 < sizeof body; len++) {
    struct payment_call call = charge_call();
    char *cut = malloc(len + 1); /* so that a read beyond it is seen */
    memcpy(cut, body, len);
    const struct bus_http_result answer = {
        .outcome = BUS_HTTP_ANSWERED, .status = 200, .body = {cut, len}, .retry_after_s = -1};
    assert_int_equal(read_answer(&call, &answer).result.kind, PAYMENT_ON_UNSURE);
    free(cut);
  }
}

TEST(answer_with_one_byte_changed_never_captures_another_amount)
{
  static const char body[] = GOOD_INTENT;
  struct payment_call call = charge_call();
  char changed[sizeof body];
  for (size_t at = 0; at + 1 < sizeof body; at++)
    for (int byte = 1; byte < 256; byte += 3) {
      memcpy(changed, body, sizeof body);
      changed[at] = (char)byte;
      enum payment_input_kind kind = read_body(call, 200, changed).result.kind;
      bool in_amount = at >= (size_t)(strstr(body, "\"amount\":1998") - body) + 9 &&
                       at < (size_t)(strstr(body, "\"amount\":1998") - body) + 13;
      if (in_amount && changed[at] != body[at])
        assert_int_not_equal(kind, PAYMENT_ON_CAPTURED);
    }
}

TEST(answer_without_memory_is_unsure)
{
  struct payment_call call = charge_call();
  struct bus_arena *arena = bus_arena_new(16);
  struct payment_result result;
  const struct bus_http_result answer = {
      .outcome = BUS_HTTP_ANSWERED, .status = 200, .body = BUS_STR(GOOD_INTENT), .retry_after_s = -1};
  assert_false(psp_response_read(&call, &answer, arena, &result));
  assert_int_equal(result.kind, PAYMENT_ON_UNSURE);
  bus_arena_free(arena);
}

/* ---- refunds ---- */

TEST(answer_refunded)
{
  struct reading reading = read_body(refund_call(), 200, REFUND("1998", "eur", "pi_1", "succeeded"));
  assert_int_equal(reading.result.kind, PAYMENT_ON_REFUNDED);
  assert_string_equal(reading.result.psp_id, "re_9");
  assert_int_equal(reading.result.refund, 1);
}

TEST(answer_refund_of_something_else_is_suspect)
{
  static const char *const bodies[] = {REFUND("1997", "eur", "pi_1", "succeeded"),
                                       REFUND("1998", "usd", "pi_1", "succeeded"),
                                       REFUND("1998", "eur", "pi_2", "succeeded")};
  for (size_t i = 0; i < BUS_COUNT(bodies); i++)
    assert_int_equal(read_body(refund_call(), 200, bodies[i]).result.kind, PAYMENT_ON_SUSPECT);
}

TEST(answer_refund_by_its_status)
{
  assert_int_equal(read_body(refund_call(), 200, REFUND("1998", "eur", "pi_1", "pending")).result.kind,
                   PAYMENT_ON_PENDING);
  assert_int_equal(read_body(refund_call(), 200, REFUND("1998", "eur", "pi_1", "failed")).result.kind,
                   PAYMENT_ON_NOT_REFUNDED);
  assert_int_equal(read_body(refund_call(), 200, REFUND("1998", "eur", "pi_1", "canceled")).result.kind,
                   PAYMENT_ON_NOT_REFUNDED);
}

TEST(answer_refund_refused)
{
  struct reading reading =
      read_body(refund_call(), 400, ERROR_BODY("invalid_request_error", ",\"code\":\"charge_disputed\""));
  assert_int_equal(reading.result.kind, PAYMENT_ON_NOT_REFUNDED);
  assert_string_equal(reading.result.reason, "charge_disputed");
}

TEST(answer_already_refunded_is_refunded)
{
  struct reading reading =
      read_body(refund_call(), 400, ERROR_BODY("invalid_request_error", ",\"code\":\"charge_already_refunded\""));
  assert_int_equal(reading.result.kind, PAYMENT_ON_REFUNDED);
  assert_string_equal(reading.result.psp_id, "charge_already_refunded"); /* for the ledger */
  reading = read_body(charge_call(), 400, ERROR_BODY("invalid_request_error", ",\"code\":\"charge_already_refunded\""));
  assert_int_equal(reading.result.kind, PAYMENT_ON_REFUSED);
}

TEST(answer_not_started)
{
  struct payment_call call = refund_call();
  struct payment_result result;
  psp_response_not_started(&call, 5, "breaker_open", &result);
  assert_int_equal(result.kind, PAYMENT_ON_NOT_STARTED);
  assert_int_equal(result.call, PAYMENT_CALL_REFUND);
  assert_int_equal(result.wait, 5);
  assert_string_equal(result.reason, "breaker_open");
}

/* ---- reading back ---- */

static struct payment_call reading_of(struct payment_call call, const char *id) {
  strncpy(call.read_id, id, sizeof call.read_id - 1);
  return call;
}

TEST(answer_pending_has_the_id_that_is_read_back)
{
  struct reading reading = read_body(charge_call(), 200, INTENT("1998", "0", "eur", SAMPLE_ORDER, "processing"));
  assert_int_equal(reading.result.kind, PAYMENT_ON_PENDING);
  assert_string_equal(reading.result.psp_id, "pi_3");
  assert_true(reading.works);
  reading = read_body(refund_call(), 200, REFUND("1998", "eur", "pi_1", "pending"));
  assert_int_equal(reading.result.kind, PAYMENT_ON_PENDING);
  assert_string_equal(reading.result.psp_id, "re_9");
  reading = read_body(refund_call(), 200, REFUND("1998", "eur", "pi_1", "requires_action"));
  assert_int_equal(reading.result.kind, PAYMENT_ON_PENDING);
}

TEST(answer_pending_with_an_id_that_is_no_path_segment_is_not_read_back)
{
  static const char *const ids[] = {"..", ".", "a/b", "a%2Fb", "a?b", "a#b", "a:b"};
  for (size_t i = 0; i < BUS_COUNT(ids); i++) {
    char body[200];
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"amount\":1998,\"currency\":\"eur\",\"status\":\"processing\"}",
                   ids[i]);
    assert_int_equal(read_body(charge_call(), 200, body).result.kind, PAYMENT_ON_UNSURE);
  }
}

TEST(answer_of_a_read_is_read_as_one_of_a_post)
{
  struct payment_call charge = reading_of(charge_call(), "pi_3"), refund = reading_of(refund_call(), "re_9");
  assert_int_equal(read_body(charge, 200, GOOD_INTENT).result.kind, PAYMENT_ON_CAPTURED);
  assert_int_equal(read_body(refund, 200, REFUND("1998", "eur", "pi_1", "succeeded")).result.kind, PAYMENT_ON_REFUNDED);
  assert_int_equal(read_body(refund, 200, REFUND("1998", "eur", "pi_1", "failed")).result.kind,
                   PAYMENT_ON_NOT_REFUNDED);
  assert_int_equal(read_body(refund, 200, REFUND("1998", "eur", "pi_1", "canceled")).result.kind,
                   PAYMENT_ON_NOT_REFUNDED);
}

TEST(answer_of_a_read_that_is_another_object_is_suspect)
{
  assert_int_equal(read_body(reading_of(charge_call(), "pi_4"), 200, GOOD_INTENT).result.kind, PAYMENT_ON_SUSPECT);
  assert_int_equal(
      read_body(reading_of(refund_call(), "re_8"), 200, REFUND("1998", "eur", "pi_1", "succeeded")).result.kind,
      PAYMENT_ON_SUSPECT);
}

TEST(answer_of_an_intent_that_was_declined_later_has_the_cards_reason)
{
  static const char body[] = "{\"id\":\"pi_3\",\"amount\":1998,\"amount_received\":0,\"currency\":\"eur\",\"status\":"
                             "\"requires_payment_method\","
                             "\"last_payment_error\":{\"type\":\"card_error\",\"code\":\"card_declined\","
                             "\"decline_code\":\"insufficient_funds\",\"message\":\"…\"}}";
  struct reading reading = read_body(reading_of(charge_call(), "pi_3"), 200, body);
  assert_int_equal(reading.result.kind, PAYMENT_ON_DECLINED);
  assert_string_equal(reading.result.reason, "insufficient_funds");
}

/* Else one wrong answer to a reading would say that no money moved. */
TEST(answer_refusing_a_read_says_nothing_about_the_object)
{
  static const int statuses[] = {400, 402, 404};
  for (size_t i = 0; i < BUS_COUNT(statuses); i++) {
    struct reading reading = read_body(reading_of(charge_call(), "pi_3"), statuses[i],
                                       ERROR_BODY("invalid_request_error", ",\"code\":\"resource_missing\""));
    assert_int_equal(reading.result.kind, PAYMENT_ON_UNSURE);
    assert_string_equal(reading.result.reason, "resource_missing");
    assert_true(reading.works);
    reading = read_body(reading_of(refund_call(), "re_9"), statuses[i],
                        ERROR_BODY("invalid_request_error", ",\"code\":\"charge_already_refunded\""));
    assert_int_equal(reading.result.kind, PAYMENT_ON_UNSURE);
  }
}
