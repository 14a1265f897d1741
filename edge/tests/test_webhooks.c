/* Requests about webhooks over a scripted bus: whose they are, what each outcome looks like, and that a secret travels
 * sealed. */
#include "api_fixture.h"
#include "test.h"
#include "webhooks.h"

#include <stdio.h>

#define ANN "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
#define HOOK "b200fe6d-c22d-5354-9252-135baea4b58a"
#define SECRET "whsec_+h9EaY6z2P0iR2yRttsAJUpvlLneAyhNcpe84QYrUHU="
#define CREATE                                                                                                         \
  "{\"idempotency_key\":\"k\",\"url\":\"https://example.org/"                                                          \
  "x\",\"events\":[\"order.refunded\",\"order.confirmed\"]%s}"

static struct bus_token_claims caller;
static struct webhook_view view = {.url = BUS_STR("https://example.org/x"),
                                   .events = 1,
                                   .cause = -1,
                                   .disabled_at = BUS_NO_TIME,
                                   .failing_since = BUS_NO_TIME,
                                   .old_secret_until = BUS_NO_TIME};
static struct webhook_answer said;

static void begin(const char *sub, enum bus_token_role role, const char *scope) {
  struct bus_error err;
  set_up();
  assert_true(bus_secret_init(&err));
  assert_true(bus_uuid_parse(BUS_STR(HOOK), &view.webhook_id));
  caller = (struct bus_token_claims){.role = role};
  (void)snprintf(caller.sub, sizeof caller.sub, "%s", sub ? sub : "");
  (void)snprintf(caller.scope, sizeof caller.scope, "%s", scope ? scope : "");
  fake.caller = sub ? &caller : NULL;
  fake.segment = BUS_STR(HOOK);
}

static void say(enum webhook_outcome outcome) {
  said = (struct webhook_answer){.outcome = (int)outcome, .webhook = outcome == WEBHOOK_DONE ? &view : NULL};
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &webhook_answer_type, &said};
}

static void create(const char *more) {
  char body[256];
  (void)snprintf(body, sizeof body, CREATE, more);
  (void)call("POST /api/webhooks", body);
}

static void assert_sent(const char *text) {
  if (!fake.sent.data || !strstr(fake.sent.data, text))
    fail_msg("%s is not in %s", text, fake.sent.data ? fake.sent.data : "nothing");
}

TEST(webhook_belongs_to_its_caller)
{
  begin(ANN, BUS_ROLE_CUSTOMER, NULL);
  say(WEBHOOK_NOT_FOUND);
  create("");
  assert_sent("\"customer_id\":\"" ANN "\"");
  assert_sent("\"events\":[\"order.confirmed\",\"order.refunded\"]");
  static const char *const routes[] = {"GET /api/webhooks/{webhook}", "DELETE /api/webhooks/{webhook}",
                                       "POST /api/webhooks/{webhook}/enable", "POST /api/webhooks/{webhook}/rotate",
                                       "POST /api/webhooks/{webhook}/replay"};
  for (size_t i = 0; i < BUS_COUNT(routes); i++) {
    (void)call(routes[i], "");
    assert_int_equal(fake.status, 404);
    assert_sent("\"webhook_id\":\"" HOOK "\",\"customer_id\":\"" ANN "\"");
  }
  caller.role = BUS_ROLE_OPERATOR; /* may see anybody's */
  (void)call(routes[0], "");
  assert_null(strstr(fake.sent.data, "customer_id"));
  tear_down();
}

TEST(webhook_of_another_customer_needs_the_scope)
{
  begin(ANN, BUS_ROLE_CUSTOMER, NULL);
  say(WEBHOOK_NOT_FOUND);
  create(",\"customer_id\":\"bob\"");
  assert_int_equal(fake.status, 403);
  assert_int_equal(fake.begun, 0);
  (void)snprintf(caller.scope, sizeof caller.scope, "orders:on-behalf");
  create(",\"customer_id\":\"bob\"");
  assert_sent("\"customer_id\":\"bob\"");
  tear_down();
}

TEST(webhook_outcomes_have_their_statuses)
{
  static const struct {
    enum webhook_outcome outcome;
    int status;
  } cases[] = {{WEBHOOK_KEY_REUSED, 422}, {WEBHOOK_TOO_MANY, 409}, {WEBHOOK_BAD_URL, 400}, {WEBHOOK_DONE, 503}};
  begin(ANN, BUS_ROLE_CUSTOMER, NULL);
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    say(cases[i].outcome);
    said.reason = BUS_STR("url must begin with https://");
    create("");
    assert_int_equal(fake.status, cases[i].status); /* done without a secret is an answer that cannot be read */
  }
  say(WEBHOOK_IS_DISABLED);
  (void)call("POST /api/webhooks/{webhook}/replay", "{}");
  assert_int_equal(fake.status, 409);
  say(WEBHOOK_DONE);
  (void)call("POST /api/webhooks/{webhook}/replay", "{}");
  assert_int_equal(fake.status, 202);
  assert_sent("\"since\":\"1970-01-01T00:00:00.000Z\"");
  (void)call("DELETE /api/webhooks/{webhook}", "");
  assert_int_equal(fake.status, 200);
  (void)call("GET /api/webhooks/{webhook}", "");
  assert_json_has("\"events\":[\"order.confirmed\"]");
  assert_null(strstr(fake.json.data, "secret\""));
  tear_down();
}

TEST(webhook_of_an_address_has_no_secret)
{
  struct bus_str url = view.url;
  begin(ANN, BUS_ROLE_CUSTOMER, NULL);
  view.url = BUS_STR("mailto:ann@example.org");
  view.status = WEBHOOK_UNCONFIRMED;
  say(WEBHOOK_DONE);
  create("");
  assert_int_equal(fake.status, 201);
  assert_json_has("\"status\":\"unconfirmed\"");
  assert_json_has("\"secret\":null");
  say(WEBHOOK_NO_SECRET);
  (void)call("POST /api/webhooks/{webhook}/rotate", "");
  assert_int_equal(fake.status, 409);
  say(WEBHOOK_NOT_CONFIRMED);
  (void)call("POST /api/webhooks/{webhook}/enable", "");
  assert_int_equal(fake.status, 409);
  view.url = url;
  view.status = WEBHOOK_ENABLED;
  tear_down();
}

TEST(webhook_code_travels_as_its_hash)
{
  begin(ANN, BUS_ROLE_CUSTOMER, NULL);
  say(WEBHOOK_WRONG_CODE);
  (void)call("POST /api/webhooks/{webhook}/confirm", "{\"code\":\"c0de\"}");
  assert_int_equal(fake.status, 400);
  assert_sent("\"customer_id\":\"" ANN "\"");
  assert_sent("\"code_hash\":\"3803b47609a2a464054659b14a0cdfba92830fb46ee70c03a336d5554b9acad4\"");
  assert_null(strstr(fake.sent.data, "c0de"));
  say(WEBHOOK_NO_ADDRESS);
  (void)call("POST /api/webhooks/{webhook}/confirm", "{\"code\":\"c0de\"}");
  assert_int_equal(fake.status, 409);
  say(WEBHOOK_DONE);
  (void)call("POST /api/webhooks/{webhook}/confirm", "{\"code\":\"c0de\"}");
  assert_int_equal(fake.status, 200);
  tear_down();
}

/* The key of an answer is made for each request: an answer to an earlier one cannot be opened. */
TEST(webhook_secret_that_is_sealed_to_another_key_is_503)
{
  struct bus_seal_pair other;
  begin(ANN, BUS_ROLE_CUSTOMER, NULL);
  bus_seal_pair_new(&other);
  struct bus_arena *arena = bus_arena_new(1 << 16);
  say(WEBHOOK_DONE);
  assert_true(bus_seal(&other.public_key, BUS_STR(SECRET), arena, &said.secret));
  create("");
  assert_int_equal(fake.status, 503);
  assert_null(strstr(fake.sent.data, "whsec"));
  bus_arena_free(arena);
  tear_down();
}
