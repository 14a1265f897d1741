/* Requests for user-svc over a scripted bus: nothing secret is sent in clear, and what each outcome looks like. */
#include "api_fixture.h"
#include "client_tokens.h"
#include "test.h"
#include "users.h"

#include <stdio.h>

#define LOGIN "{\"email\":\"ann@EXAMPLE.org\",\"password\":\"canary-password\"}"

static struct bus_seal_pair users;

static void set_up_users(void) {
  struct bus_error err;
  set_up();
  assert_true(bus_secret_init(&err));
  bus_seal_pair_new(&users);
  edge.has_users = true;
  edge.user_key = users.public_key;
}

static void say(enum user_outcome outcome, int64_t retry_after_s) {
  static struct user_answer said;
  said = (struct user_answer){.outcome = (int)outcome, .retry_after_s = retry_after_s};
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &user_answer_type, &said};
}

static void assert_said(const char *route, const char *body, enum user_outcome outcome, int status) {
  say(outcome, outcome == USER_LOCKED || outcome == USER_BUSY ? 7 : BUS_NO_INT64);
  (void)call(route, body);
  assert_int_equal(fake.status, status);
  assert_true((fake_header("Retry-After").data != NULL) == (outcome == USER_LOCKED || outcome == USER_BUSY));
}

TEST(an_edge_without_user_svc_refuses_and_goes_on)
{
  set_up();
  (void)call("POST /api/auth/login", LOGIN);
  assert_int_equal(fake.status, 503);
  (void)call("GET /.well-known/jwks.json", "");
  assert_int_equal(fake.status, 503);
  assert_int_equal(fake.begun, 0);
  tear_down();
}

TEST(a_password_is_sealed)
{
  struct user_request sent;
  char password[64];
  size_t len;
  set_up_users();
  assert_said("POST /api/auth/login", LOGIN, USER_REFUSED, 401);
  assert_null(strstr(fake.sent.data, "canary"));
  assert_non_null(strstr(fake.sent.data, "ann@example.org"));
  assert_true(bus_decode(user_login_type.schema, fake.sent, BUS_REFUSE_UNKNOWN, fake.arena, &sent, NULL));
  assert_true(bus_unseal(&users, sent.password, password, sizeof password, &len));
  assert_string_equal(password, "canary-password");
  tear_down();
}

TEST(each_outcome_has_its_status)
{
  static const char token[] = "{\"refresh_token\":\"0123456789012345678901234567890123456789012\"}";
  static const char reset[] =
      "{\"token\":\"0123456789012345678901234567890123456789012\",\"password\":\"canary-password\"}";
  set_up_users();
  assert_said("POST /api/auth/login", LOGIN, USER_LOCKED, 429);
  assert_said("POST /api/auth/login", LOGIN, USER_BUSY, 503);
  assert_said("POST /api/auth/register", LOGIN, USER_DONE, 202);
  assert_said("POST /api/auth/refresh", token, USER_INVALID, 401);
  assert_said("POST /api/auth/logout", token, USER_DONE, 200);
  assert_said("POST /api/auth/reset", reset, USER_INVALID, 400);
  assert_said("POST /api/auth/reset", reset, USER_DONE, 200);
  tear_down();
}

/* Tokens that are sealed to another key are an answer that cannot be read. */
TEST(tokens_that_cannot_be_opened_are_503)
{
  static struct user_answer said = {.outcome = USER_DONE, .retry_after_s = BUS_NO_INT64};
  set_up_users();
  struct bus_arena *arena = bus_arena_new(1 << 16);
  assert_true(bus_seal(&users.public_key, BUS_STR("{}"), arena, &said.tokens));
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &user_answer_type, &said};
  (void)call("POST /api/auth/login", LOGIN);
  assert_int_equal(fake.status, 503);
  bus_arena_free(arena);
  tear_down();
}

TEST(public_keys_are_shown_as_they_are)
{
  static struct bus_jwk key = {.kty = BUS_STR("EC"), .kid = BUS_STR("k1"), .crv = BUS_STR("P-256")};
  static const struct user_keys said = {.issuer = BUS_STR("https://shop.example"), .jwks = {&key, 1}};
  set_up_users();
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &user_keys_type, &said};
  (void)call("GET /.well-known/jwks.json", "");
  assert_int_equal(fake.status, 200);
  assert_true(bus_str_is(fake.json, "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"k1\",\"crv\":\"P-256\"}]}"));
  (void)call("GET /.well-known/openid-configuration", "");
  assert_json_has("\"jwks_uri\":\"https://shop.example/.well-known/jwks.json\"");
  assert_int_equal(fake.begun, 1); /* fresh keys are not asked for again */
  fake.now += AT_MS(6000);
  fake.script = fake_silence;
  (void)call("GET /.well-known/jwks.json", "");
  assert_int_equal(fake.begun, 2);
  assert_int_equal(fake.status, 200); /* user-svc is away: what it said last */
  tear_down();
}

/* The source of AUTH=own. */
TEST(A8_keys_of_another_issuer_are_not_taken)
{
  static struct bus_jwk key = {.kty = BUS_STR("EC"), .kid = BUS_STR("k1"), .crv = BUS_STR("P-256")};
  static const struct user_keys good = {.issuer = BUS_STR("https://shop.example"), .jwks = {&key, 1}},
                                bad = {.issuer = BUS_STR("https://shop.example/"), .jwks = {&key, 1}};
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_error err;
  struct bus_str jwks;
  set_up();
  fake_begin("");
  struct edge_key_source source = edge_own_source(&edge);
  assert_false(source.read(source.context, arena, &jwks, &err));
  assert_non_null(strstr(err.text, "does not say"));
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &user_keys_type, &bad};
  assert_false(source.read(source.context, arena, &jwks, &err));
  assert_non_null(strstr(err.text, "TOKEN_ISSUER"));
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &user_keys_type, &good};
  assert_true(source.read(source.context, arena, &jwks, &err));
  assert_true(bus_str_is(jwks, "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"k1\",\"crv\":\"P-256\"}]}"));
  bus_arena_free(arena);
  tear_down();
}

/* ---- users ---- */

#define ANN "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
#define BOB "3f2504e0-4f89-41d3-9a0c-0305e82c3302"

static void assert_seen(const char *sub, enum bus_token_role role, const char *route, const char *body, int status) {
  static struct user_view view = {.role = USER_CUSTOMER, .version = 1, .email = BUS_STR("ann@example.org")};
  static struct user_answer said = {.outcome = USER_DONE, .retry_after_s = BUS_NO_INT64, .user = &view};
  static struct bus_token_claims caller;
  caller = (struct bus_token_claims){.role = role};
  (void)snprintf(caller.sub, sizeof caller.sub, "%s", sub ? sub : "");
  assert_true(bus_uuid_parse(BUS_STR(ANN), &view.user_id));
  fake.segment = BUS_STR(ANN);
  fake.caller = sub ? &caller : NULL;
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &user_answer_type, &said};
  int begun = fake.begun;
  (void)call(route, body);
  assert_int_equal(fake.status, status);
  assert_int_equal(fake.begun - begun, status == 200); /* nothing is asked for others */
}

TEST(a_user_is_seen_and_changed_by_itself_and_by_administrators)
{
  static const struct {
    const char *route, *body;
  } cases[] = {
      {"GET /api/users/{user}", ""}, {"PUT /api/users/{user}", "{\"name\":\"Ann\"}"}, {"DELETE /api/users/{user}", ""}};
  set_up_users();
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    assert_seen(ANN, BUS_ROLE_CUSTOMER, cases[i].route, cases[i].body, 200);
    assert_seen(BOB, BUS_ROLE_CUSTOMER, cases[i].route, cases[i].body, 404);
    assert_seen(BOB, BUS_ROLE_OPERATOR, cases[i].route, cases[i].body, 404);
    assert_seen(BOB, BUS_ROLE_ADMIN, cases[i].route, cases[i].body, 200);
    assert_seen(NULL, BUS_ROLE_CUSTOMER, cases[i].route, cases[i].body, 401);
  }
  tear_down();
}

/* With AUTH=oidc an administrator of another issuer is nobody to user-svc. */
TEST(Z8_users_are_for_tokens_of_user_svc_alone)
{
  static struct bus_jwk key = {.kty = BUS_STR("EC"), .kid = BUS_STR("k1"), .crv = BUS_STR("P-256")};
  static const struct user_keys keys = {.issuer = BUS_STR("https://shop.example"), .jwks = {&key, 1}};
  static const char *const routes[] = {"GET /api/users", "GET /api/users/{user}", "DELETE /api/users/{user}",
                                       "GET /api/users/{user}/export"};
  static struct bus_token_claims caller = {.sub = BOB, .role = BUS_ROLE_ADMIN};
  set_up_users();
  struct edge_settings oidc = *edge.settings;
  oidc.auth = EDGE_AUTH_OIDC;
  edge.settings = &oidc;
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &user_keys_type, &keys};
  (void)call("GET /.well-known/jwks.json", "");
  int begun = fake.begun;
  fake.segment = BUS_STR(ANN);
  fake.caller = &caller;
  for (size_t i = 0; i < BUS_COUNT(routes); i++) {
    (void)snprintf(caller.iss, sizeof caller.iss, "https://elsewhere.example");
    (void)call(routes[i], "");
    assert_int_equal(fake.status, 403);
  }
  (void)call("PUT /api/auth/password", "{\"current_password\":\"canary-old\",\"new_password\":\"canary-new\"}");
  assert_int_equal(fake.status, 403);
  assert_int_equal(fake.begun, begun);
  (void)snprintf(caller.iss, sizeof caller.iss, "https://shop.example");
  say(USER_DONE, BUS_NO_INT64);
  (void)call("DELETE /api/users/{user}", "");
  assert_int_equal(fake.status, 200);
  tear_down();
}

TEST(Z8_users_are_listed_for_callers_alone)
{
  static struct user_view view = {.role = USER_CUSTOMER, .version = 1, .email = BUS_STR("ann@example.org")};
  static const struct user_page said = {.items = &view, .item_count = 1, .next_cursor = BUS_STR("6140")};
  static const struct bus_token_claims admin = {.sub = BOB, .role = BUS_ROLE_ADMIN};
  set_up_users();
  fake.query = "email=ann&limit=1";
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &user_page_type, &said};
  (void)call("GET /api/users", "");
  assert_int_equal(fake.status, 401);
  fake.caller = &admin;
  (void)call("GET /api/users", "");
  assert_int_equal(fake.status, 200);
  assert_non_null(strstr(fake.sent.data, "\"email\":\"ann\""));
  assert_json_has("\"next_cursor\":\"6140\"");
  fake.query = "cursor=61f";
  (void)call("GET /api/users", "");
  assert_int_equal(fake.status, 400);
  tear_down();
}

TEST(a_change_of_password_is_the_callers_and_sealed)
{
  static const char body[] = "{\"current_password\":\"canary-old\",\"new_password\":\"canary-new\"}";
  struct user_request sent;
  set_up_users();
  assert_seen(ANN, BUS_ROLE_CUSTOMER, "PUT /api/auth/password", body, 200);
  assert_null(strstr(fake.sent.data, "canary"));
  assert_true(bus_decode(user_password_type.schema, fake.sent, BUS_REFUSE_UNKNOWN, fake.arena, &sent, NULL));
  assert_seen("no-user", BUS_ROLE_CUSTOMER, "PUT /api/auth/password", body, 404);
  assert_seen(NULL, BUS_ROLE_CUSTOMER, "PUT /api/auth/password", body, 401);
  tear_down();
}

/* ---- programs ---- */

TEST(basic_credentials_are_read_strictly)
{
  static const struct {
    const char *header, *name, *secret;
  } good[] = {{"Basic YTpi", "a", "b"}, {"basic YTpiOmM=", "a", "b:c"}, {"Basic YSUzQTpiKw==", "a:", "b "}};
  static const char *const bad[] = {
      "Basic ",     "Basic",      "Bearer YTpi",    "Basic YTp",      "Basic YTpi=", "Basic YT pi",
      "Basic YQ==", "Basic YTp=", "Basic YTpiOmN=", "Basic YTolMDA=", "Basic Y===",  NULL};
  struct bus_str name, secret;
  set_up();
  fake_begin("");
  for (size_t i = 0; i < BUS_COUNT(good); i++) {
    assert_true(edge_basic_parse(bus_str(good[i].header), fake.arena, &name, &secret));
    assert_true(bus_str_is(name, good[i].name) && bus_str_is(secret, good[i].secret));
  }
  for (size_t i = 0; bad[i]; i++)
    if (edge_basic_parse(bus_str(bad[i]), fake.arena, &name, &secret))
      fail_msg("%s was taken", bad[i]);
  tear_down();
}

static void assert_token_error(const char *form, int status, const char *error) {
  say(USER_REFUSED, BUS_NO_INT64);
  (void)call("POST /api/auth/token", form);
  assert_int_equal(fake.status, status);
  assert_json_has(error);
}

TEST(a_programs_secret_is_sealed_and_errors_are_those_of_oauth)
{
  struct user_client_token sent;
  char secret[64];
  size_t len;
  set_up_users();
  assert_token_error("grant_type=client_credentials&client_id=" ANN "&client_secret=canary-secret", 401,
                     "\"error\":\"invalid_client\"");
  assert_non_null(strstr(fake_header("WWW-Authenticate").data, "Basic"));
  assert_null(strstr(fake.sent.data, "canary"));
  assert_true(bus_decode(user_client_token_type.schema, fake.sent, BUS_REFUSE_UNKNOWN, fake.arena, &sent, NULL));
  assert_true(bus_unseal(&users, sent.secret, secret, sizeof secret, &len));
  assert_string_equal(secret, "canary-secret");
  int begun = fake.begun;
  assert_token_error("grant_type=client_credentials&client_id=" ANN, 401, "invalid_client");
  assert_token_error("grant_type=client_credentials&client_id=shop&client_secret=s", 401, "invalid_client");
  assert_token_error("grant_type=password&username=a&password=b", 400, "unsupported_grant_type");
  assert_token_error("client_id=" ANN, 400, "invalid_request");
  assert_int_equal(fake.begun, begun);
  tear_down();
}
