/* POST /webhooks/psp over a scripted bus: what is sent, and what each outcome looks like. */
#include "api_fixture.h"
#include "psp_event.h"
#include "test.h"

#include <bus/hash.h>
#include <stdio.h>

#define ORDER "0f5a6c1e-4b1d-5c53-9a3e-2f6f0c6f7a10"
#define EVENT                                                                                                          \
  "{\"id\":\"evt_1\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":\"pi_1\",\"metadata\":"        \
  "{\"order_id\":\"" ORDER "\"}}}}"
#define SECRET "whsec_test"

static struct edge_settings settings;

static void set_up_webhook(const char *secret) {
  set_up();
  settings = *edge.settings;
  settings.psp_webhook_secret = secret;
  edge.settings = &settings;
}

/* Signs the body; → the response's status. */
static int deliver(const char *body) {
  static char header[128];
  char time[24], code[BUS_SHA256_TEXT];
  (void)snprintf(time, sizeof time, "%lld", (long long)(fake.now / BUS_SECOND));
  const struct bus_str parts[] = {bus_str(time), BUS_STR("."), bus_str(body)};
  bus_hmac_sha256_hex(BUS_STR(SECRET), parts, BUS_COUNT(parts), code);
  (void)snprintf(header, sizeof header, "t=%s,v1=%s", time, code);
  fake.signature = bus_str(header);
  (void)call("POST /webhooks/psp", body);
  return fake.status;
}

TEST(event_is_taken_once_the_broker_has_confirmed_it)
{
  set_up_webhook(SECRET);
  fake.script.confirm_at = AT_MS(30);
  int64_t before = fake.now;
  assert_int_equal(deliver(EVENT), 204);
  assert_int_equal(fake.now - before, AT_MS(30)); /* there is no answer to wait for */
  assert_true(bus_str_is(fake.sent, "{\"order_id\":\"" ORDER "\",\"psp_id\":\"pi_1\"}"));
  struct bus_uuid first = fake.sent_id;
  assert_false(bus_uuid_is_nil(&first));
  assert_int_equal(deliver(EVENT), 204); /* repeated: its receiver knows the id */
  assert_true(bus_uuid_equal(&first, &fake.sent_id));
  tear_down();
}

TEST(event_of_a_dispute_is_sent_as_it_was_told)
{
  set_up_webhook(SECRET);
  fake.script.confirm_at = AT_MS(1);
  assert_int_equal(
      deliver("{\"id\":\"evt_9\",\"type\":\"charge.dispute.closed\",\"created\":1772000000,\"data\":{\"object"
              "\":{\"id\":\"dp_1\",\"payment_intent\":\"pi_1\",\"amount\":5,\"currency\":\"eur\",\"reason\":"
              "\"general\",\"status\":\"lost\"}}}"),
      204);
  assert_true(bus_str_is(fake.sent, "{\"dispute_id\":\"dp_1\",\"psp_id\":\"pi_1\",\"amount\":5,\"currency\":\"EUR\","
                                    "\"reason\":\"general\",\"status\":\"lost\",\"at\":\"2026-02-25T06:13:20.000Z\"}"));
  tear_down();
}

TEST(event_that_the_broker_did_not_take_comes_again)
{
  set_up_webhook(SECRET);
  assert_int_equal(deliver(EVENT), 503);
  fake.script = fake_silence;
  fake.script.lost_at = AT_MS(10);
  assert_int_equal(deliver(EVENT), 503);
  fake.script = fake_silence;
  fake.script.unroutable_at = AT_MS(10);
  assert_int_equal(deliver(EVENT), 503);
  fake.script = fake_silence;
  fake.script.is_down = true;
  assert_int_equal(deliver(EVENT), 503);
  tear_down();
}

TEST(event_P4_that_is_not_signed_sends_nothing)
{
  set_up_webhook(SECRET);
  fake.script.confirm_at = AT_MS(1);
  assert_int_equal(deliver(EVENT), 204);
  (void)call("POST /webhooks/psp", EVENT " ");
  assert_int_equal(fake.status, 400);
  fake.now += AT_MS(301000);
  (void)call("POST /webhooks/psp", EVENT);
  assert_int_equal(fake.status, 400);
  assert_non_null(strstr(fake.notes, "signature=old"));
  fake.signature = BUS_NO_STR;
  (void)call("POST /webhooks/psp", EVENT);
  assert_int_equal(fake.status, 400);
  assert_int_equal(fake.begun, 1);
  tear_down();
}

TEST(event_of_nothing_of_ours_is_taken_and_dropped)
{
  set_up_webhook(SECRET);
  assert_int_equal(deliver("{\"id\":\"evt_1\",\"type\":\"customer.created\",\"data\":{\"object\":{}}}"), 204);
  assert_int_equal(deliver("{\"id\":\"evt_1\"}"), 400);
  assert_int_equal(fake.begun, 0);
  tear_down();
}

TEST(event_without_a_secret_is_refused)
{
  set_up_webhook("");
  fake.script.confirm_at = AT_MS(1);
  assert_int_equal(deliver(EVENT), 503);
  assert_json_has("PSP_WEBHOOK_SECRET");
  assert_int_equal(fake.begun, 0);
  tear_down();
}
