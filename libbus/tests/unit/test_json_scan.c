/* The lexical corpus: what is JSON for us and what is not, and that cJSON agrees with all that is let through. */
#include <json_scan.h>
#include <json_write.h>

#include <cjson/cJSON.h>

#include "test.h"

static uint64_t bits[BUS_JSON_NODES / 64 + 1];

/* Literals with their length: some hold NUL. */
#define TEXT(literal)                                                                                                  \
  { literal, sizeof(literal) - 1 }

static const struct bus_str accepted[] = {
    TEXT("{}"),
    TEXT("[]"),
    TEXT("null"),
    TEXT("true"),
    TEXT("false"),
    TEXT("0"),
    TEXT("-1"),
    TEXT("-0"),
    TEXT("1.5"),
    TEXT("1e2"),
    TEXT("1E+2"),
    TEXT("1e-2"),
    TEXT("0.1"),
    TEXT("-0.0"),
    TEXT("0e0"),
    TEXT("123456789012345678901234567890"),
    TEXT("\"\""),
    TEXT("\"a\""),
    TEXT(" \t\r\n1 \t\r\n"),
    TEXT("[1,2,3]"),
    TEXT("[ 1 , 2 ]"),
    TEXT("{\"a\":1}"),
    TEXT("{ \"a\" : 1 , \"b\" : [ ] }"),
    TEXT("{\"\":0}"),
    TEXT("{\"a\":{\"b\":{\"c\":[{}]}}}"),
    TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    TEXT("\"\\u0041\""),
    TEXT("\"\\u00e9\\u00E9\""),
    TEXT("\"\\u0001\""),
    TEXT("\"\\uD834\\uDD1E\""),
    TEXT("\"\\udbff\\udfff\""),
    TEXT("\"\\uFFFF\""),
    TEXT("\"\xC3\xA9\""),
    TEXT("\"\xE2\x82\xAC\""),
    TEXT("\"\xF0\x9D\x84\x9E\""),
    TEXT("\"\xF4\x8F\xBF\xBF\""),
    TEXT("\"\xED\x9F\xBF\xEE\x80\x80\""),
    TEXT("\"\x7F\""),
    TEXT("\"/\""),
    TEXT("[[[[[[[[]]]]]]]]"),
    TEXT("{\"a\":[{\"b\":[{\"c\":[{\"d\":[]}]}]}]}"),
    TEXT("[null,true,false,0,\"\",[],{}]"),
    TEXT("{\"a\":1,\"a\":2}"), /* repeated keys are the decoder's */
};

static const struct bus_str refused[] = {
    TEXT(""),
    TEXT(" "),
    TEXT("\n"),
    TEXT("{"),
    TEXT("}"),
    TEXT("["),
    TEXT("]"),
    TEXT("{]"),
    TEXT("[}"),
    TEXT("{\"a\"}"),
    TEXT("{\"a\":}"),
    TEXT("{\"a\":1,}"),
    TEXT("{,}"),
    TEXT("{,\"a\":1}"),
    TEXT("{\"a\":1 \"b\":2}"),
    TEXT("{\"a\" 1}"),
    TEXT("{a:1}"),
    TEXT("{'a':1}"),
    TEXT("{1:1}"),
    TEXT("{null:1}"),
    TEXT("{\"a\"::1}"),
    TEXT("{\"a\":1}}"),
    TEXT("{\"a\":1}{"),
    TEXT("{} {}"),
    TEXT("{}x"),
    TEXT("{}\0"),
    TEXT("{}\xEF\xBB\xBF"),
    TEXT("{},"),
    TEXT("[1,]"),
    TEXT("[,1]"),
    TEXT("[1,,2]"),
    TEXT("[1 2]"),
    TEXT("[1"),
    TEXT("[1,"),
    TEXT("[1}"),
    TEXT("\xEF\xBB\xBF{}"),
    TEXT("\xFE\xFF{}"),
    TEXT("{\0}"),
    TEXT("\0"),
    TEXT("nul"),
    TEXT("nullx"),
    TEXT("NULL"),
    TEXT("True"),
    TEXT("tru"),
    TEXT("NaN"),
    TEXT("Infinity"),
    TEXT("-Infinity"),
    TEXT("undefined"),
    TEXT("01"),
    TEXT("-01"),
    TEXT("00"),
    TEXT("+1"),
    TEXT("-"),
    TEXT("--1"),
    TEXT(".5"),
    TEXT("-.5"),
    TEXT("1."),
    TEXT("1.e1"),
    TEXT("1e"),
    TEXT("1e+"),
    TEXT("1E-"),
    TEXT("1e1.5"),
    TEXT("0x10"),
    TEXT("1_000"),
    TEXT("1 000"),
    TEXT("1a"),
    TEXT("1f"),
    TEXT("\xEF\xBC\x91"), /* a full-width digit */
    TEXT("1234567890123456789012345678901234567890123456789012345678901"),
    TEXT("\""),
    TEXT("\"a"),
    TEXT("\"a\\\""),
    TEXT("\"\\\""),
    TEXT("'a'"),
    TEXT("\"\\x41\""),
    TEXT("\"\\a\""),
    TEXT("\"\\v\""),
    TEXT("\"\\0\""),
    TEXT("\"\\'\""),
    TEXT("\"\\U0041\""),
    TEXT("\"\\u\""),
    TEXT("\"\\u004\""),
    TEXT("\"\\u00g1\""),
    TEXT("\"\\u 041\""),
    TEXT("\"\\u-041\""),
    TEXT("\"\\u"),
    TEXT("\"\\u00"),
    TEXT("\"\\u0000\""),
    TEXT("\"a\\u0000b\""),
    TEXT("{\"a\\u0000\":1}"),
    TEXT("\"\\uD834\""),
    TEXT("\"\\uD834x\""),
    TEXT("\"\\uD834\\n\""),
    TEXT("\"\\uD834\\uD834\""),
    TEXT("\"\\uD834\\u0041\""),
    TEXT("\"\\uD834\\u\""),
    TEXT("\"\\uDD1E\""),
    TEXT("\"\\uDD1E\\uD834\""),
    TEXT("\"a\0b\""),
    TEXT("\"a\nb\""),
    TEXT("\"a\rb\""),
    TEXT("\"a\tb\""),
    TEXT("\"\x1B[31m\""),
    TEXT("\"\x01\""),
    TEXT("\"\x1F\""),
    TEXT("\"\x80\""),
    TEXT("\"\xBF\""),
    TEXT("\"\xC0\x80\""),         /* overlong NUL */
    TEXT("\"\xC1\xBF\""),         /* overlong */
    TEXT("\"\xE0\x80\xAF\""),     /* overlong */
    TEXT("\"\xE0\x9F\xBF\""),     /* overlong */
    TEXT("\"\xF0\x80\x80\xAF\""), /* overlong */
    TEXT("\"\xF0\x8F\xBF\xBF\""), /* overlong */
    TEXT("\"\xED\xA0\x80\""),     /* surrogate */
    TEXT("\"\xED\xBF\xBF\""),     /* surrogate */
    TEXT("\"\xF4\x90\x80\x80\""), /* above U+10FFFF */
    TEXT("\"\xF5\x80\x80\x80\""),
    TEXT("\"\xF8\x88\x80\x80\x80\""),
    TEXT("\"\xFE\""),
    TEXT("\"\xFF\""),
    TEXT("\"\xC3\""),
    TEXT("\"\xC3(\""),
    TEXT("\"\xE2\x82\""),
    TEXT("\"\xE2\x28\xA1\""),
    TEXT("\"\xF0\x9D\x84\""),
    TEXT("\"\xF0\x9D\x84"),
    TEXT("\"\xE2"),
    TEXT("\xC2\xA0{}"), /* a no-break space is no white space */
    TEXT("{}\xC2\xA0"),
    TEXT("\x0B{}"),
    TEXT("\x0C{}"),
    TEXT("// c\n{}"),
    TEXT("/* c */{}"),
    TEXT("{}#c"),
    TEXT("[[[[[[[[[]]]]]]]]]"),
    TEXT("{\"a\":[{\"b\":[{\"c\":[{\"d\":[{}]}]}]}]}"),
    TEXT("[[[[[[[[["),
};

TEST(scan_corpus_is_large)
{ assert_true(BUS_COUNT(accepted) + BUS_COUNT(refused) >= 120); }

TEST(scan_accepts_json_and_cjson_agrees)
{
  for (size_t i = 0; i < BUS_COUNT(accepted); i++) {
    struct bus_json_scan scan;
    if (!bus_json_scan(accepted[i], BUS_JSON_NODES, bits, &scan))
      fail_msg("refused: %s: %s at %zu", accepted[i].data, scan.problem, scan.at);
    assert_null(scan.problem);
    cJSON *tree = cJSON_ParseWithLengthOpts(accepted[i].data, accepted[i].len + 1, NULL, true);
    if (tree == NULL)
      fail_msg("cJSON refuses: %s", accepted[i].data);
    cJSON_Delete(tree);
  }
}

TEST(scan_refuses_what_is_none)
{
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    struct bus_json_scan scan;
    if (bus_json_scan(refused[i], BUS_JSON_NODES, bits, &scan))
      fail_msg("accepted, number %zu: %s", i, refused[i].data);
    assert_non_null(scan.problem);
    assert_true(scan.at <= refused[i].len);
  }
}

/* Every beginning of a text, in memory of just that length: ASan sees a read behind it. */
TEST(scan_stays_within_the_text)
{
  static const char text[] =
      "{\"a\\u0041\":[1.5e3,-2,\"\xF0\x9D\x84\x9E\\uD834\\uDD1E\"],\"b\":{\"c\":null,\"d\":true}}";
  for (size_t len = 0; len < sizeof text; len++) {
    char *copy = test_malloc(len + 1);
    memcpy(copy, text, len);
    struct bus_json_scan scan;
    assert_int_equal(bus_json_scan((struct bus_str){copy, len}, BUS_JSON_NODES, bits, &scan), len == sizeof text - 1);
    test_free(copy);
  }
}

TEST(scan_says_what_and_where)
{
  struct bus_json_scan scan;
  assert_false(bus_json_scan(BUS_STR("{\"a\":1,}"), BUS_JSON_NODES, bits, &scan));
  assert_string_equal(scan.problem, "a string is expected");
  assert_int_equal(scan.at, 7);
  assert_false(bus_json_scan(BUS_STR("{} x"), BUS_JSON_NODES, bits, &scan));
  assert_string_equal(scan.problem, "text behind the end of the value");
  assert_int_equal(scan.at, 3);
  assert_false(bus_json_scan(BUS_STR("\"\\u0000\""), BUS_JSON_NODES, bits, &scan));
  assert_string_equal(scan.problem, "\\u0000 is not allowed");
  assert_false(bus_json_scan(BUS_STR("\xEF\xBB\xBF{}"), BUS_JSON_NODES, bits, &scan));
  assert_string_equal(scan.problem, "a byte order mark is not allowed");
  assert_false(bus_json_scan(BUS_STR("{}\0"), BUS_JSON_NODES, bits, &scan));
  assert_string_equal(scan.problem, "NUL is not allowed");
  assert_int_equal(scan.at, 2);
}

TEST(scan_knows_which_numbers_are_integers)
{
  static const struct {
    const char *text;
    bool integer;
  } numbers[] = {
      {"0", true},
      {"1", true},
      {"-1", true},
      {"1000000000000", true},
      {"-1000000000000", true},
      {"1000000000001", false},
      {"-1000000000001", false},
      {"9007199254740993", false},
      {"12345678901234567890", false},
      {"99999999999999999999999999999999", false},
      {"-0", false},
      {"1.0", false},
      {"10.5", false},
      {"1e2", false},
      {"1E2", false},
      {"0.0", false},
      {"0e0", false},
  };
  char text[1024] = "[";
  struct bus_json_scan scan;
  for (size_t i = 0; i < BUS_COUNT(numbers); i++) {
    strncat(text, numbers[i].text, 64);
    strncat(text, i + 1 < BUS_COUNT(numbers) ? "," : "]", 2);
  }
  assert_true(bus_json_scan(bus_str(text), BUS_JSON_NODES, bits, &scan));
  assert_int_equal(scan.numbers, BUS_COUNT(numbers));
  for (size_t i = 0; i < BUS_COUNT(numbers); i++)
    if (bus_json_scan_is_integer(&scan, i) != numbers[i].integer)
      fail_msg("%s", numbers[i].text);
  assert_false(bus_json_scan_is_integer(&scan, BUS_COUNT(numbers)));
}

/* "[1,1,…]" of n values, the list itself counted. */
static struct bus_str list_of(size_t n, char *text) {
  size_t len = 0;
  for (size_t i = 1; i < n; i++) {
    text[len++] = i == 1 ? '[' : ',';
    text[len++] = '1';
  }
  text[len++] = ']';
  return (struct bus_str){text, len};
}

TEST(scan_counts_values)
{
  static char text[2 * BUS_JSON_NODES + 10];
  struct bus_json_scan scan;
  assert_true(bus_json_scan(list_of(BUS_JSON_NODES, text), BUS_JSON_NODES, bits, &scan));
  assert_int_equal(scan.nodes, BUS_JSON_NODES);
  assert_true(bus_json_scan_is_integer(&scan, BUS_JSON_NODES - 2));
  assert_false(bus_json_scan(list_of(BUS_JSON_NODES + 1, text), BUS_JSON_NODES, bits, &scan));
  assert_string_equal(scan.problem, "too many values");
}

TEST(scan_ends_early_on_a_flood_of_brackets)
{
  static char text[1 << 20];
  memset(text, '[', sizeof text);
  struct bus_json_scan scan;
  assert_false(bus_json_scan((struct bus_str){text, sizeof text}, BUS_JSON_NODES, bits, &scan));
  assert_string_equal(scan.problem, "nested too deep");
  assert_int_equal(scan.at, BUS_JSON_DEPTH + 1);
}

TEST(a_plain_run_ends_at_each_byte_that_is_not_plain)
{
  char text[20];
  for (int byte = 0; byte < 256; byte++)
    for (size_t at = 0; at < sizeof text; at++) {
      bool plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
      memset(text, at % 2 ? '~' : ' ', sizeof text);
      text[at] = (char)byte;
      assert_int_equal(bus_json_plain_run(text, sizeof text), plain ? sizeof text : at);
    }
  assert_int_equal(bus_json_plain_run(text, 0), 0);
}
