/* pg/sqlstate.c: the class of an error decides what happens to a batch. */
#include "pg.h"

#include <test.h>

TEST(what_one_message_is_guilty_of)
{
  static const char *const states[] = {"22001", "22003", "22012", "22021", "22P02", "23502", "23503", "23514", "54000"};
  for (size_t i = 0; i < BUS_COUNT(states); i++)
    assert_int_equal(pg_errc_of(states[i]), BUS_E_DB_DATA);
}

TEST(what_a_second_try_may_heal)
{
  static const char *const states[] = {"23505", "40001", "40P01", "40003", "55P03"};
  for (size_t i = 0; i < BUS_COUNT(states); i++)
    assert_int_equal(pg_errc_of(states[i]), BUS_E_DB_CONFLICT);
}

TEST(what_says_that_the_database_is_away)
{
  static const char *const states[] = {"08006", "08P01", "57P01", "57P02", "57P03", "57P04", "53100", "53200", "53300",
                                       "58030", "25006", "25P03", "28P01", "28000", "0A000", "26000", "",      NULL};
  for (size_t i = 0; i < BUS_COUNT(states); i++)
    assert_int_equal(pg_errc_of(states[i]), BUS_E_DB_CONNECTION);
}

/* A statement that takes too long is halved at once: five more times would take a minute. */
TEST(what_a_retry_tier_is_for)
{
  static const char *const states[] = {"57014", "42P01", "42501", "P0001", "XX000", "23000", "23P01", "25P02"};
  for (size_t i = 0; i < BUS_COUNT(states); i++)
    assert_int_equal(pg_errc_of(states[i]), BUS_E_DB_OTHER);
}

TEST(classes_are_what_the_worker_goes_by)
{
  assert_int_equal(bus_error_class(pg_errc_of("23514")), BUS_CLASS_DATA);
  assert_int_equal(bus_error_class(pg_errc_of("40001")), BUS_CLASS_CONFLICT);
  assert_int_equal(bus_error_class(pg_errc_of("57P01")), BUS_CLASS_CONNECTION);
  assert_int_equal(bus_error_class(pg_errc_of("42501")), BUS_CLASS_RETRYABLE);
}
