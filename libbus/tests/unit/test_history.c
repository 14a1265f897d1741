/* history.c: a line for each failed try, bounded, and the last one read back. */
#include <bus/history.h>

#include <stdio.h>
#include <string.h>
#include <test.h>

static struct bus_failure failure_of(int64_t attempt, const char *cause) {
  return (struct bus_failure){.at = 1700000000 * BUS_SECOND + attempt * BUS_SECOND,
                              .attempt = attempt,
                              .service = BUS_STR("payment-svc/1.2.0"),
                              .error = BUS_STR("BUS_E_LATER"),
                              .cause = bus_str(cause)};
}

static size_t add(char *text, size_t len, int64_t attempt, const char *cause) {
  char old[BUS_HISTORY_MAX];
  struct bus_failure failure = failure_of(attempt, cause);
  memcpy(old, text, len);
  return bus_history_add((struct bus_str){len ? old : NULL, len}, &failure, text);
}

TEST(history_has_a_line_for_each_try)
{
  char text[BUS_HISTORY_MAX];
  size_t len = add(text, 0, 0, "not yet");
  len = add(text, len, 1, "still not");
  assert_string_equal(text, "2023-11-14T22:13:20.000Z 0 payment-svc/1.2.0 BUS_E_LATER not yet\n"
                            "2023-11-14T22:13:21.000Z 1 payment-svc/1.2.0 BUS_E_LATER still not");
  assert_int_equal(len, strlen(text));
}

TEST(history_keeps_the_first_try_and_the_last_ones)
{
  char text[BUS_HISTORY_MAX], last[64];
  size_t len = 0;
  for (int i = 0; i < 500; i++) {
    len = add(text, len, i, "the same cause again and again");
    assert_true(len < BUS_HISTORY_MAX && text[len] == '\0');
    assert_memory_equal(text, "2023-11-14T22:13:20.000Z 0 ", 27);
  }
  (void)snprintf(last, sizeof last, " 499 payment-svc/1.2.0");
  assert_non_null(strstr(text, last));
  assert_non_null(strstr(text, " 498 payment-svc/1.2.0"));
  assert_null(strstr(text, " 1 payment-svc/1.2.0"));
}

/* A history from the wire may hold any bytes. */
TEST(history_takes_odd_text_for_what_it_is)
{
  char text[BUS_HISTORY_MAX], odd[BUS_HISTORY_MAX];
  struct bus_failure failure = failure_of(7, "a\nb\x01"
                                             "c\xC3");
  memset(odd, 'x', sizeof odd);
  (void)bus_history_add((struct bus_str){odd, sizeof odd}, &failure, text);
  assert_string_equal(text, "2023-11-14T22:13:27.000Z 7 payment-svc/1.2.0 BUS_E_LATER a?b?c?");
  (void)bus_history_add((struct bus_str){"\xFF\x02\n", 3}, &failure, text);
  assert_memory_equal(text, "??\n2023", 7);
  failure.cause = (struct bus_str){odd, sizeof odd};
  size_t len = bus_history_add((struct bus_str){text, 0}, &failure, text);
  assert_int_equal(len, 511);
  failure.cause = BUS_NO_STR;
  len = bus_history_add(BUS_NO_STR, &failure, text);
  assert_int_equal(len, strlen(text));
}

TEST(history_gives_its_last_line)
{
  char text[BUS_HISTORY_MAX];
  struct bus_failure found;
  size_t len = add(text, add(text, 0, 0, "x"), 3, "SQLSTATE 23514: no more");
  assert_true(bus_history_last((struct bus_str){text, len}, &found));
  assert_int_equal(found.attempt, 3);
  assert_int_equal(found.at, 1700000003 * BUS_SECOND);
  assert_true(bus_str_is(found.service, "payment-svc/1.2.0"));
  assert_true(bus_str_is(found.error, "BUS_E_LATER"));
  assert_true(bus_str_is(found.cause, "SQLSTATE 23514: no more"));
}

TEST(history_that_is_none_has_no_last_line)
{
  static const char *const texts[] = {"",
                                      "\n",
                                      "yesterday 1 a b c",
                                      "2023-11-14T22:13:20.000Z",
                                      "2023-11-14T22:13:20Z x",
                                      "2023-11-14T22:13:20Z -1 a b c",
                                      "2023-11-14T22:13:20Z 1 a"};
  struct bus_failure found;
  for (size_t i = 0; i < BUS_COUNT(texts); i++)
    assert_false(bus_history_last(bus_str(texts[i]), &found));
  assert_false(bus_history_last(BUS_NO_STR, &found));
}
