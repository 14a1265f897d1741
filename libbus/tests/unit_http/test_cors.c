/* Requests of pages in browsers, entity tags, and paths without their prefix. */
#include <stdio.h>

#include "fixture.h"
#include "test.h"

#define END "Host: a\r\nConnection: close\r\n"
#define ORIGIN "Origin: https://shop.example\r\n"

static const struct raw_answer *ask(int port, const char *line, const char *headers) {
  static char request[1024];
  snprintf(request, sizeof request, "%s HTTP/1.1\r\n" END "%s\r\n", line, headers);
  return raw_talk(port, request, 5000);
}

static bool has(const struct raw_answer *answer, const char *text) {
  return strstr(answer->text, text) != NULL;
}

static struct fixture start(void) {
  static const char *const origins[] = {"https://shop.example", "http://localhost:3000", NULL};
  return fixture_start((struct bus_http_settings){.origins = origins});
}

TEST(a_page_of_a_listed_origin_may_read_responses_and_errors)
{
  struct fixture fixture = start();
  static const struct {
    const char *line;
    int status;
  } cases[] = {{"GET /item/7", 200}, {"GET /nowhere", 404}, {"PATCH /item/7", 405}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    const struct raw_answer *answer = ask(fixture.port, cases[i].line, ORIGIN);
    assert_int_equal(raw_status(answer), cases[i].status);
    assert_true(raw_has_line(answer, "Access-Control-Allow-Origin: https://shop.example"));
    assert_true(raw_has_line(answer, "Vary: Origin"));
    assert_true(has(answer, "Access-Control-Expose-Headers: ETag, "));
    assert_false(has(answer, "Allow-Credentials"));
  }
  fixture_stop(&fixture);
}

TEST(a_page_of_another_origin_may_not)
{
  struct fixture fixture = start();
  static const char *const others[] = {"",
                                       "Origin: https://shop.example.evil\r\n",
                                       "Origin: http://shop.example\r\n",
                                       "Origin: null\r\n",
                                       "Origin: *\r\n",
                                       "Origin: https://shop.example\r\nOrigin: https://evil\r\n"};
  for (size_t i = 0; i < BUS_COUNT(others); i++) {
    const struct raw_answer *answer = ask(fixture.port, "GET /item/7", others[i]);
    assert_int_equal(raw_status(answer), 200);
    assert_false(has(answer, "Access-Control-"));
    assert_true(raw_has_line(answer, "Vary: Origin"));
  }
  fixture_stop(&fixture);
}

#define WANTS ORIGIN "Access-Control-Request-Method: POST\r\n"

TEST(a_preflight_of_a_listed_origin_names_the_methods_of_the_path)
{
  struct fixture fixture = start();
  int handled = fixture_handled();
  const struct raw_answer *answer = ask(fixture.port, "OPTIONS /item/7", WANTS);
  assert_int_equal(raw_status(answer), 204);
  assert_true(raw_has_line(answer, "Access-Control-Allow-Origin: https://shop.example"));
  assert_true(raw_has_line(answer, "Access-Control-Allow-Methods: GET, HEAD, DELETE"));
  assert_true(has(answer, "Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, If-Match"));
  assert_int_equal(raw_count(answer), 1);
  assert_int_equal(fixture_handled(), handled);
  assert_int_equal(raw_status(ask(fixture.port, "OPTIONS /nowhere", WANTS)), 404);
  fixture_stop(&fixture);
}

TEST(every_other_options_is_405)
{
  struct fixture fixture = start(), closed = fixture_start((struct bus_http_settings){0});
  assert_int_equal(raw_status(ask(fixture.port, "OPTIONS /item/7", ORIGIN)), 405);
  assert_int_equal(raw_status(ask(fixture.port, "OPTIONS /item/7", "Access-Control-Request-Method: GET\r\n")), 405);
  assert_int_equal(raw_status(ask(fixture.port, "OPTIONS /item/7",
                                  "Origin: https://evil\r\nAccess-Control-Request-Method: GET\r\n")),
                   405);
  const struct raw_answer *answer = ask(closed.port, "OPTIONS /item/7", WANTS);
  assert_int_equal(raw_status(answer), 405);
  assert_false(has(answer, "Access-Control-"));
  assert_false(has(answer, "Vary:"));
  fixture_stop(&fixture);
  fixture_stop(&closed);
}

TEST(any_origin_is_an_asterisk_without_credentials)
{
  static const char *const any[] = {"*", NULL};
  struct fixture fixture = fixture_start((struct bus_http_settings){.origins = any});
  const struct raw_answer *answer = ask(fixture.port, "GET /item/7", "Origin: https://anyone\r\n");
  assert_true(raw_has_line(answer, "Access-Control-Allow-Origin: *"));
  assert_false(has(answer, "Allow-Credentials"));
  fixture_stop(&fixture);
}

TEST(a_path_that_no_route_has_is_looked_for_behind_the_prefix)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){.default_prefix = "/item"});
  assert_string_equal(raw_body(ask(fixture.port, "GET /SKU%2D1", "")), "SKU-1");
  assert_string_equal(raw_body(ask(fixture.port, "GET /item/SKU-1", "")), "SKU-1");
  assert_int_equal(raw_status(ask(fixture.port, "GET /show", "")), 200); /* a route of its own comes first */
  assert_int_equal(raw_status(ask(fixture.port, "POST /SKU-1", "Content-Length: 0\r\n")), 405);
  assert_int_equal(raw_status(ask(fixture.port, "GET /SKU-1/more", "")), 404);
  fixture_stop(&fixture);
}

TEST(the_entity_tag_that_a_client_knows_is_304)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  static const char *const known[] = {"\"7\"", "W/\"7\"", "*", "\"6\", \"7\"", "\"6\",W/\"7\""}, *const other[] = {
                                                                                                     "\"8\"",   "7",
                                                                                                     "\"77\"",  "",
                                                                                                     "w/\"7\"", "\"7"};
  char header[64];
  for (size_t i = 0; i < BUS_COUNT(known); i++) {
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", known[i]);
    const struct raw_answer *answer = ask(fixture.port, "GET /tagged", header);
    assert_int_equal(raw_status(answer), 304);
    assert_true(raw_has_line(answer, "ETag: \"7\""));
    assert_string_equal(raw_body(answer), "");
    assert_int_equal(raw_status(ask(fixture.port, "HEAD /tagged", header)), 304);
  }
  for (size_t i = 0; i < BUS_COUNT(other); i++) {
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", other[i]);
    const struct raw_answer *answer = ask(fixture.port, "GET /tagged", header);
    assert_int_equal(raw_status(answer), 200);
    assert_string_equal(raw_body(answer), "tagged");
  }
  fixture_stop(&fixture);
}
