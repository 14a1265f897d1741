/* pg/sqlstate.c: the class of an error decides what happens to a batch. */
#include "pg.h"

#include <test.h>

#include <stdio.h>

static void assert_each(const char *const *states, size_t count, enum bus_errc errc) {
  for (size_t i = 0; i < count; i++)
    if (pg_errc_of(states[i]) != errc)
      fail_msg("SQLSTATE %s is %s, not %s", states[i], bus_error_name(pg_errc_of(states[i])), bus_error_name(errc));
}

TEST(what_one_message_is_guilty_of)
{
  static const char *const states[] = {"22001", "22003", "22012", "22021", "22P02", "23001",
                                       "23502", "23503", "23514", "44000", "54000", "54023"};
  assert_each(states, BUS_COUNT(states), BUS_E_DB_DATA);
}

TEST(what_a_second_try_may_heal)
{
  static const char *const states[] = {"23505", "23P01", "40001", "40P01", "40003", "55P03", "72000"};
  assert_each(states, BUS_COUNT(states), BUS_E_DB_CONFLICT);
}

TEST(what_says_that_the_database_is_away)
{
  static const char *const states[] = {"08006", "08P01", "57P01", "57P02", "57P03", "57P04", "57P05", "53100",
                                       "53200", "53300", "58030", "25006", "25P02", "25P03", "28P01", "28000",
                                       "0A000", "26000", "2D000", "3D000", "42P05", "",      NULL};
  assert_each(states, BUS_COUNT(states), BUS_E_DB_CONNECTION);
}

/* A statement that takes too long is halved at once: five more times would take a minute. */
TEST(what_may_be_a_messages_own)
{
  static const char *const states[] = {"57014", "XX001", "XX002", "P0001", "21000", "23000", "09000", "39000", "53400"};
  assert_each(states, BUS_COUNT(states), BUS_E_DB_OTHER);
}

TEST(what_no_message_is_blamed_for)
{
  static const char *const states[] = {"42501", "42601", "42P02", "55000", "55006", "XX000", "24000",
                                       "2B000", "F0000", "HV000", "0P000", "3B000", "ZZ999"};
  assert_each(states, BUS_COUNT(states), BUS_E_DB_FAULT);
}

TEST(what_means_that_a_migration_is_missing)
{
  static const char *const states[] = {"3F000", "42P01", "42703", "42883", "42704", "42P10"};
  assert_each(states, BUS_COUNT(states), BUS_E_DB_SCHEMA);
}

/* Classes of codes that the table does not list by themselves. */
TEST(every_class_of_the_manual_is_answered)
{
  static const struct {
    const char *class;
    enum bus_class means;
  } classes[] = {
      {"03", BUS_CLASS_FAULT},      {"08", BUS_CLASS_CONNECTION}, {"09", BUS_CLASS_RETRYABLE},
      {"0A", BUS_CLASS_CONNECTION}, {"0B", BUS_CLASS_CONNECTION}, {"0F", BUS_CLASS_FAULT},
      {"0L", BUS_CLASS_FAULT},      {"0P", BUS_CLASS_FAULT},      {"0Z", BUS_CLASS_FAULT},
      {"20", BUS_CLASS_RETRYABLE},  {"21", BUS_CLASS_RETRYABLE},  {"22", BUS_CLASS_DATA},
      {"23", BUS_CLASS_RETRYABLE},  {"24", BUS_CLASS_FAULT},      {"25", BUS_CLASS_CONNECTION},
      {"26", BUS_CLASS_CONNECTION}, {"27", BUS_CLASS_RETRYABLE},  {"28", BUS_CLASS_CONNECTION},
      {"2B", BUS_CLASS_FAULT},      {"2D", BUS_CLASS_CONNECTION}, {"2F", BUS_CLASS_RETRYABLE},
      {"34", BUS_CLASS_FAULT},      {"38", BUS_CLASS_RETRYABLE},  {"39", BUS_CLASS_RETRYABLE},
      {"3B", BUS_CLASS_FAULT},      {"3D", BUS_CLASS_CONNECTION}, {"3F", BUS_CLASS_FAULT},
      {"40", BUS_CLASS_CONFLICT},   {"42", BUS_CLASS_FAULT},      {"44", BUS_CLASS_DATA},
      {"53", BUS_CLASS_CONNECTION}, {"54", BUS_CLASS_DATA},       {"55", BUS_CLASS_FAULT},
      {"57", BUS_CLASS_CONNECTION}, {"58", BUS_CLASS_CONNECTION}, {"72", BUS_CLASS_CONFLICT},
      {"F0", BUS_CLASS_FAULT},      {"HV", BUS_CLASS_FAULT},      {"P0", BUS_CLASS_RETRYABLE},
      {"XX", BUS_CLASS_FAULT},
  };
  for (size_t i = 0; i < BUS_COUNT(classes); i++) {
    char code[6];
    (void)snprintf(code, sizeof code, "%s000", classes[i].class);
    if (bus_error_class(pg_errc_of(code)) != classes[i].means)
      fail_msg("class %s", classes[i].class);
  }
}
