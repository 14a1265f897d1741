/* The wire form of every message of payment-svc: golden JSON, bounds, and what is ignored. */
#include "sample.h"

#include <payment_messages.h>
#include <test.h>

static struct bus_arena *arena;

static bool decodes(const struct bus_schema *schema, const char *json, void *ret) {
  struct bus_problems problems;
  if (!arena)
    arena = bus_arena_new((size_t)1 << 20);
  return bus_decode(schema, bus_str(json), BUS_IGNORE_UNKNOWN, arena, ret, &problems);
}

static void check_encoding(const struct bus_schema *schema, const void *value, const char *json) {
  struct bus_str text;
  if (!arena)
    arena = bus_arena_new((size_t)1 << 20);
  assert_true(bus_encode(schema, value, arena, &text));
  assert_int_equal(text.len, strlen(json));
  assert_memory_equal(text.data, json, text.len);
}

static void done(void) {
  bus_arena_free(arena);
  arena = NULL;
}

#define CHARGE_JSON                                                                                                    \
  "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":1998,\"currency\":\"EUR\",\"token\":\"pm_card_visa\"}"

TEST(message_charge)
{
  const struct payment_charge charge = {.order_id = sample_order(),
                                        .amount = 1998,
                                        .currency = BUS_STR("EUR"),
                                        .token = BUS_STR("pm_card_visa"),
                                        .attempt = BUS_NO_INT64};
  struct payment_charge read;
  check_encoding(&payment_charge_schema, &charge, CHARGE_JSON);
  assert_true(decodes(&payment_charge_schema, CHARGE_JSON, &read));
  assert_true(bus_uuid_equal(&read.order_id, &charge.order_id));
  assert_int_equal(read.amount, 1998);
  assert_true(bus_str_is(read.currency, "EUR"));
  assert_true(bus_str_is(read.token, "pm_card_visa"));
  done();
}

TEST(message_charge_out_of_bounds)
{
  static const char *const bad[] = {
      "{\"order_id\":\"x\",\"amount\":1,\"currency\":\"EUR\",\"token\":\"t\"}",
      "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":-1,\"currency\":\"EUR\",\"token\":\"t\"}",
      "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":1000000000001,\"currency\":\"EUR\",\"token\":\"t\"}",
      "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":1.5,\"currency\":\"EUR\",\"token\":\"t\"}",
      "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":1,\"currency\":\"EURO\",\"token\":\"t\"}",
      "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":1,\"currency\":\"EUR\",\"token\":\"\"}",
      "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":1,\"currency\":\"EUR\",\"token\":\"a b\"}",
      "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":1,\"currency\":\"EUR\"}",
  };
  struct payment_charge read;
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    if (decodes(&payment_charge_schema, bad[i], &read))
      fail_msg("decoded: %s", bad[i]);
  done();
}

/* Every decoded text fits the payment's fixed arrays. */
TEST(message_charge_longest_token_fits)
{
  char json[512] = "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":1,\"currency\":\"EUR\",\"token\":\"";
  struct payment_charge read;
  size_t len = strlen(json);
  memset(json + len, 'x', 128);
  memcpy(json + len + 128, "\"}", 3);
  assert_true(decodes(&payment_charge_schema, json, &read));
  assert_true(read.token.len < PAYMENT_TOKEN_SIZE && read.currency.len < PAYMENT_CURRENCY_SIZE);
  memcpy(json + len + 128, "x\"}", 4);
  assert_false(decodes(&payment_charge_schema, json, &read));
  done();
}

TEST(message_refund_ignores_what_it_does_not_know)
{
  struct payment_refund read;
  const struct payment_refund refund = {.order_id = sample_order(), .attempt = BUS_NO_INT64};
  check_encoding(&payment_refund_schema, &refund, "{\"order_id\":\"" SAMPLE_ORDER "\"}");
  assert_true(decodes(&payment_refund_schema, "{\"order_id\":\"" SAMPLE_ORDER "\",\"new\":[1]}", &read));
  assert_true(bus_uuid_equal(&read.order_id, &refund.order_id));
  done();
}

TEST(message_events)
{
  const struct payment_event event = {
      .order_id = sample_order(), .amount = 0, .left = BUS_NO_INT64, .attempt = BUS_NO_INT64};
  const struct payment_event captured = {
      .order_id = sample_order(), .amount = 5, .currency = BUS_STR("EUR"), .left = BUS_NO_INT64, .attempt = 3};
  const struct payment_event part = {
      .order_id = sample_order(), .amount = 2, .currency = BUS_STR("EUR"), .left = 3, .attempt = BUS_NO_INT64};
  const struct payment_refusal refusal = {.order_id = sample_order(), .reason = BUS_STR("voided"), .attempt = 3};
  check_encoding(&payment_event_schema, &event, "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":0}");
  check_encoding(&payment_event_schema, &captured,
                 "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":5,\"currency\":\"EUR\",\"attempt\":3}");
  check_encoding(&payment_event_schema, &part,
                 "{\"order_id\":\"" SAMPLE_ORDER "\",\"amount\":2,\"currency\":\"EUR\",\"left\":3}");
  check_encoding(&payment_refusal_schema, &refusal,
                 "{\"order_id\":\"" SAMPLE_ORDER "\",\"reason\":\"voided\",\"attempt\":3}");
  done();
}

TEST(message_ping)
{
  struct payment_ping ping;
  assert_true(decodes(&payment_ping_schema, "{}", &ping));
  assert_false(ping.deep);
  done();
}
