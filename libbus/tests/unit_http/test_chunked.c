/* The chunked coding: whole, cut anywhere, and every form that is refused. */
#include "../../src/http/chunked.h"

#include <stdio.h>

#include "test.h"

enum { LIMIT = 64 };

struct outcome {
  enum http_chunked_result result;
  char text[256];
  size_t len, rest;
};

static void read_piece(struct http_chunked *reader, struct bus_str input, struct outcome *outcome) {
  struct bus_str data;
  while ((outcome->result = http_chunked_next(reader, &input, &data)) == HTTP_CHUNKED_DATA) {
    memcpy(outcome->text + outcome->len, data.data, data.len);
    outcome->len += data.len;
  }
  outcome->rest = input.len;
}

/* In pieces of that many bytes. */
static struct outcome read_all(const char *wire, size_t len, size_t piece) {
  struct http_chunked reader;
  struct outcome outcome = {.result = HTTP_CHUNKED_MORE};
  http_chunked_init(&reader, LIMIT);
  for (size_t at = 0; at < len && outcome.result == HTTP_CHUNKED_MORE; at += piece)
    read_piece(&reader, (struct bus_str){wire + at, piece < len - at ? piece : len - at}, &outcome);
  outcome.text[outcome.len] = '\0';
  return outcome;
}

static void assert_read(const char *wire, enum http_chunked_result result, const char *text) {
  for (size_t piece = 1; piece <= strlen(wire); piece++) {
    struct outcome outcome = read_all(wire, strlen(wire), piece);
    if (outcome.result != result || (text && strcmp(outcome.text, text) != 0))
      fail_msg("%s: got %d \"%s\"", wire, (int)outcome.result, outcome.text);
  }
}

TEST(chunked_body_is_read_whatever_its_pieces)
{
  assert_read("0\r\n\r\n", HTTP_CHUNKED_END, "");
  assert_read("00000000\r\n\r\n", HTTP_CHUNKED_END, "");
  assert_read("5\r\nhello\r\n0\r\n\r\n", HTTP_CHUNKED_END, "hello");
  assert_read("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", HTTP_CHUNKED_END, "hello");
  assert_read("0000000A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", HTTP_CHUNKED_END, "01234567890123456789");
  assert_read("2\r\n\r\n\r\n0\r\n\r\n", HTTP_CHUNKED_END, "\r\n");
}

TEST(chunked_body_that_is_not_all_there_wants_more)
{
  static const char wire[] = "5\r\nhello\r\n0\r\n\r\n";
  for (size_t len = 1; len < sizeof wire - 1; len++)
    assert_int_equal(read_all(wire, len, len).result, HTTP_CHUNKED_MORE);
}

TEST(chunked_end_leaves_what_follows)
{
  struct outcome outcome = read_all("0\r\n\r\nGET /", 10, 10);
  assert_int_equal(outcome.result, HTTP_CHUNKED_END);
  assert_int_equal(outcome.rest, 5);
}

TEST(chunked_forms_that_are_refused)
{
  static const char *const wires[] = {
      "\r\n0\r\n\r\n",
      "5;a=b\r\nhello\r\n0\r\n\r\n",
      "5 \r\nhello\r\n0\r\n\r\n",
      " 5\r\nhello\r\n0\r\n\r\n",
      "5\t\r\nhello\r\n0\r\n\r\n",
      "+5\r\nhello\r\n0\r\n\r\n",
      "-5\r\nhello\r\n0\r\n\r\n",
      "0x5\r\nhello\r\n0\r\n\r\n",
      "5\nhello\n0\n\n",
      "5\r\rhello",
      "1\r5\r\nhello",
      "000000005\r\nhello\r\n0\r\n\r\n",
      "000000000\r\n\r\n",
      "5\r\nhello!\r\n0\r\n\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "5\r\nhell\r\n0\r\n\r\n",
      "5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n",
      "5\r\nhello\r\n0\r\n\n",
      "5\r\nhello\r\n0\n\r\n",
      "g\r\n",
      "5\r\nhello\r\n\r\n",
      "0;last\r\n\r\n",
  };
  for (size_t i = 0; i < BUS_COUNT(wires); i++)
    assert_read(wires[i], HTTP_CHUNKED_MALFORMED, NULL);
}

TEST(chunked_body_over_the_limit_is_refused_at_the_size_that_says_so)
{
  assert_read("41\r\n", HTTP_CHUNKED_TOO_LARGE, "");
  assert_read("FFFFFFFF\r\n", HTTP_CHUNKED_TOO_LARGE, "");
  assert_read("5\r\nhello\r\n3C\r\n", HTTP_CHUNKED_TOO_LARGE, "hello");
}

TEST(chunked_body_at_the_limit_is_taken)
{
  char wire[128];
  snprintf(wire, sizeof wire, "40\r\n%064d\r\n0\r\n\r\n", 7);
  assert_int_equal(read_all(wire, strlen(wire), 1).len, LIMIT);
  assert_read(wire, HTTP_CHUNKED_END, NULL);
}

TEST(chunked_body_in_tiny_chunks_may_take_twice_the_limit_on_the_wire)
{
  char wire[512] = "";
  size_t len = 0;
  for (int i = 0; i < 20; i++) /* 6 bytes each */
    len += (size_t)snprintf(wire + len, sizeof wire - len, "1\r\nx\r\n");
  snprintf(wire + len, sizeof wire - len, "0\r\n\r\n"); /* 125 */
  assert_read(wire, HTTP_CHUNKED_END, "xxxxxxxxxxxxxxxxxxxx");
  snprintf(wire + len, sizeof wire - len, "1\r\nx\r\n0\r\n\r\n"); /* 131 of 128 */
  assert_read(wire, HTTP_CHUNKED_TOO_LARGE, NULL);
}

TEST(chunked_refusal_stays)
{
  struct http_chunked reader;
  struct bus_str data, input = BUS_STR("x\r\n");
  http_chunked_init(&reader, LIMIT);
  assert_int_equal(http_chunked_next(&reader, &input, &data), HTTP_CHUNKED_MALFORMED);
  input = BUS_STR("0\r\n\r\n");
  assert_int_equal(http_chunked_next(&reader, &input, &data), HTTP_CHUNKED_MALFORMED);
}
