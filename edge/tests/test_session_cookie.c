/* The cookie of a session over a scripted bus: who may use it, and that its token is in no body. */
#include "api_fixture.h"
#include "session_cookie.h"
#include "test.h"
#include "users.h"

#define TOKEN "0123456789012345678901234567890123456789012"
#define NEXT "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
#define ENDED "__Host-refresh=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
#define LOGIN "{\"email\":\"ann@example.org\",\"password\":\"canary-password\",\"cookie\":true}"
#define COOKIE "{\"cookie\":true}"

static struct bus_seal_pair users;

static void set_up_page(void) {
  struct bus_error err;
  set_up();
  assert_true(bus_secret_init(&err));
  bus_seal_pair_new(&users);
  edge.has_users = true;
  edge.user_key = users.public_key;
  fake.origin = BUS_STR("http://127.0.0.1:8080");
  fake.host = BUS_STR("127.0.0.1:8080");
  fake.cookie = BUS_STR("theme=dark; __Host-refresh=" TOKEN);
}

static void say(enum user_outcome outcome) {
  static struct user_answer said;
  said = (struct user_answer){.outcome = (int)outcome, .retry_after_s = BUS_NO_INT64};
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &user_answer_type, &said};
}

static void assert_cookie(const char *value) {
  struct bus_str found = fake_header("Set-Cookie");
  assert_true(value ? bus_str_is(found, value) : found.data == NULL);
}

TEST(A15_the_token_of_the_cookie_is_sent_sealed)
{
  struct user_request sent;
  char token[64];
  size_t len;
  set_up_page();
  say(USER_DONE);
  (void)call("POST /api/auth/refresh", COOKIE);
  assert_null(strstr(fake.sent.data, TOKEN));
  assert_true(bus_decode(user_refresh_type.schema, fake.sent, BUS_REFUSE_UNKNOWN, fake.arena, &sent, NULL));
  assert_true(bus_unseal(&users, sent.token, token, sizeof token, &len));
  assert_string_equal(token, TOKEN);
  tear_down();
}

/* The pages that may have the cookie used: none without Origin, of another host, port or scheme. */
TEST(A15_a_page_of_another_origin_cannot_use_the_cookie)
{
  static const char *const routes[] = {"POST /api/auth/refresh", "POST /api/auth/logout", "POST /api/auth/login"};
  static const char *const origins[] = {"",
                                        "null",
                                        "http://evil.example",
                                        "http://127.0.0.1:8081",
                                        "http://127.0.0.1",
                                        "http://127.0.0.1:8080.evil.example",
                                        "http://127.0.0.1:8080/",
                                        "https://evil.example/127.0.0.1:8080"};
  set_up_page();
  say(USER_DONE);
  for (size_t i = 0; i < BUS_COUNT(routes); i++)
    for (size_t k = 0; k < BUS_COUNT(origins); k++) {
      fake.origin = k == 0 ? BUS_NO_STR : bus_str(origins[k]);
      (void)call(routes[i], i == 2 ? LOGIN : COOKIE);
      assert_int_equal(fake.status, 403);
      assert_cookie(NULL);
    }
  assert_int_equal(fake.begun, 0);
  tear_down();
}

TEST(A15_plain_http_counts_on_loopback_alone)
{
  assert_true(session_origin_is_own(BUS_STR("https://shop.example"), BUS_STR("shop.example")));
  assert_true(session_origin_is_own(BUS_STR("http://localhost:8080"), BUS_STR("localhost:8080")));
  assert_true(session_origin_is_own(BUS_STR("http://[::1]:8080"), BUS_STR("[::1]:8080")));
  assert_false(session_origin_is_own(BUS_STR("http://shop.example"), BUS_STR("shop.example")));
  assert_false(session_origin_is_own(BUS_STR("https://shop.example"), BUS_NO_STR));
}

TEST(A15_no_cookie_or_two_or_a_malformed_one_is_no_session)
{
  static const char *const cookies[] = {"theme=dark",
                                        "__Host-refresh=",
                                        "__Host-refresh=short",
                                        "__Host-refresh=" TOKEN "; __Host-refresh=" NEXT,
                                        "__host-refresh=" TOKEN,
                                        "x__Host-refresh=" TOKEN,
                                        "__Host-refresh=012345678901234567890123456789012345678901\""};
  set_up_page();
  say(USER_DONE);
  for (size_t i = 0; i < BUS_COUNT(cookies); i++) {
    fake.cookie = bus_str(cookies[i]);
    (void)call("POST /api/auth/refresh", COOKIE);
    assert_int_equal(fake.status, 401);
    assert_cookie(ENDED);
  }
  assert_int_equal(fake.begun, 0);
  tear_down();
}

TEST(A15_no_script_and_no_other_site_has_the_cookie)
{
  struct bus_arena *arena = bus_arena_new(1 << 12);
  assert_true(bus_str_is(session_cookie_set(BUS_STR(NEXT), arena),
                         "__Host-refresh=" NEXT "; Path=/; Secure; HttpOnly; SameSite=Strict"));
  bus_arena_free(arena);
}

TEST(A15_a_session_that_is_over_takes_its_cookie_along)
{
  set_up_page();
  say(USER_INVALID);
  (void)call("POST /api/auth/refresh", COOKIE);
  assert_int_equal(fake.status, 401);
  assert_cookie(ENDED);
  say(USER_DONE);
  (void)call("POST /api/auth/logout", COOKIE);
  assert_int_equal(fake.status, 200);
  assert_cookie(ENDED);
  say(USER_BUSY);
  (void)call("POST /api/auth/refresh", COOKIE);
  assert_int_equal(fake.status, 503);
  assert_cookie(NULL);
  say(USER_REFUSED);
  (void)call("POST /api/auth/login", LOGIN);
  assert_int_equal(fake.status, 401);
  assert_cookie(NULL);
  tear_down();
}

TEST(a_refresh_takes_a_token_or_the_cookie_and_not_both)
{
  set_up_page();
  (void)call("POST /api/auth/refresh", "{}");
  assert_int_equal(fake.status, 400);
  (void)call("POST /api/auth/refresh", "{\"refresh_token\":\"" TOKEN "\",\"cookie\":true}");
  assert_int_equal(fake.status, 400);
  (void)call("POST /api/auth/logout", "{\"cookie\":false}");
  assert_int_equal(fake.status, 400);
  tear_down();
}
