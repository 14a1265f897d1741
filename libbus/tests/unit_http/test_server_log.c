/* The access log: a line for each request with ids that the answer carries too, and no byte of what the client sent but
 * a well-formed request id. */
#include <bus/log.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

#define POST "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

static char logged[64 * 1024];
static int saved_stderr;

static struct fixture begin_with(struct bus_http_settings settings) {
  FILE *file = tmpfile();
  assert_non_null(file);
  saved_stderr = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  fclose(file);
  bus_log_init("test", BUS_ERROR); /* the access log does not ask for the level */
  settings.metrics_name = "api";
  return fixture_start(settings);
}

static struct fixture begin(enum bus_access_log access_log) {
  return begin_with((struct bus_http_settings){.access_log = access_log});
}

/* Stops the server, so that each request has had its line; then `logged` holds them. */
static void end(struct fixture *fixture) {
  fixture_stop(fixture);
  assert_true(bus_log_flush(10000));
  lseek(STDERR_FILENO, 0, SEEK_SET);
  ssize_t len = read(STDERR_FILENO, logged, sizeof logged - 1);
  dup2(saved_stderr, STDERR_FILENO);
  close(saved_stderr);
  assert_true(len >= 0);
  logged[len] = '\0';
}

static size_t lines(void) {
  size_t count = 0;
  for (const char *c = logged; *c; c++)
    count += *c == '\n';
  return count;
}

static void assert_logged(const char *text) {
  if (strstr(logged, text) == NULL)
    fail_msg("\"%s\" is not in\n%s", text, logged);
}

static void assert_not_logged(const char *text) {
  if (strstr(logged, text) != NULL)
    fail_msg("\"%s\" is in\n%s", text, logged);
}

/* The value of a header of the answer, which has it once. */
static const char *header_of(const struct raw_answer *answer, const char *name) {
  static char value[256];
  char line[64];
  snprintf(line, sizeof line, "\r\n%s: ", name);
  const char *at = strstr(answer->text, line);
  assert_non_null(at);
  at += strlen(line);
  assert_null(strstr(at, line));
  snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
  return value;
}

TEST(access_log_has_a_line_for_each_request)
{
  struct fixture fixture = begin(BUS_ACCESS_ALL);
  assert_int_equal(raw_status(raw_talk(fixture.port, POST "Content-Length: 5\r\n\r\n[1,2]", 5000)), 200);
  assert_int_equal(raw_status(raw_talk(fixture.port, GET("/item/secret-id") "\r\n", 5000)), 200);
  assert_int_equal(raw_status(raw_talk(fixture.port, GET("/nowhere?token=secret") "\r\n", 5000)), 404);
  assert_int_equal(raw_status(raw_talk(fixture.port, GET("/stream") "\r\n", 5000)), 200);
  end(&fixture);
  assert_int_equal(lines(), 4);
  assert_logged("\"level\":\"info\",\"service\":\"test\",\"msg\":\"request\",\"listener\":\"api\",\"method\":\"POST\","
                "\"route\":\"/echo\",\"status\":200,\"duration_us\":");
  assert_logged("\"bytes\":5,\"trace_id\":\"");
  assert_logged("\"method\":\"GET\",\"route\":\"/item/{id}\",\"status\":200");
  assert_logged("\"method\":\"GET\",\"route\":\"other\",\"status\":404");
  assert_logged("\"bytes\":3011,\"trace_id\":\"");
  assert_not_logged("secret");
}

TEST(access_log_of_errors_alone)
{
  struct fixture fixture = begin(BUS_ACCESS_ERRORS);
  assert_int_equal(raw_status(raw_talk(fixture.port, GET("/show") "\r\n", 5000)), 200);
  assert_int_equal(raw_status(raw_talk(fixture.port, GET("/nowhere") "\r\n", 5000)), 404);
  end(&fixture);
  assert_int_equal(lines(), 1);
  assert_logged("\"status\":404");
}

TEST(access_log_can_be_switched_off)
{
  struct fixture fixture = begin(BUS_ACCESS_OFF);
  assert_int_equal(raw_status(raw_talk(fixture.port, GET("/nowhere") "\r\n", 5000)), 404);
  end(&fixture);
  assert_string_equal(logged, "");
}

TEST(access_log_leaves_out_answered_probes)
{
  struct fixture fixture = begin(BUS_ACCESS_ALL);
  assert_int_equal(raw_status(raw_talk(fixture.port, GET("/probe") "\r\n", 5000)), 200);
  assert_int_equal(raw_status(raw_talk(fixture.port, GET("/probe?a=%") "\r\n", 5000)), 400);
  end(&fixture);
  assert_int_equal(lines(), 1);
  assert_logged("\"route\":\"/probe\",\"status\":400");
}

TEST(access_log_has_what_a_handler_notes)
{
  struct fixture fixture = begin(BUS_ACCESS_ALL);
  assert_int_equal(raw_status(raw_talk(fixture.port, GET("/noted") "\r\n", 5000)), 200);
  end(&fixture);
  assert_logged(",\"first\":\"1\",\"second\":\"a\\\"b\\n\",\"third\":\"3\",\"fourth\":\"4\"}\n");
  assert_not_logged("fifth");
}

/* The client of a request with these lines, as it is logged; lines end with CR LF. */
static void client_of(const struct bus_networks *trusted, const char *lines_sent, char ret[17]) {
  static const uint8_t key[32] = "a key";
  char request[512];
  struct fixture fixture = begin_with(
      (struct bus_http_settings){.access_log = BUS_ACCESS_ALL, .trusted_proxies = trusted, .client_key = key});
  snprintf(request, sizeof request, GET("/noted") "%s\r\n", lines_sent);
  assert_int_equal(raw_status(raw_talk(fixture.port, request, 5000)), 200);
  end(&fixture);
  assert_logged(",\"fourth\":\"4\"}\n");
  const char *at = strstr(logged, "\"client\":\"");
  assert_non_null(at);
  snprintf(ret, 17, "%.16s", at + strlen("\"client\":\""));
  assert_not_logged("203.0.113");
}

TEST(R2_forwarded_addresses_count_if_a_trusted_proxy_says_them)
{
  char peer[17], first[17], client[17];
  struct bus_networks local;
  struct bus_error err;
  assert_true(bus_networks_parse("127.0.0.0/8,10.0.0.0/8", &local, &err));
  client_of(NULL, "", peer);
  client_of(NULL, "X-Forwarded-For: 203.0.113.1\r\n", client);
  assert_string_equal(client, peer);
  client_of(&local, "Forwarded: for=203.0.113.1\r\nX-Real-IP: 203.0.113.1\r\n", client);
  assert_string_equal(client, peer);
  client_of(&local, "X-Forwarded-For: 203.0.113.1\r\n", first);
  assert_string_not_equal(first, peer);
  client_of(&local, "x-forwarded-for: 203.0.113.9, 203.0.113.1, 10.0.0.5\r\n", client);
  assert_string_equal(client, first);
  client_of(&local, "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 203.0.113.1\r\n", client);
  assert_string_equal(client, first);
  client_of(&local, "X-Forwarded-For: 203.0.113.1,\r\nX-Forwarded-For: 10.0.0.5\r\n", client);
  assert_string_not_equal(client, first); /* behind 10.0.0.5 stands no address */
}

/* The trace id of every problem stands in a line of the log, whoever refused the request. */
TEST(access_log_has_the_trace_of_every_problem)
{
  static const char *const requests[] = {
      GET("/nowhere") "\r\n",
      GET("/problems") "\r\n",
      GET("/silent") "\r\n",
      POST "Content-Length: 65537\r\n\r\n",
      POST "Content-Length: 1, 2\r\n\r\n",
      POST "Transfer-Encoding: chunked\r\n\r\nx",
      "FOO /echo HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /show HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET /show HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n",
      "GARBAGE\r\n\r\n",
  };
  static char traces[BUS_COUNT(requests)][64];
  struct fixture fixture = begin(BUS_ACCESS_ERRORS);
  for (size_t i = 0; i < BUS_COUNT(requests); i++) {
    const struct raw_answer *answer = raw_talk(fixture.port, requests[i], 5000);
    const char *at = strstr(raw_body(answer), "\"trace_id\":\"");
    assert_non_null(at);
    snprintf(traces[i], sizeof traces[i], "%.45s", at); /* with the name and both quotes */
    assert_memory_equal(at + strlen("\"trace_id\":\""), header_of(answer, "traceparent") + 3, 32);
    (void)header_of(answer, "X-Request-Id");
  }
  end(&fixture);
  assert_int_equal(lines(), BUS_COUNT(requests));
  for (size_t i = 0; i < BUS_COUNT(requests); i++)
    assert_logged(traces[i]);
}

TEST(l3_a_trace_is_continued_and_comes_back)
{
  struct fixture fixture = begin(BUS_ACCESS_ALL);
  const struct raw_answer *answer = raw_talk(
      fixture.port, GET("/show") "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n\r\n", 5000);
  assert_memory_equal(header_of(answer, "traceparent"), "00-0123456789abcdef0123456789abcdef-", 36);
  answer = raw_talk(fixture.port,
                    GET("/show") "traceparent: 00-0123456789ABCDEF0123456789abcdef-0123456789abcdef-01\r\n\r\n", 5000);
  assert_null(strstr(header_of(answer, "traceparent"), "0123456789abcdef"));
  end(&fixture);
  assert_logged("\"trace_id\":\"0123456789abcdef0123456789abcdef\"");
}

TEST(a_request_id_that_is_well_formed_is_kept)
{
  static const char *const ids[] = {
      "a", "018f0000-0000-7000-8000-000000000001", "Root=1-67891233-abcdef012345678912345678",
      "A.b_c~d:e+f/g=", "0123456789012345678901234567890123456789012345678901234567890123"};
  struct fixture fixture = begin(BUS_ACCESS_ALL);
  for (size_t i = 0; i < BUS_COUNT(ids); i++) {
    char request[256];
    snprintf(request, sizeof request, GET("/show") "x-request-ID: %s\r\n\r\n", ids[i]);
    assert_string_equal(header_of(raw_talk(fixture.port, request, 5000), "X-Request-Id"), ids[i]);
  }
  end(&fixture);
  for (size_t i = 0; i < BUS_COUNT(ids); i++) {
    char field[128];
    snprintf(field, sizeof field, "\"request_id\":\"%s\"", ids[i]);
    assert_logged(field);
  }
}

TEST(l1_nothing_that_a_client_sends_forges_a_line)
{
  static const char *const lines_sent[] = {
      "X-Request-Id: a\\\",\\\"status\\\":200",
      "X-Request-Id: EVIL \x1b[31m",
      "X-Request-Id: EVIL,EVIL",
      "X-Request-Id:",
      "X-Request-Id: EVIL\xff\xfe",
      "X-Request-Id: EVIL\r\nX-Request-Id: EVIL",
      "X-Request-Id: EVIL-678901234567890123456789012345678901234567890123456789012345",
      "X-Request-Id: EVIL%0d%0aEVIL",
      "User-Agent: EVIL",
      "Authorization: Bearer EVIL",
      "Idempotency-Key: EVIL",
      "Referer: EVIL",
      "X-Forwarded-For: EVIL"};
  struct fixture fixture = begin(BUS_ACCESS_ALL);
  for (size_t i = 0; i < BUS_COUNT(lines_sent); i++) {
    char request[512];
    snprintf(request, sizeof request, GET("/item/EVIL?a=EVIL%%0a") "%s\r\n\r\n", lines_sent[i]);
    const struct raw_answer *answer = raw_talk(fixture.port, request, 5000);
    assert_int_equal(strlen(header_of(answer, "X-Request-Id")), 36);
  }
  (void)raw_talk(fixture.port, "EVIL /EVIL HTTP/1.1\r\nHost: EVIL\r\n\r\n", 5000);
  (void)raw_talk(fixture.port, POST "Content-Length: 6\r\n\r\n\"EVIL\"", 5000);
  end(&fixture);
  assert_int_equal(lines(), BUS_COUNT(lines_sent) + 2);
  assert_not_logged("EVIL");
  assert_not_logged("\x1b");
}
