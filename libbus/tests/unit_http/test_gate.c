/* The gate's verdict on a corpus of heads; the rows of the security table that it answers are named. */
#include <bus/http_server.h>

#include <stdio.h>

#include "test.h"

struct head {
  int status;
  const char *method, *path, *version, *fields; /* fields: "Name:value|Name:value" */
};

#define HOST "Host:localhost"

static const struct head framing_heads[] = {
    {0, "POST", "/a", "1.1", HOST "|Content-Length:3"},
    {0, "POST", "/a", "1.1", HOST "|content-length:0"},
    {0, "POST", "/a", "1.1", HOST "|CONTENT-LENGTH:999999"},
    {0, "POST", "/a", "1.1", HOST "|Content-Length:65537"},
    {0, "POST", "/a", "1.1", HOST "|Content-Length:1000000000000"},
    {0, "POST", "/a", "1.1", HOST "|Content-Length:007"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:3|Transfer-Encoding:chunked"},
    {400, "POST", "/a", "1.1", HOST "|Transfer-Encoding:chunked|Content-Length:3"},
    {400, "POST", "/a", "1.1", HOST "|Transfer-Encoding:identity|Content-Length:3"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:3|Content-Length:3"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:3|content-length:4"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:3, 5"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:3,5"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:+3"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:-3"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:0x3"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:3abc"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:3 "},
    {400, "POST", "/a", "1.1", HOST "|Content-Length: 3"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:3.0"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:1e3"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:"},
    {400, "POST", "/a", "1.1", HOST "|Content-Length:12345678901234567890"},
    {0, "POST", "/a", "1.1", HOST "|Transfer-Encoding:chunked"},
    {0, "POST", "/a", "1.1", HOST "|tRANSFER-eNCODING:chunked"},
    {411, "POST", "/a", "1.1", HOST "|Transfer-Encoding:chunked|Transfer-Encoding:chunked"},
    {411, "POST", "/a", "1.1", HOST "|Transfer-Encoding:chunked "},
    {411, "POST", "/a", "1.1", HOST "|Transfer-Encoding:chunked;q=1"},
    {411, "POST", "/a", "1.1", HOST "|transfer-encoding:Chunked"},
    {411, "POST", "/a", "1.1", HOST "|TRANSFER-ENCODING: chunked"},
    {411, "POST", "/a", "1.1", HOST "|Transfer-Encoding:gzip, chunked"},
    {411, "POST", "/a", "1.1", HOST "|Transfer-Encoding:xchunked"},
    {411, "POST", "/a", "1.1", HOST "|Transfer-Encoding:identity"},
    {411, "POST", "/a", "1.1", HOST "|Transfer-Encoding:"},
    {411, "POST", "/a", "1.0", HOST "|Transfer-Encoding:chunked"},
    {417, "POST", "/a", "1.1", HOST "|Expect:200-ok"},
    {417, "POST", "/a", "1.1", HOST "|Expect:100-continue|Expect:100-continue"},
    {0, "POST", "/a", "1.1", HOST "|Expect:100-Continue"},
    {400, "POST", "/a", "1.1", HOST "|Content-Type:a/b|Content-Type:a/b"},
    {400, "POST", "/a", "1.1", HOST "|Authorization:Bearer x|authorization:Bearer y"},
    {400, "POST", "/a", "1.1", HOST "|Idempotency-Key:x|IDEMPOTENCY-KEY:x"},
    {0, "POST", "/a", "1.1", HOST "|Accept:a/b|Accept:a/b"},
};

static const struct head host_heads[] = {
    {0, "GET", "/", "1.1", "Host:localhost"},
    {0, "GET", "/", "1.1", "hOST:localhost:8080"},
    {0, "GET", "/", "1.1", "Host:127.0.0.1:8080"},
    {0, "GET", "/", "1.1", "Host:[::1]:8080"},
    {0, "GET", "/", "1.1", "Host:[::1]"},
    {0, "GET", "/", "1.0", "Host:a.b-c.d"},
    {400, "GET", "/", "1.1", "Accept:*/*"},
    {400, "GET", "/", "1.0", "Accept:*/*"},
    {400, "GET", "/", "1.1", ""},
    {400, "GET", "/", "1.1", "Host:a|Host:a"},
    {400, "GET", "/", "1.1", "Host:a|Host:b"},
    {400, "GET", "/", "1.1", "Host:"},
    {400, "GET", "/", "1.1", "Host::80"},
    {400, "GET", "/", "1.1", "Host:a:b"},
    {400, "GET", "/", "1.1", "Host:a:"},
    {400, "GET", "/", "1.1", "Host:a:123456"},
    {400, "GET", "/", "1.1", "Host:user@a"},
    {400, "GET", "/", "1.1", "Host:a/b"},
    {400, "GET", "/", "1.1", "Host:a b"},
    {400, "GET", "/", "1.1", "Host:a,b"},
    {400, "GET", "/", "1.1", "Host:[::1"},
    {400, "GET", "/", "1.1", "Host:[::1]x"},
    {400, "GET", "/", "1.1", "Host:[zz/]"},
    {0, "GET", "/", "1.1", "Host:[1111:2222:3333:4444:5555:6666:255.255.255.255]:1"},
    {400, "GET", "/", "1.1", "Host:[1111:2222:3333:4444:5555:6666:7777:8888:9999:0]"},
};

static const struct head path_heads[] = {
    {0, "GET", "/", "1.1", HOST},
    {0, "GET", "/api/orders/0b0a-_.x", "1.1", HOST},
    {0, "GET", "/v1.2/x", "1.1", HOST},
    {0, "GET", "/a/.well-known", "1.1", HOST},
    {0, "GET", "/a/", "1.1", HOST},
    {400, "GET", "", "1.1", HOST},
    {400, "GET", "a", "1.1", HOST},
    {400, "GET", "*", "1.1", HOST},
    {400, "GET", "http://localhost/a", "1.1", HOST},
    {400, "GET", "//a", "1.1", HOST},
    {400, "GET", "/a//b", "1.1", HOST},
    {400, "GET", "/..", "1.1", HOST},
    {400, "GET", "/a/../b", "1.1", HOST},
    {0, "GET", "/a/..b", "1.1", HOST},
    {0, "GET", "/a/A..B/...", "1.1", HOST},
    {0, "GET", "/a/sku:1", "1.1", HOST},
    {0, "GET", "/a/sku%3A1", "1.1", HOST},
    {0, "GET", "/a/sku%3a1%2d%5F%2E", "1.1", HOST},
    {400, "GET", "/%2e", "1.1", HOST},
    {400, "GET", "/a/%2E%2e/b", "1.1", HOST},
    {400, "GET", "/a/.%2e", "1.1", HOST},
    {400, "GET", "/a%2Fb", "1.1", HOST},
    {400, "GET", "/a%5cb", "1.1", HOST},
    {400, "GET", "/a%253A", "1.1", HOST},
    {400, "GET", "/a%3", "1.1", HOST},
    {400, "GET", "/a%", "1.1", HOST},
    {400, "GET", "/a%g0", "1.1", HOST},
    {400, "GET", "/a%C3%A9", "1.1", HOST},
    {400, "GET", "/a%20", "1.1", HOST},
    {400, "GET", "/.", "1.1", HOST},
    {400, "GET", "/a/./b", "1.1", HOST},
    {400, "GET", "/a%00", "1.1", HOST},
    {400, "GET", "/a%0d%0aX:y", "1.1", HOST},
    {400, "GET", "/%2f..", "1.1", HOST},
    {0, "GET", "/a%41", "1.1", HOST}, /* no route is matched by it: names of routes stand as they are */
    {400, "GET", "/a;b=c", "1.1", HOST},
    {400, "GET", "/a#b", "1.1", HOST},
    {400, "GET", "/a\\b", "1.1", HOST},
    {400, "GET", "/a b", "1.1", HOST},
    {400, "GET", "/a\x7f", "1.1", HOST},
    {400, "GET", "/\xc3\xa9", "1.1", HOST},
    {400, "GET", "/a?b", "1.1", HOST},
    {400, "GET", "/{id}", "1.1", HOST},
};

static const struct head word_heads[] = {
    {0, "PROPFIND", "/", "1.1", HOST},
    {0, "FOO", "/", "1.1", HOST},
    {400, "", "/", "1.1", HOST},
    {400, "GE T", "/", "1.1", HOST},
    {400, "GET\x01", "/", "1.1", HOST},
    {400, "ABCDEFGHIJKLMNOPQ", "/", "1.1", HOST},
    {505, "GET", "/", "2.0", HOST},
    {505, "GET", "/", "0.9", HOST},
    {505, "GET", "/", "1.1 ", HOST},
    {505, "GET", "/", "", HOST},
    {400, "GET", "/", "1.1", HOST "|Bad Name:x"},
    {400, "GET", "/", "1.1", HOST "|Content-Length :3"},
    {400, "GET", "/", "1.1", HOST "|:x"},
    {400, "GET", "/", "1.1", HOST "|X\x80:x"},
    {400, "GET", "/", "1.1", HOST "|X(:x"},
    {400, "GET", "/", "1.1", HOST "|X:a\x01"},
    {400, "GET", "/", "1.1", HOST "|X:a\x1b[31m"},
    {400, "GET", "/", "1.1", HOST "|X:a\x7f"},
    {400, "GET", "/", "1.1", HOST "|X:a\rb"},
    {400, "GET", "/", "1.1", HOST "|X:a\nb"},
    {0, "GET", "/", "1.1", HOST "|X:a\tb"},
    {0, "GET", "/", "1.1", HOST "|X:\xc3\xa9"},
    {0, "GET", "/", "1.1", HOST "|X:"},
    {0, "GET", "/", "1.1", HOST "|Upgrade:websocket|Connection:Upgrade"},
};

enum { FIELDS_MAX = 80 };

static size_t split(const char *text, struct bus_http_header_view fields[FIELDS_MAX]) {
  size_t count = 0;
  while (*text != '\0') {
    size_t len = strcspn(text, "|"), name = 0;
    while (name < len && (text[name] != ':' || name == 0))
      name++;
    if (text[0] == ':')
      name = 0;
    fields[count++] = (struct bus_http_header_view){{text, name}, {text + name + 1, len - name - 1}};
    text += len + (text[len] == '|');
  }
  return count;
}

static int verdict(const struct head *head) {
  struct bus_http_header_view fields[FIELDS_MAX];
  const char *reason = NULL;
  int status =
      bus_http_gate(head->method, bus_str(head->path), head->version, fields, split(head->fields, fields), &reason);
  assert_non_null(reason);
  assert_true((status == 0) == (reason[0] == '\0'));
  return status;
}

static void check_all(const struct head *heads, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (verdict(&heads[i]) == heads[i].status)
      continue;
    fail_msg("%s %s %s [%s]: %d instead of %d", heads[i].method, heads[i].path, heads[i].version, heads[i].fields,
             verdict(&heads[i]), heads[i].status);
  }
}

TEST(e4_e5_e6_framing_corpus)
{ check_all(framing_heads, BUS_COUNT(framing_heads)); }

TEST(e7_host_corpus)
{ check_all(host_heads, BUS_COUNT(host_heads)); }

TEST(e10_path_corpus)
{ check_all(path_heads, BUS_COUNT(path_heads)); }

TEST(e8_words_corpus)
{ check_all(word_heads, BUS_COUNT(word_heads)); }

TEST(e8_nul_in_a_value_is_refused)
{
  const struct bus_http_header_view fields[] = {{BUS_STR("Host"), BUS_STR("a")}, {BUS_STR("X"), {"a\0b", 3}}};
  const char *reason;
  assert_int_equal(bus_http_gate("GET", BUS_STR("/"), "1.1", fields, 2, &reason), 400);
}

static int verdict_on_count(size_t count) {
  struct bus_http_header_view fields[FIELDS_MAX];
  const char *reason;
  for (size_t i = 0; i < count; i++)
    fields[i] = (struct bus_http_header_view){BUS_STR("X"), BUS_STR("y")};
  fields[0] = (struct bus_http_header_view){BUS_STR("Host"), BUS_STR("localhost")};
  return bus_http_gate("GET", BUS_STR("/"), "1.1", fields, count, &reason);
}

TEST(e3_forty_fields_pass_and_forty_one_do_not)
{
  assert_int_equal(verdict_on_count(40), 0);
  assert_int_equal(verdict_on_count(41), 431);
  assert_int_equal(verdict_on_count(64), 431);
  assert_int_equal(verdict_on_count(71), 431);
}

static int verdict_on_value(size_t len) {
  static char value[16384];
  const char *reason;
  memset(value, 'x', sizeof value);
  const struct bus_http_header_view fields[] = {{BUS_STR("Host"), BUS_STR("a")}, {BUS_STR("X"), {value, len}}};
  return bus_http_gate("GET", BUS_STR("/"), "1.1", fields, 2, &reason);
}

TEST(e3_eight_kib_of_fields_pass_and_more_do_not)
{
  size_t others = strlen("/") + strlen("Host") + strlen("a") + strlen("X") + 2 * 4;
  assert_int_equal(verdict_on_value(8192 - others), 0);
  assert_int_equal(verdict_on_value(8192 - others + 1), 431);
}

TEST(a_path_over_2048_bytes_is_refused)
{
  static char path[3000];
  const struct bus_http_header_view host = {BUS_STR("Host"), BUS_STR("a")};
  const char *reason;
  memset(path, 'a', sizeof path);
  path[0] = '/';
  assert_int_equal(bus_http_gate("GET", (struct bus_str){path, 2048}, "1.1", &host, 1, &reason), 0);
  assert_int_equal(bus_http_gate("GET", (struct bus_str){path, 2049}, "1.1", &host, 1, &reason), 414);
}
