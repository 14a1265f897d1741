/* Events in Stripe's shape, and their signature. */
#include "test.h"
#include "webhook.h"

static struct bus_arena *arena;

static void assert_event(int type, const char *id, const char *expected) {
  const struct psp_entry entry = {
      .type = type, .id = bus_str(id), .answer = BUS_STR("{\"id\":1}"), .at = INT64_C(1772000000) * BUS_SECOND};
  bus_arena_free(arena);
  arena = bus_arena_new(65536);
  struct bus_str text = psp_event_of(&entry, arena);
  assert_non_null(text.data);
  assert_true(bus_str_is(text, expected));
}

#define EVENT(id, type)                                                                                                \
  "{\"id\":\"evt_" id "\",\"object\":\"event\",\"type\":\"" type                                                       \
  "\",\"created\":1772000000,\"livemode\":false,\"data\":{\"object\":{\"id\":1}}}"

TEST(event_says_what_the_object_became)
{
  assert_event(PSP_CAPTURED, "pi_1", EVENT("pi_1", "payment_intent.succeeded"));
  assert_event(PSP_DECLINED, "pi_1", EVENT("pi_1", "payment_intent.payment_failed"));
  assert_event(PSP_CANCELED, "pi_1", EVENT("pi_1", "payment_intent.canceled"));
  assert_event(PSP_REFUNDED, "re_1", EVENT("re_1", "refund.updated"));
  assert_event(PSP_REFUND_CANCELED, "re_1", EVENT("re_1", "refund.updated"));
  assert_event(PSP_REFUND_FAILED, "re_1", EVENT("re_1", "refund.failed"));
  bus_arena_free(arena);
  arena = NULL;
}

TEST(event_of_a_dispute_names_the_intent)
{
  const struct psp_entry intent = {.type = PSP_CAPTURED,
                                   .id = BUS_STR("pi_1"),
                                   .amount = 1998,
                                   .currency = BUS_STR("eur"),
                                   .at = INT64_C(1772000000) * BUS_SECOND};
  arena = bus_arena_new(65536);
  struct bus_str text = psp_dispute_event_of(&intent, arena);
  assert_true(bus_str_is(text, "{\"id\":\"evt_dp_pi_1\",\"object\":\"event\",\"type\":\"charge.dispute.created\","
                               "\"created\":1772000000,\"livemode\":false,\"data\":{\"object\":{\"id\":\"dp_pi_1\","
                               "\"object\":\"dispute\",\"payment_intent\":\"pi_1\",\"amount\":1998,\"currency\":"
                               "\"eur\",\"reason\":\"fraudulent\",\"status\":\"needs_response\"}}}"));
  bus_arena_free(arena);
  arena = NULL;
}

/* The code is that of openssl dgst -sha256 -hmac whsec_test. */
TEST(event_signature)
{
  char text[PSP_SIGNATURE_SIZE];
  psp_sign(BUS_STR("whsec_test"), BUS_STR("{\"id\":\"evt_1\"}"), INT64_C(1772000000) * BUS_SECOND, text);
  assert_string_equal(
      text, "Stripe-Signature: t=1772000000,v1=2f8d15c21135a9ca40a908af5a8502eb806c1e2697994c6dc59aeff718c43109");
}

TEST(event_without_a_url_is_not_told)
{
  struct psp_webhooks *webhooks;
  struct bus_error err;
  assert_true(psp_webhooks_start(&(struct psp_webhook_target){.url = "", .secret = "secret"}, &webhooks, &err));
  assert_null(webhooks);
  psp_webhooks_tell(webhooks, &(struct psp_entry){.type = PSP_CAPTURED});
  psp_webhooks_stop(webhooks);
}
