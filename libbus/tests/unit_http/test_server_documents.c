/* Documents with an entity tag: whole, or 304 for a client that has them. */
#include "fixture.h"
#include "raw_client.h"
#include "test.h"

#include <stdio.h>

static const struct raw_answer *get(int port, const char *method, const char *header) {
  char request[512];
  snprintf(request, sizeof request, "%s /document HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", method,
           header);
  return raw_talk(port, request, 5000);
}

static void assert_tagged(const struct raw_answer *answer, int status, const char *body) {
  assert_int_equal(raw_status(answer), status);
  assert_true(raw_has_line(answer, "ETag: \"v1\""));
  assert_true(raw_has_line(answer, "Cache-Control: public, max-age=300"));
  assert_string_equal(raw_body(answer), body);
}

TEST(a_document_is_sent_whole_with_its_tag)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  static const char *const others[] = {"", "If-None-Match: \"v2\"\r\n", "If-None-Match: v1\r\n", "If-None-Match: \r\n",
                                       "If-None-Match: \"v1\"\r\nIf-None-Match: \"v1\"\r\n"};
  for (size_t i = 0; i < BUS_COUNT(others); i++) {
    const struct raw_answer *answer = get(fixture.port, "GET", others[i]);
    assert_tagged(answer, 200, "text");
    assert_true(raw_has_line(answer, "Content-Length: 4"));
  }
  fixture_stop(&fixture);
}

TEST(a_client_that_has_the_document_gets_304)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  static const char *const known[] = {"If-None-Match: \"v1\"\r\n", "If-None-Match: W/\"v1\"\r\n",
                                      "If-None-Match: \"v2\", W/\"v3\" , \"v1\"\r\n", "If-None-Match: *\r\n"};
  for (size_t i = 0; i < BUS_COUNT(known); i++) {
    assert_tagged(get(fixture.port, "GET", known[i]), 304, "");
    assert_tagged(get(fixture.port, "HEAD", known[i]), 304, "");
  }
  fixture_stop(&fixture);
}
