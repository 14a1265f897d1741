/* Splitting and unescaping of forms and queries. */
#include <bus/form.h>

#include "test.h"

static void assert_next(struct bus_str *rest, const char *name, const char *value) {
  struct bus_str got_name, got_value;
  assert_true(bus_form_next(rest, &got_name, &got_value));
  assert_true(bus_str_is(got_name, name));
  assert_true(bus_str_is(got_value, value));
}

static void assert_end(struct bus_str *rest) {
  struct bus_str name, value;
  assert_false(bus_form_next(rest, &name, &value));
}

TEST(a_query_falls_into_its_parameters)
{
  struct bus_str rest = BUS_STR("a=1&b=two&c=&d&=e&f=g=h");
  assert_next(&rest, "a", "1");
  assert_next(&rest, "b", "two");
  assert_next(&rest, "c", "");
  assert_next(&rest, "d", "");
  assert_next(&rest, "", "e");
  assert_next(&rest, "f", "g=h");
  assert_end(&rest);
}

TEST(empty_parameters_are_skipped)
{
  struct bus_str rest = BUS_STR("&&a=1&&b=2&&");
  assert_next(&rest, "a", "1");
  assert_next(&rest, "b", "2");
  assert_end(&rest);
  rest = BUS_STR("");
  assert_end(&rest);
  rest = BUS_NO_STR;
  assert_end(&rest);
}

static bool decodes(struct bus_str encoded, const char *expected) {
  char text[64];
  size_t len = 0;
  bool decoded = bus_form_decode(encoded, text, &len);
  if (decoded && expected) {
    assert_int_equal(len, strlen(expected));
    assert_string_equal(text, expected);
  }
  return decoded;
}

TEST(escapes_are_undone)
{
  assert_true(decodes(BUS_STR("plain"), "plain"));
  assert_true(decodes(BUS_STR(""), ""));
  assert_true(decodes(BUS_STR("a+b%20c"), "a b c"));
  assert_true(decodes(BUS_STR("%41%7a%2B%26%3D%25"), "Az+&=%"));
  assert_true(decodes(BUS_STR("%C3%a9%e2%82%ac%F0%9F%98%80"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
}

TEST(malformed_escapes_are_refused)
{
  static const char *const malformed[] = {"%", "%4", "a%", "%zz", "%4g", "%g4", "%%41", "% 41", "%u0041"};
  for (size_t i = 0; i < BUS_COUNT(malformed); i++)
    assert_false(decodes(bus_str(malformed[i]), NULL));
}

TEST(controls_and_broken_utf8_are_refused)
{
  static const char *const refused[] = {"%00",       "a%00b",  "%0d%0a",       "%1b",       "%7f",
                                        "%c2%85",    "%ff",    "%c3",          "%c0%80",    "%80",
                                        "%ed%a0%80", "%e2%82", "%f5%80%80%80", "%e0%80%80", "%f4%90%80%80"};
  for (size_t i = 0; i < BUS_COUNT(refused); i++)
    assert_false(decodes(bus_str(refused[i]), NULL));
}
