/* Tests that the distances between the words of a parsed head reveal errors. Heads are parsed here as civetweb parses
 * them: in place, leniently, with NULs over separators. */
#include <stdalign.h>
#include <stdlib.h>

#include "../../src/http/civetweb/layout.h"
#include "test.h"

enum { FIELDS_MAX = 16 };

struct parsed {
  struct http_layout layout;
  struct http_layout_field fields[FIELDS_MAX];
};

static bool is_space(char c) {
  return c == ' ' || c == '\r' || c == '\n';
}

static const char *take_word(char **text) {
  const char *word = *text;
  while (**text > ' ')
    (*text)++;
  while (is_space(**text))
    *(*text)++ = '\0';
  return word;
}

static bool take_field(char **text, struct http_layout_field *ret) {
  char *c = *text;
  while (*c > ' ' && *c != ':')
    c++;
  if (c == *text)
    return false;
  ret->name = *text;
  while (*c == ' ')
    *c++ = '\0';
  *c++ = '\0';
  while (*c == ' ')
    c++;
  ret->value = c;
  while (*c != '\0' && *c != '\r' && *c != '\n')
    c++;
  if (*c == '\r')
    *c++ = '\0';
  if (*c == '\n')
    *c++ = '\0';
  *text = c;
  return *c != '\0' && *c != '\r' && *c != '\n';
}

/* offset: how far from an aligned address the head starts. */
static bool is_canonical_at(const char *head, size_t offset) {
  alignas(HTTP_LAYOUT_ALIGNMENT) char buffer[1024] = {0};
  struct parsed parsed = {0};
  size_t len = strlen(head);
  memcpy(buffer + offset, head, len);
  buffer[offset + len - 1] = '\0';
  char *text = buffer + offset;
  while (is_space(*text))
    text++;
  parsed.layout.method = take_word(&text);
  parsed.layout.target = take_word(&text);
  parsed.layout.version = take_word(&text) + strlen("HTTP/");
  char *mark = strchr(parsed.layout.target, '?');
  if (mark) {
    *mark = '\0';
    parsed.layout.query = mark + 1;
  }
  while (parsed.layout.field_count < FIELDS_MAX) {
    char *before = text;
    bool more = take_field(&text, &parsed.fields[parsed.layout.field_count]);
    parsed.layout.field_count += text != before;
    if (!more)
      break;
  }
  parsed.layout.fields = parsed.fields;
  assert_true(parsed.layout.field_count == 0 || http_layout_span(&parsed.layout) >= 16);
  return http_layout_is_canonical(&parsed.layout);
}

static bool is_canonical(const char *head) {
  return is_canonical_at(head, 0);
}

TEST(an_ordinary_head_is_canonical)
{
  assert_true(is_canonical("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  assert_true(is_canonical("POST /a/b HTTP/1.1\r\nHost:a\r\nContent-Length: 3\r\nX: b c \r\n\r\n"));
  assert_true(is_canonical("GET /a?b=c&d HTTP/1.1\r\nHost: a\r\nEmpty:\r\nY:   z\r\n\r\n"));
  assert_true(is_canonical("GET /a? HTTP/1.1\r\nHost: a\r\nLast:\r\n\r\n"));
}

TEST(e8_a_bare_line_feed_is_seen)
{
  assert_false(is_canonical("GET / HTTP/1.1\nHost: a\r\n\r\n"));
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"));
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost: a\n\n"));
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost: a\r\n\n"));
  assert_false(is_canonical("GET / HTTP/1.1\nHost: a\nX: b\n\n"));
}

TEST(e8_a_folded_line_is_seen)
{
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"));
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost: a\r\n Content-Length: 5\r\nX: b\r\n\r\n"));
  assert_false(is_canonical("GET / HTTP/1.1\r\n Host: a\r\n\r\n"));
}

TEST(e8_a_space_before_the_colon_is_seen)
{
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost : a\r\n\r\n"));
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding   :chunked\r\n\r\n"));
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost: a\r\nX :\r\n\r\n"));
}

TEST(e8_a_line_that_hides_the_rest_is_seen)
{
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost: a\r\n:\r\nContent-Length: 5\r\n\r\n"));
  assert_false(is_canonical("GET / HTTP/1.1\r\nHost: a\r\n\x01\r\nContent-Length: 5\r\n\r\n"));
}

TEST(spaces_in_the_request_line_are_seen)
{
  assert_false(is_canonical("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"));
  assert_false(is_canonical("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"));
}

TEST(blank_lines_before_the_method_are_seen)
{
  assert_false(is_canonical("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  assert_false(is_canonical_at("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 4));
  assert_true(is_canonical_at("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 32));
}

TEST(a_head_without_fields_is_not_canonical)
{ assert_false(is_canonical("GET / HTTP/1.1\r\n\r\n")); }
