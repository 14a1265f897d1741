/* Rows of a column table without a database: comparison, their text, and their fields as JSON. */
#include "column_sample.h"

#include <test.h>

static struct part parts[] = {{BUS_STR("x"), 2, 5}, {BUS_STR("yz"), 3, BUS_NO_INT64}};

static struct sample a_sample(void) {
  return (struct sample){.id = {{1}},
                         .state = SAMPLE_OLD,
                         .level = 2,
                         .number = 5,
                         .maybe = BUS_NO_INT64,
                         .text = BUS_STR("text"),
                         .data = BUS_STR("{}"),
                         .word = "word",
                         .at = 7,
                         .parts = parts,
                         .part_count = 2};
}

enum { ALL = BUS_ROW };

static void expect_difference(const struct sample *other, const char *name) {
  const struct sample row = a_sample();
  const struct bus_column *column = bus_row_differs(&sample_table, ALL, &row, other, NULL);
  assert_non_null(column);
  assert_string_equal(column->name, name);
  assert_null(bus_row_differs(&sample_table, ALL, &row, other, column));
}

TEST(equal_rows_do_not_differ)
{
  const struct sample row = a_sample();
  struct sample other = a_sample();
  struct part copies[] = {parts[0], parts[1]};
  other.parts = copies;
  assert_null(bus_row_differs(&sample_table, ALL, &row, &other, NULL));
}

TEST(each_kind_of_column_is_compared)
{
  struct part copies[] = {parts[0], parts[1]};
  struct sample other[11];
  static const char *const names[] = {"id",   "state", "level", "number", "maybe", "text",
                                      "text", "data",  "word",  "at",     "flag"};
  for (size_t i = 0; i < BUS_COUNT(other); i++)
    other[i] = a_sample();
  other[0].id.bytes[15] = 1;
  other[1].state = SAMPLE_NEW;
  other[2].level = -1;
  other[3].number++;
  other[4].maybe = 0;
  other[5].text = BUS_STR("texts");
  other[6].text = BUS_NO_STR;
  other[7].data = BUS_STR("[]");
  other[8].word[0] = 'W';
  other[9].at++;
  other[10].flag = true;
  for (size_t i = 0; i < BUS_COUNT(other); i++)
    expect_difference(&other[i], names[i]);
  other[0] = a_sample();
  other[0].part_count = 1;
  expect_difference(&other[0], "parts");
  other[0] = a_sample();
  other[0].parts = copies;
  copies[1].price = 6;
  expect_difference(&other[0], "parts");
}

TEST(absent_and_empty_text_differ)
{
  struct sample row = a_sample(), other = a_sample();
  row.text = BUS_NO_STR;
  other.text = BUS_STR("");
  assert_non_null(bus_row_differs(&sample_table, ALL, &row, &other, NULL));
}

TEST(only_columns_of_the_flag_are_compared)
{
  const struct sample row = a_sample();
  struct sample other = a_sample();
  other.number++;
  assert_null(bus_row_differs(&sample_table, BUS_CHANGING, &row, &other, NULL));
}

static const struct bus_column *column_named(const char *name) {
  size_t i = 0;
  while (strcmp(sample_table.columns[i].name, name) != 0)
    i++;
  return &sample_table.columns[i];
}

TEST(values_as_text)
{
  static const struct {
    const char *name, *text;
  } cases[] = {{"state", "1"}, {"maybe", "null"}, {"text", "text"},
               {"at", "7"},    {"flag", "0"},     {"parts", "x 2 5, yz 3 null"}};
  const struct sample row = a_sample();
  char text[64], cut[6];
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    bus_row_text(column_named(cases[i].name), &row, text, sizeof text);
    assert_string_equal(text, cases[i].text);
  }
  bus_row_text(column_named("parts"), &row, cut, sizeof cut);
  assert_string_equal(cut, "x 2 5");
}

TEST(columns_become_fields)
{
  struct bus_field fields[4];
  assert_int_equal(bus_table_fields(&sample_table, BUS_FIXED, fields, BUS_COUNT(fields)), 2);
  assert_string_equal(fields[0].name, "number");
  assert_int_equal(fields[0].kind, BUS_KIND_INT64);
  assert_int_equal(fields[0].presence, BUS_REQUIRED);
  assert_true(fields[0].min == 0 && fields[0].max == 10);
  assert_string_equal(fields[1].name, "causation_id");
  assert_int_equal(fields[1].presence, BUS_OPTIONAL);
  assert_int_equal(bus_table_fields(&sample_table, BUS_ROW, fields, BUS_COUNT(fields)), 4);
}
