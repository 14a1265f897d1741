/* bus/field.h: lists of names as bits. */
#include <bus/field.h>

#include "test.h"

struct choice {
  int64_t colours;
};
static const char *const names[] = {"red", "green", "blue", NULL};
static const struct bus_field optional[] = {
    BUS_FIELD_SET(struct choice, colours, names, 1, BUS_OPTIONAL, "which", .example = "red")};
static const struct bus_field required[] = {BUS_FIELD_SET(struct choice, colours, names, 0, BUS_REQUIRED, "which")};
static const struct bus_schema optional_schema = BUS_SCHEMA("choice", struct choice, optional);
static const struct bus_schema required_schema = BUS_SCHEMA("choice", struct choice, required);

static struct bus_arena *arena;

/* The bits; -2 and the problems on one line: refused. */
static int64_t decoded(const struct bus_schema *schema, const char *json, char why[256]) {
  struct choice choice;
  struct bus_problems problems;
  if (bus_decode(schema, bus_str(json), BUS_REFUSE_UNKNOWN, arena, &choice, &problems))
    return choice.colours;
  bus_problems_text(&problems, why, 256);
  return -2;
}

TEST(set_is_a_list_of_names)
{
  char why[256];
  arena = bus_arena_new(1 << 16);
  assert_int_equal(decoded(&optional_schema, "{\"colours\":[\"blue\",\"red\"]}", why), 5);
  assert_int_equal(decoded(&optional_schema, "{\"colours\":[\"red\",\"green\",\"blue\"]}", why), 7);
  assert_true(decoded(&optional_schema, "{}", why) == BUS_NO_INT64);
  assert_int_equal(decoded(&required_schema, "{\"colours\":[]}", why), 0);
  bus_arena_free(arena);
}

TEST(set_refuses_all_else)
{
  static const char *const wrong[] = {"[]",
                                      "[\"red\",\"red\"]",
                                      "[\"pink\"]",
                                      "[1]",
                                      "[null]",
                                      "[[\"red\"]]",
                                      "[\"red\",\"green\",\"blue\",\"red\"]",
                                      "\"red\"",
                                      "{\"red\":true}",
                                      "7",
                                      "[\"Red\"]"};
  char why[256], json[80];
  arena = bus_arena_new(1 << 16);
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    snprintf(json, sizeof json, "{\"colours\":%s}", wrong[i]);
    assert_int_equal(decoded(&optional_schema, json, why), -2);
    assert_string_equal(why, "colours must be a list of 1 to 3 of red, green, blue, each once");
  }
  assert_int_equal(decoded(&required_schema, "{}", why), -2);
  assert_string_equal(why, "colours is required");
  bus_arena_free(arena);
}

TEST(set_is_written_in_the_order_of_its_names)
{
  static const struct {
    int64_t set;
    const char *text;
  } cases[] = {{5, "{\"colours\":[\"red\",\"blue\"]}"}, {2, "{\"colours\":[\"green\"]}"}, {BUS_NO_INT64, "{}"}};
  struct bus_str text;
  arena = bus_arena_new(1 << 16);
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    assert_true(bus_encode(&optional_schema, &(struct choice){cases[i].set}, arena, &text));
    assert_string_equal(text.data, cases[i].text);
  }
  assert_true(bus_encode(&required_schema, &(struct choice){0}, arena, &text));
  assert_string_equal(text.data, "{\"colours\":[]}");
  assert_true(bus_encode_nulls(&optional_schema, &(struct choice){BUS_NO_INT64}, arena, &text));
  assert_string_equal(text.data, "{\"colours\":null}");
  bus_arena_free(arena);
}
