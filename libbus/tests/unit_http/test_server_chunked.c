/* Chunked request bodies over real sockets, as streams of curl, Node, Python and .NET send them; and the bodies and
 * conditions that are refused. */
#include <bus/clock.h>

#include <stdio.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

#define POST "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define SMUGGLED "GET /show HTTP/1.1\r\nHost: a\r\n\r\n"

static void assert_echo(const struct raw_answer *answer, const char *body) {
  assert_int_equal(raw_status(answer), 200);
  assert_int_equal(raw_count(answer), 1);
  assert_true(answer->closed);
  assert_true(raw_has_line(answer, "Connection: close"));
  assert_string_equal(raw_body(answer), body);
}

TEST(chunked_post_is_answered_and_the_connection_closed)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  assert_echo(raw_talk(fixture.port, CHUNKED "2\r\n{}\r\n0\r\n\r\n", 5000), "{}");
  assert_echo(raw_talk(fixture.port, CHUNKED "0\r\n\r\n", 5000), "");
  assert_echo(raw_talk(fixture.port, POST "transfer-encoding:chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" SMUGGLED, 5000),
              "abc");
  assert_echo(raw_talk(fixture.port, CHUNKED "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n" SMUGGLED SMUGGLED, 5000), "{}");
  fixture_stop(&fixture);
}

static void send_in_pieces(int fd, const char *text, size_t piece) {
  for (size_t at = 0, len = strlen(text); at < len; at += piece) {
    raw_send(fd, text + at, piece < len - at ? piece : len - at);
    usleep(2000); /* its own segment, mostly; the answer is the same in any case */
  }
}

TEST(chunked_post_in_pieces_of_any_size)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  static const char request[] = CHUNKED "5\r\nhello\r\n00000006\r\n world\r\n0\r\n\r\n";
  static const size_t pieces[] = {1, 7, 40, sizeof CHUNKED - 1, sizeof CHUNKED + 2};
  for (size_t i = 0; i < BUS_COUNT(pieces); i++) {
    int fd = raw_connect(fixture.port);
    send_in_pieces(fd, request, pieces[i]);
    raw_read_to_end(fd, 5000, &answer);
    assert_echo(&answer, "hello world");
    close(fd);
  }
  fixture_stop(&fixture);
}

TEST(chunked_post_on_a_kept_connection_behind_others)
{
  static struct raw_answer answer;
  static const char length[] = POST "Content-Length: 4\r\n\r\nabcd";
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  int fd = raw_connect(fixture.port);
  for (int i = 0; i < 3; i++) {
    raw_send(fd, length, strlen(length));
    raw_read_one(fd, 5000, false, &answer);
    assert_int_equal(raw_status(&answer), 200);
  }
  static const char pipelined[] = POST "Content-Length: 2\r\n\r\n[]" CHUNKED "3\r\nxyz\r\n0\r\n\r\n" SMUGGLED;
  raw_send(fd, pipelined, strlen(pipelined));
  raw_read_to_end(fd, 5000, &answer);
  assert_int_equal(raw_count(&answer), 2);
  assert_true(answer.closed);
  assert_string_equal(answer.text + answer.len - 3, "xyz");
  close(fd);
  fixture_stop(&fixture);
}

static size_t make_large(char *request, size_t size, size_t body, size_t chunk) {
  size_t len = (size_t)snprintf(request, size, CHUNKED);
  for (size_t left = body; left > 0;) {
    size_t take = chunk < left ? chunk : left;
    len += (size_t)snprintf(request + len, size - len, "%zx\r\n", take);
    memset(request + len, 'x', take);
    len += take;
    len += (size_t)snprintf(request + len, size - len, "\r\n");
    left -= take;
  }
  return len + (size_t)snprintf(request + len, size - len, "0\r\n\r\n");
}

TEST(chunked_limit_counts_the_body_and_twice_it_on_the_wire)
{
  static char request[400000];
  static const struct {
    size_t body, chunk;
    int status;
  } rows[] = {{65536, 65536, 200}, {65536, 1000, 200}, {65536, 16, 200}, {65537, 65536, 413},
              {65537, 1000, 413},  {21000, 1, 200},    {22000, 1, 413},  {200000, 50000, 413}};
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  for (size_t i = 0; i < BUS_COUNT(rows); i++) {
    (void)make_large(request, sizeof request, rows[i].body, rows[i].chunk);
    const struct raw_answer *answer = raw_talk(fixture.port, request, 8000);
    if (raw_status(answer) != rows[i].status || !answer->closed)
      fail_msg("%zu bytes in chunks of %zu: %d", rows[i].body, rows[i].chunk, raw_status(answer));
    if (rows[i].status == 200)
      assert_int_equal(strlen(raw_body(answer)), rows[i].body);
  }
  fixture_stop(&fixture);
}

TEST(chunked_forms_that_are_no_plain_chunks_are_refused)
{
  static const char *const bodies[] = {"5;a=b\r\nhello\r\n0\r\n\r\n",
                                       "5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n",
                                       "000000005\r\nhello\r\n0\r\n\r\n",
                                       "1\r5\r\nhello\r\n0\r\n\r\n",
                                       "+5\r\nhello\r\n0\r\n\r\n",
                                       "5\nhello\n0\n\n",
                                       "5\r\nhello!\r\n0\r\n\r\n",
                                       "0\r\nGET /show HTTP/1.1\r\nHost: a\r\n\r\n",
                                       "{\"a\":1}",
                                       "ffffffffffffffff\r\nhello\r\n"};
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  for (size_t i = 0; i < BUS_COUNT(bodies); i++) {
    char request[512];
    snprintf(request, sizeof request, CHUNKED "%s" SMUGGLED, bodies[i]);
    assert_refused(fixture.port, request, 400);
  }
  fixture_stop(&fixture);
}

TEST(chunked_head_with_blanks_before_it_is_not_read)
{
  int before = fixture_handled();
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  const struct raw_answer *answer = raw_talk(fixture.port, "                " CHUNKED "2\r\n{}\r\n0\r\n\r\n", 5000);
  assert_true(raw_status(answer) == 411 || raw_status(answer) == 400);
  assert_true(answer->closed);
  assert_int_equal(raw_count(answer), 1);
  assert_int_equal(fixture_handled(), before);
  fixture_stop(&fixture);
}

TEST(chunked_body_is_refused_where_no_body_or_another_type_belongs)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  assert_refused(fixture.port, "POST /bodiless HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 413);
  assert_refused(fixture.port, "GET /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413);
  assert_refused(fixture.port,
                 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "2\r\n{}\r\n0\r\n\r\n",
                 415);
  fixture_stop(&fixture);
}

TEST(chunked_body_of_a_client_that_stops_is_given_up_at_the_deadline)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){.body_deadline_ms = 300});
  const struct raw_answer *answer = raw_talk(fixture.port, CHUNKED "5\r\nhel", 8000);
  assert_int_equal(raw_status(answer), 408);
  assert_true(answer->closed);
  fixture_stop(&fixture);
}

/* A byte each 50 ms never comes to an end; the deadline is for the whole body. */
TEST(chunked_body_that_drips_is_given_up_at_the_deadline)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){.body_deadline_ms = 500});
  int fd = raw_connect(fixture.port);
  raw_send(fd, CHUNKED, strlen(CHUNKED));
  int64_t began = bus_monotonic();
  do {
    raw_send(fd, "1\r\nx\r\n", 6);
    raw_read_to_end(fd, 50, &answer);
  } while (answer.len == 0 && bus_monotonic() - began < 20 * BUS_SECOND);
  assert_int_equal(raw_status(&answer), 408);
  close(fd);
  fixture_stop(&fixture);
}

TEST(chunked_expect_continue_is_answered_behind_the_gate_alone)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  int fd = raw_connect(fixture.port);
  static const char head[] = POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
  raw_send(fd, head, strlen(head));
  raw_read_one(fd, 5000, true, &answer);
  assert_int_equal(raw_status(&answer), 100);
  raw_send(fd, "2\r\n{}\r\n0\r\n\r\n", 12);
  raw_read_to_end(fd, 5000, &answer);
  assert_echo(&answer, "{}");
  close(fd);
  assert_refused(fixture.port,
                 "POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
                 404);
  assert_refused(fixture.port,
                 "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", 415);
  fixture_stop(&fixture);
}

#define ENCODED(name) POST "Content-Encoding: " name "\r\nContent-Length: 2\r\n\r\n{}"

TEST(a_content_encoding_other_than_identity_is_refused)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  static const char *const requests[] = {ENCODED("gzip"),
                                         ENCODED("br"),
                                         ENCODED("identity, gzip"),
                                         ENCODED(""),
                                         ENCODED("identity\r\nContent-Encoding: gzip"),
                                         POST "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"};
  for (size_t i = 0; i < BUS_COUNT(requests); i++)
    assert_refused(fixture.port, requests[i], 415);
  assert_true(raw_has_line(raw_talk(fixture.port, requests[0], 5000), "Accept-Encoding: identity"));
  assert_int_equal(raw_status(raw_talk(fixture.port, ENCODED("identity"), 500)), 200);
  fixture_stop(&fixture);
}

TEST(a_precondition_is_never_ignored)
{
  static const char *const conditions[] = {"If-Match: \"1\"", "if-match: *", "If-None-Match: *",
                                           "If-Unmodified-Since: Sat, 29 Oct 1994 19:43:31 GMT"};
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  char request[512];
  for (size_t i = 0; i < BUS_COUNT(conditions); i++) {
    snprintf(request, sizeof request, POST "%s\r\nContent-Length: 2\r\n\r\n{}", conditions[i]);
    assert_refused(fixture.port, request, 412);
    snprintf(request, sizeof request, "DELETE /item/1 HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", conditions[i]);
    assert_refused(fixture.port, request, 412);
    snprintf(request, sizeof request, "GET /show HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n\r\n",
             conditions[i]);
    assert_int_equal(raw_status(raw_talk(fixture.port, request, 5000)), i < 2 ? 412 : 200);
  }
  fixture_stop(&fixture);
}

/* An If-Match that comes twice, and that a handler would not see, must not make the request unconditional. */
TEST(a_conditional_route_takes_each_tag_condition_once)
{
  static const char *const kept[] = {"If-Match: \"1\"", "If-None-Match: *"};
  static const char *const refused[] = {"If-Match: \"1\"\r\nif-match: \"2\"", "If-None-Match: *\r\nIf-None-Match: *",
                                        "If-Unmodified-Since: Sat, 29 Oct 1994 19:43:31 GMT"};
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  char request[512];
  for (size_t i = 0; i < BUS_COUNT(kept); i++) {
    snprintf(request, sizeof request, "PUT /conditional HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n\r\n",
             kept[i]);
    assert_int_equal(raw_status(raw_talk(fixture.port, request, 5000)), 204);
  }
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    snprintf(request, sizeof request, "PUT /conditional HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", refused[i]);
    assert_refused(fixture.port, request, 412);
  }
  fixture_stop(&fixture);
}
