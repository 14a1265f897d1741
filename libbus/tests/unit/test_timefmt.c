/* bus/timefmt.h: RFC 3339 both ways, calendar borders, refusals. */
#include <bus/timefmt.h>

#include "test.h"

static void assert_formats(bus_time time, const char *expected) {
  char text[BUS_TIME_TEXT];
  bus_time_format(time, text);
  assert_string_equal(text, expected);
}

static void assert_parses(const char *text, bus_time expected) {
  bus_time time = 0;
  if (!bus_time_parse(bus_str(text), &time))
    fail_msg("refused: %s", text);
  assert_int_equal(time, expected);
}

TEST(time_format_of_known_moments)
{
  assert_formats(0, "1970-01-01T00:00:00.000Z");
  assert_formats(INT64_C(1772366400123456), "2026-03-01T12:00:00.123Z");
  assert_formats(INT64_C(951782400000000), "2000-02-29T00:00:00.000Z");
  assert_formats(INT64_C(4107542400000000), "2100-03-01T00:00:00.000Z");
  assert_formats(-1, "1969-12-31T23:59:59.999Z");
  assert_formats(-BUS_SECOND, "1969-12-31T23:59:59.000Z");
  assert_formats(INT64_C(-11644473600000000), "1601-01-01T00:00:00.000Z");
}

TEST(time_format_clamps)
{
  assert_formats(INT64_MIN, "0001-01-01T00:00:00.000Z");
  assert_formats(BUS_NO_TIME, "0001-01-01T00:00:00.000Z");
  assert_formats(INT64_MAX, "9999-12-31T23:59:59.999Z");
}

TEST(time_parse_of_known_moments)
{
  assert_parses("1970-01-01T00:00:00Z", 0);
  assert_parses("2026-03-01T12:00:00.123Z", INT64_C(1772366400123000));
  assert_parses("2026-03-01T12:00:00.123456Z", INT64_C(1772366400123456));
  assert_parses("2026-03-01T12:00:00.1Z", INT64_C(1772366400100000));
  assert_parses("2026-03-01T13:30:00+01:30", INT64_C(1772366400000000));
  assert_parses("2026-03-01T00:00:00-12:00", INT64_C(1772366400000000));
  assert_parses("2026-03-01T12:00:00-00:00", INT64_C(1772366400000000));
  assert_parses("1969-12-31T23:59:59.999999Z", -1);
  assert_parses("2000-02-29T00:00:00Z", INT64_C(951782400000000));
  assert_parses("0001-01-01T00:00:00Z", INT64_C(-62135596800000000));
  assert_parses("9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999));
}

TEST(time_leap_second_is_the_second_after)
{
  assert_parses("2016-12-31T23:59:60Z", INT64_C(1483228800000000));
  assert_parses("2017-01-01T00:59:60+01:00", INT64_C(1483228800000000));
}

TEST(time_malformed_is_refused)
{
  static const char *const refused[] = {
      "",
      "2026-03-01",
      "2026-03-01T12:00Z",
      "2026-03-01T12:00:00",
      "2026-03-01 12:00:00Z",
      "2026-03-01t12:00:00Z",
      "2026-03-01T12:00:00z",
      "2026-03-01T12:00:00.Z",
      "2026-03-01T12:00:00.1234567Z",
      "2026-03-01T12:00:00,5Z",
      "2026-03-01T12:00:00+0100",
      "2026-03-01T12:00:00+01",
      "2026-03-01T12:00:00+24:00",
      "2026-03-01T12:00:00+01:60",
      "2026-03-01T12:00:00ZZ",
      "2026-03-01T12:00:00Z ",
      " 2026-03-01T12:00:00Z",
      "2026-00-01T12:00:00Z",
      "2026-13-01T12:00:00Z",
      "2026-02-29T12:00:00Z",
      "2100-02-29T12:00:00Z",
      "2026-04-31T12:00:00Z",
      "2026-03-00T12:00:00Z",
      "2026-03-01T24:00:00Z",
      "2026-03-01T12:60:00Z",
      "2026-03-01T12:00:61Z",
      "2026-03-01T12:00:60Z",
      "0000-01-01T00:00:00Z",
      "0001-01-01T00:00:00+00:01",
      "9999-12-31T23:59:59-00:01",
      "+2026-03-01T12:00:00Z",
      "26-03-01T12:00:00Z",
      "2026-3-1T12:00:00Z",
      "2026-03-01T1:00:00Z",
      "20260301T120000Z",
      "2026-03-01T-1:00:00Z",
  };
  bus_time time = 42;
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    if (bus_time_parse(bus_str(refused[i]), &time))
      fail_msg("taken: %s", refused[i]);
    assert_int_equal(time, 42);
  }
  assert_false(bus_time_parse(BUS_NO_STR, &time));
}

/* Every day of four centuries, through text and back. */
TEST(time_round_trip_over_an_era)
{
  char text[BUS_TIME_TEXT];
  for (int64_t day = -70000; day < 80000; day++) {
    bus_time time = day * 24 * BUS_HOUR + (day & 0xFFF) * BUS_SECOND, again = 0;
    bus_time_format(time, text);
    assert_true(bus_time_parse(bus_str(text), &again));
    assert_true(time == again);
  }
}
