/* Signatures of the payment provider's events, and what the events say. */
#include "psp_event.h"
#include "test.h"

#include <bus/hash.h>
#include <stdio.h>

#define SIGNED_AT INT64_C(1772000000)
#define NOW (SIGNED_AT * BUS_SECOND)
#define SECRET "whsec_test"
#define BODY "{\"id\":\"evt_1\"}"

/* The code of SIGNED_AT and BODY, as openssl dgst -sha256 -hmac whsec_test gives it. */
#define CODE "2f8d15c21135a9ca40a908af5a8502eb806c1e2697994c6dc59aeff718c43109"
#define HEADER "t=1772000000,v1=" CODE
#define OTHER_CODE "0000000000000000000000000000000000000000000000000000000000000000"

static enum psp_signature check(const char *header, const char *body, const char *secret, int64_t later_s) {
  return psp_signature_check(bus_str(header), bus_str(body), bus_str(secret), NOW + later_s * BUS_SECOND);
}

TEST(signature_of_this_body_and_time)
{
  assert_int_equal(check(HEADER, BODY, SECRET, 0), PSP_SIGNED);
  assert_int_equal(check(HEADER ",v0=abc,scheme", BODY, SECRET, 0), PSP_SIGNED);
  assert_int_equal(check("v1=" CODE ",t=1772000000", BODY, SECRET, 0), PSP_SIGNED);
}

/* While a secret is replaced the provider signs with both. */
TEST(signature_by_one_of_two_secrets)
{
  assert_int_equal(check("t=1772000000,v1=" OTHER_CODE ",v1=" CODE, BODY, SECRET, 0), PSP_SIGNED);
  assert_int_equal(check("t=1772000000,v1=" CODE ",v1=" OTHER_CODE, BODY, SECRET, 0), PSP_SIGNED);
}

TEST(signature_P4_of_something_else_is_forged)
{
  assert_int_equal(check(HEADER, "{\"id\":\"evt_2\"}", SECRET, 0), PSP_FORGED);
  assert_int_equal(check(HEADER, BODY " ", SECRET, 0), PSP_FORGED);
  assert_int_equal(check(HEADER, BODY, "whsec_other", 0), PSP_FORGED);
  assert_int_equal(check("t=1772000001,v1=" CODE, BODY, SECRET, 0), PSP_FORGED);
  assert_int_equal(check("t=1772000000,v1=" OTHER_CODE, BODY, SECRET, 0), PSP_FORGED);
  assert_int_equal(check("t=1772000000,v1=" CODE "0", BODY, SECRET, 0), PSP_FORGED);
  assert_int_equal(check("t=1772000000,v1=", BODY, SECRET, 0), PSP_FORGED);
}

TEST(signature_P4_every_bit_of_it_counts)
{
  char header[] = HEADER;
  for (size_t i = sizeof "t=1772000000,v1=" - 1; i < sizeof header - 1; i++) {
    header[i] ^= 1;
    assert_int_equal(check(header, BODY, SECRET, 0), PSP_FORGED);
    header[i] ^= 1;
  }
}

TEST(signature_P4_holds_for_five_minutes)
{
  assert_int_equal(check(HEADER, BODY, SECRET, 300), PSP_SIGNED);
  assert_int_equal(check(HEADER, BODY, SECRET, 301), PSP_OLD);
  assert_int_equal(check(HEADER, BODY, SECRET, -300), PSP_SIGNED);
  assert_int_equal(check(HEADER, BODY, SECRET, -301), PSP_OLD);
}

TEST(signature_that_is_none)
{
  static const char *const headers[] = {"",
                                        "t=1772000000",
                                        "v1=" CODE,
                                        CODE,
                                        "t=,v1=" CODE,
                                        "t=-1772000000,v1=" CODE,
                                        "t=1772000000.0,v1=" CODE,
                                        "t=1772000000177,v1=" CODE,
                                        "t=1772000000,t=1772000000,v1=" CODE,
                                        ",,,=,",
                                        "t=1772000000,v0=" CODE};
  for (size_t i = 0; i < BUS_COUNT(headers); i++)
    assert_int_equal(check(headers[i], BODY, SECRET, 0), PSP_UNSIGNED);
  assert_int_equal(psp_signature_check(BUS_NO_STR, bus_str(BODY), bus_str(SECRET), NOW), PSP_UNSIGNED);
}

/* ---- events ---- */

#define ORDER "0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a10"

static struct bus_arena *arena;

static bool read_text(const char *text, struct psp_event *ret) {
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 20);
  return psp_event_read(bus_str(text), arena, ret);
}

static struct psp_event read_event(const char *id, const char *type, const char *object) {
  char text[1024];
  struct psp_event event;
  (void)snprintf(text, sizeof text,
                 "{\"id\":\"%s\",\"object\":\"event\",\"type\":\"%s\",\"created\":1772000000,"
                 "\"data\":{\"object\":%s,\"previous_attributes\":{\"status\":\"pending\"}}}",
                 id, type, object);
  assert_true(read_text(text, &event));
  return event;
}

#define INTENT "{\"id\":\"pi_1\",\"amount\":1998,\"metadata\":{\"order_id\":\"" ORDER "\"}}"

TEST(event_of_a_payment_that_may_be_final)
{
  static const char *const types[] = {"payment_intent.succeeded",
                                      "payment_intent.payment_failed",
                                      "payment_intent.canceled",
                                      "refund.updated",
                                      "refund.failed",
                                      "charge.refund.updated"};
  struct bus_uuid order;
  assert_true(bus_uuid_parse(BUS_STR(ORDER), &order));
  for (size_t i = 0; i < BUS_COUNT(types); i++) {
    struct psp_event event = read_event("evt_1", types[i], INTENT);
    assert_int_equal(event.news, PSP_NEWS_CHANGED);
    assert_true(bus_uuid_equal(&event.check.order_id, &order));
    assert_true(bus_str_is(event.check.psp_id, "pi_1"));
  }
  bus_arena_free(arena);
  arena = NULL;
}

TEST(event_of_something_else)
{
  static const char *const objects[] = {"{}",
                                        "{\"id\":null,\"metadata\":null}",
                                        "{\"id\":\"pi_1\",\"metadata\":{}}",
                                        "{\"id\":\"pi_1\",\"metadata\":{\"order_id\":\"6735\"}}",
                                        "{\"id\":\"\",\"metadata\":{\"order_id\":\"" ORDER "\"}}",
                                        "{\"id\":\"pi_1/../x\",\"metadata\":{\"order_id\":\"" ORDER "\"}}"};
  assert_int_equal(read_event("evt_1", "payment_intent.created", INTENT).news, PSP_NEWS_NONE);
  assert_int_equal(read_event("evt_1", "customer.created", "{}").news, PSP_NEWS_NONE);
  for (size_t i = 0; i < BUS_COUNT(objects); i++)
    assert_int_equal(read_event("evt_1", "payment_intent.succeeded", objects[i]).news, PSP_NEWS_NONE);
  bus_arena_free(arena);
  arena = NULL;
}

#define DISPUTE(amount, currency)                                                                                      \
  "{\"id\":\"dp_1\",\"object\":\"dispute\",\"payment_intent\":\"pi_1\",\"amount\":" amount ",\"currency\":" currency   \
  ",\"reason\":\"fraudulent\",\"status\":\"needs_response\",\"metadata\":{}}"

TEST(event_of_a_dispute)
{
  static const char *const wrong[] = {DISPUTE("1998", "\"euro\""), DISPUTE("1998", "null"), DISPUTE("null", "\"eur\""),
                                      DISPUTE("-1", "\"eur\""), INTENT};
  struct psp_event event = read_event("evt_1", "charge.dispute.created", DISPUTE("1998", "\"eur\""));
  assert_int_equal(event.news, PSP_NEWS_DISPUTE);
  assert_true(bus_str_is(event.dispute.dispute_id, "dp_1"));
  assert_true(bus_str_is(event.dispute.psp_id, "pi_1"));
  assert_true(bus_str_is(event.dispute.currency, "EUR"));
  assert_true(bus_str_is(event.dispute.reason, "fraudulent"));
  assert_true(bus_str_is(event.dispute.status, "needs_response"));
  assert_int_equal(event.dispute.amount, 1998);
  assert_int_equal(event.dispute.at, INT64_C(1772000000) * BUS_SECOND);
  event = read_event("evt_2", "charge.dispute.closed", DISPUTE("1998", "\"eur\""));
  assert_int_equal(event.news, PSP_NEWS_DISPUTE);
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    assert_int_equal(read_event("evt_3", "charge.dispute.created", wrong[i]).news, PSP_NEWS_NONE);
  bus_arena_free(arena);
  arena = NULL;
}

TEST(event_has_the_same_message_id_forever)
{
  struct psp_event first = read_event("evt_1", "refund.updated", INTENT);
  struct psp_event other = read_event("evt_2", "refund.updated", INTENT);
  char text[BUS_UUID_TEXT];
  bus_uuid_format(&first.message_id, text);
  assert_string_equal(text, "107fdf88-b949-59f9-b891-fc906df936cc");
  assert_false(bus_uuid_equal(&first.message_id, &other.message_id));
  bus_arena_free(arena);
  arena = NULL;
}

TEST(event_that_is_none)
{
  static const char *const texts[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"id\":\"evt_1\",\"type\":\"refund.updated\"}",
                                      "{\"id\":\"evt_1\",\"type\":\"refund.updated\",\"data\":{}}",
                                      "{\"id\":7,\"type\":\"refund.updated\",\"data\":{\"object\":{}}}"};
  struct psp_event event;
  for (size_t i = 0; i < BUS_COUNT(texts); i++)
    assert_false(read_text(texts[i], &event));
  bus_arena_free(arena);
  arena = NULL;
}
