/* bus/error.h: the map, one-line texts, wrapping. */
#include <bus/error.h>

#include "test.h"

TEST(error_every_code_has_name_and_class)
{
  static const enum bus_errc codes[] = {
#define CODE(code, class, text) code,
      BUS_ERROR_MAP(CODE)
#undef CODE
  };
  assert_int_equal(codes[0], BUS_OK);
  assert_int_equal(bus_error_class(BUS_OK), BUS_CLASS_NONE);
  for (size_t i = 1; i < BUS_COUNT(codes); i++) {
    assert_memory_equal(bus_error_name(codes[i]), "BUS_E_", 6);
    assert_int_not_equal(bus_error_class(codes[i]), BUS_CLASS_NONE);
  }
}

TEST(error_classes_decide_what_happens)
{
  assert_int_equal(bus_error_class(BUS_E_DECODE), BUS_CLASS_PERMANENT);
  assert_int_equal(bus_error_class(BUS_E_UNKNOWN_TYPE), BUS_CLASS_RETRYABLE);
  assert_int_equal(bus_error_class(BUS_E_DB_CONFLICT), BUS_CLASS_CONFLICT);
  assert_int_equal(bus_error_class(BUS_E_DB_DATA), BUS_CLASS_DATA);
  assert_int_equal(bus_error_class(BUS_E_AMQP_CONNECTION), BUS_CLASS_CONNECTION);
  assert_int_equal(bus_error_class(BUS_E_CONFIG), BUS_CLASS_FATAL);
}

TEST(error_code_outside_the_map_is_fatal)
{
  enum bus_errc code = (enum bus_errc)9999;
  assert_int_equal(bus_error_class(code), BUS_CLASS_FATAL);
  assert_string_equal(bus_error_name(code), "BUS_E_?");
}

TEST(error_fail_sets_code_and_text)
{
  struct bus_error err;
  assert_false(bus_fail(&err, BUS_E_TIMEOUT, "%s after %d ms", "connect", 3000));
  assert_int_equal(err.code, BUS_E_TIMEOUT);
  assert_string_equal(err.text, "connect after 3000 ms");
}

TEST(error_null_is_allowed)
{
  assert_false(bus_fail(NULL, BUS_E_TIMEOUT, "x"));
  assert_false(bus_error_wrap(NULL, "x"));
}

TEST(error_text_stays_on_one_line)
{
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_DB_OTHER, "%s", "ERROR:  no\nDETAIL:  a\tb\x1B[31m\x7F\r\n");
  assert_string_equal(err.text, "ERROR:  no DETAIL:  a b [31m");
}

TEST(error_text_may_be_its_own_argument)
{
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_TIMEOUT, "inner");
  (void)bus_fail(&err, BUS_E_CONFIG, "outer (%s)", err.text);
  assert_string_equal(err.text, "outer (inner)");
}

TEST(error_wrap_puts_context_before)
{
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_TIMEOUT, "deadline passed");
  assert_false(bus_error_wrap(&err, "connection %d", 7));
  assert_false(bus_error_wrap(&err, "start"));
  assert_string_equal(err.text, "start: connection 7: deadline passed");
  assert_int_equal(err.code, BUS_E_TIMEOUT);
}

TEST(error_long_texts_are_cut)
{
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_TIMEOUT, "%0300d", 1);
  assert_int_equal(strlen(err.text), sizeof err.text - 1);
  (void)bus_error_wrap(&err, "context");
  assert_int_equal(strlen(err.text), sizeof err.text - 1);
  assert_memory_equal(err.text, "context: 000", 12);
  (void)bus_error_wrap(&err, "%0300d", 2);
  assert_int_equal(strlen(err.text), sizeof err.text - 1);
}
