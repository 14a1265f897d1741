/* Golden form bodies and idempotency keys, and where the key may be sent. */
#include "sample.h"

#include <psp_request.h>
#include <stdio.h>
#include <test.h>

static struct payment_call charge_call(void) {
  struct payment payment = sample_payment(PAYMENT_NONE);
  return decide_kind(&payment, PAYMENT_ON_CHARGE, NOW).call;
}

static struct payment_call refund_call(void) {
  struct payment payment = sample_payment(PAYMENT_CAPTURED);
  return decide_kind(&payment, PAYMENT_ON_REFUND, NOW).call;
}

TEST(request_of_a_charge)
{
  struct payment_call call = charge_call();
  struct psp_request request;
  psp_request_build(&call, &request);
  assert_string_equal(request.method, "POST");
  assert_string_equal(request.path, "/v1/payment_intents");
  assert_string_equal(request.key, "charge-" SAMPLE_ORDER);
  assert_string_equal(request.body,
                      "amount=1998&currency=eur&payment_method=pm_card_visa&confirm=true&error_on_requires_action=true&"
                      "automatic_payment_methods%5Benabled%5D=false&metadata%5Border_id%5D=" SAMPLE_ORDER);
}

TEST(request_of_a_refund)
{
  struct payment_call call = refund_call();
  struct psp_request request;
  call.refund = 12;
  psp_request_build(&call, &request);
  assert_string_equal(request.path, "/v1/refunds");
  assert_string_equal(request.key, "refund-" SAMPLE_ORDER "-12");
  assert_string_equal(request.body, "payment_intent=pi_1&amount=1998&metadata%5Border_id%5D=" SAMPLE_ORDER);
}

/* Each attempt to pay later has a key of its own; the order is the same. */
TEST(request_of_an_attempt_to_pay_later)
{
  struct payment_call call = charge_call(), refund = refund_call();
  struct psp_request request;
  call.pay_attempt = refund.pay_attempt = 3;
  psp_request_build(&call, &request);
  assert_string_equal(request.key, "charge-" SAMPLE_ORDER "-3");
  assert_non_null(strstr(request.body, "metadata%5Border_id%5D=" SAMPLE_ORDER));
  refund.refund = INT64_MAX;
  refund.pay_attempt = PAYMENT_ATTEMPTS_MAX;
  psp_request_build(&refund, &request);
  assert_string_equal(request.key, "refund-" SAMPLE_ORDER "-20-9223372036854775807");
}

TEST(request_that_reads_back_is_a_get_without_key_and_body)
{
  struct payment_call call = charge_call();
  struct psp_request request;
  strncpy(call.read_id, "pi_3", sizeof call.read_id - 1);
  psp_request_build(&call, &request);
  assert_string_equal(request.method, "GET");
  assert_string_equal(request.path, "/v1/payment_intents/pi_3");
  assert_string_equal(request.key, "");
  assert_string_equal(request.body, "");
  call = refund_call();
  memset(call.read_id, 'a', sizeof call.read_id - 1);
  psp_request_build(&call, &request);
  assert_int_equal(strlen(request.path), strlen("/v1/refunds/") + PAYMENT_PSP_ID_SIZE - 1);
}

TEST(request_key_is_the_same_for_every_attempt)
{
  struct payment_call call = charge_call();
  struct psp_request first, later;
  psp_request_build(&call, &first);
  call.attempt = 77;
  psp_request_build(&call, &later);
  assert_string_equal(first.key, later.key);
  assert_string_equal(first.body, later.body); /* or the PSP refuses the key */
}

TEST(request_encodes_what_would_be_syntax)
{
  struct payment_call call = charge_call();
  struct psp_request request;
  (void)snprintf(call.token, sizeof call.token, "a&amount=1 +%%\r\n\xc3\xa9");
  psp_request_build(&call, &request);
  assert_non_null(strstr(request.body, "&payment_method=a%26amount%3D1%20%2B%25%0D%0A%C3%A9&confirm"));
}

TEST(request_longest_values_fit)
{
  struct payment_call call = charge_call();
  struct psp_request request;
  memset(call.token, ':', sizeof call.token - 1);
  call.amount = BUS_NO_INT64; /* 20 characters */
  psp_request_build(&call, &request);
  assert_non_null(strstr(request.body, "metadata%5Border_id%5D=" SAMPLE_ORDER));
  assert_true(strlen(request.body) < sizeof request.body - 1);
  call = refund_call();
  memset(call.psp_id, ':', sizeof call.psp_id - 1);
  call.refund = INT64_MAX;
  psp_request_build(&call, &request);
  assert_non_null(strstr(request.key, "-9223372036854775807"));
  assert_non_null(strstr(request.body, SAMPLE_ORDER));
}

TEST(url_https_is_allowed)
{
  assert_true(psp_url_is_allowed("https://api.stripe.com", false));
  assert_true(psp_url_is_allowed("https://psp.example:8443", false));
}

TEST(url_plain_only_on_this_machine_or_on_purpose)
{
  assert_true(psp_url_is_allowed("http://127.0.0.1:8090", false));
  assert_true(psp_url_is_allowed("http://localhost", false));
  assert_true(psp_url_is_allowed("http://[::1]:8090", false));
  assert_false(psp_url_is_allowed("http://psp-sandbox:8090", false));
  assert_true(psp_url_is_allowed("http://psp-sandbox:8090", true));
  assert_false(psp_url_is_allowed("http://127.0.0.1.evil.example", false));
  assert_false(psp_url_is_allowed("http://localhost.evil.example", false));
}

TEST(url_with_more_than_an_authority_is_refused)
{
  static const char *const bad[] = {"",
                                    "https://",
                                    "ftp://api.stripe.com",
                                    "api.stripe.com",
                                    "https://api.stripe.com/",
                                    "https://api.stripe.com/v1",
                                    "https://user@api.stripe.com",
                                    "http://127.0.0.1@evil.example",
                                    "https://a?b",
                                    "https://a#b",
                                    "https://a b",
                                    "https://a\\b",
                                    "https://a\r\nX: y",
                                    "HTTPS://a",
                                    "http:/127.0.0.1"};
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    if (psp_url_is_allowed(bad[i], true))
      fail_msg("allowed: %s", bad[i]);
}
