/* bus/field.h, encoding: golden texts, canonical form, escaping, and the way back. */
#include <bus/field.h>

#include "field_sample.h"
#include "test.h"

static const struct sample absent = {
    .key = {"k", 1}, .total = BUS_NO_INT64, .limit = BUS_NO_INT64, .state = -1, .at = BUS_NO_TIME};

static struct bus_arena *arena;

static const char *encoded(const struct sample *sample) {
  struct bus_str text;
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 16);
  assert_true(bus_encode(&sample_schema, sample, arena, &text));
  assert_int_equal(text.len, strlen(text.data));
  return text.data;
}

static const char *encoded_nulls(const struct sample *sample) {
  struct bus_str text;
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 16);
  assert_true(bus_encode_nulls(&sample_schema, sample, arena, &text));
  return text.data;
}

static void done(void) {
  bus_arena_free(arena);
  arena = NULL;
}

static const char full_text[] =
    "{\"key\":\"k\",\"name\":\"Zo\xC3\xAB\",\"total\":1000000000000,\"limit\":-5,\"urgent\":true,\"state\":\"DONE\","
    "\"order_id\":\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\",\"at\":\"2026-03-01T12:00:00.123Z\","
    "\"address\":{\"city\":\"Bern\",\"note\":\"\"},"
    "\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":1},{\"product_id\":\"b\",\"quantity\":1000}],"
    "\"data\":{\"b\":[1,null]}}";

TEST(encode_every_kind)
{
  struct sample_address address = {.city = BUS_STR("Bern"), .note = BUS_STR("")};
  struct sample_item items[] = {{BUS_STR("SKU-1"), 1}, {BUS_STR("b"), 1000}};
  struct sample s = {.key = BUS_STR("k"),
                     .name = BUS_STR("Zo\xC3\xAB"),
                     .total = BUS_JSON_INT_MAX,
                     .limit = -5,
                     .urgent = true,
                     .state = SAMPLE_DONE,
                     .at = INT64_C(1772366400123456),
                     .address = &address,
                     .items = items,
                     .item_count = 2,
                     .data = BUS_STR("{\"b\":[1,null]}")};
  assert_true(bus_uuid_parse(BUS_STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), &s.order_id));
  assert_string_equal(encoded(&s), full_text);
  done();
}

TEST(encode_decoded_is_the_same_text)
{
  struct sample s;
  struct bus_problems problems;
  struct bus_str text;
  arena = bus_arena_new(1 << 16);
  assert_true(bus_decode(&sample_schema, bus_str(full_text), BUS_REFUSE_UNKNOWN, arena, &s, &problems));
  assert_true(bus_encode(&sample_schema, &s, arena, &text));
  assert_string_equal(text.data, full_text);
  done();
}

/* Order, spaces, escapes and case of the input leave no trace. */
TEST(encode_is_canonical)
{
  static const char *const same[] = {
      "{\"key\":\"k\",\"total\":5,\"order_id\":\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\",\"at\":\"2026-03-01T12:00:"
      "00Z\"}",
      " { \"at\" : \"2026-03-01T13:00:00.000+01:00\" , \"total\":5,\n\"\\u006bey\":\"\\u006b\",\"name\":null,"
      "\"order_id\":\"017F22E2-79B0-7CC3-98C4-DC0C0C07398F\" } ",
  };
  struct bus_str texts[2];
  arena = bus_arena_new(1 << 16);
  for (size_t i = 0; i < 2; i++) {
    struct sample s;
    struct bus_problems problems;
    assert_true(bus_decode(&sample_schema, bus_str(same[i]), BUS_REFUSE_UNKNOWN, arena, &s, &problems));
    assert_true(bus_encode(&sample_schema, &s, arena, &texts[i]));
  }
  assert_string_equal(texts[0].data, texts[1].data);
  done();
}

TEST(encode_leaves_absent_members_out)
{
  assert_string_equal(encoded(&absent), "{\"key\":\"k\",\"urgent\":false}");
  done();
}

TEST(encode_nulls_keeps_the_shape)
{
  assert_string_equal(encoded_nulls(&absent),
                      "{\"key\":\"k\",\"name\":null,\"total\":null,\"limit\":null,\"urgent\":false,\"state\":null,"
                      "\"order_id\":null,\"at\":null,\"address\":null,\"items\":null,\"data\":null}");
  struct sample_address address = {.city = BUS_STR("Bern")};
  struct sample s = absent;
  s.address = &address;
  assert_non_null(strstr(encoded_nulls(&s), "\"address\":{\"city\":\"Bern\",\"note\":null}"));
  done();
}

TEST(encode_empty_list)
{
  struct sample_item none[1];
  struct sample s = absent;
  s.items = none;
  assert_string_equal(encoded(&s), "{\"key\":\"k\",\"urgent\":false,\"items\":[]}");
  done();
}

TEST(encode_required_and_absent_shows_as_null)
{
  struct bus_str text;
  arena = bus_arena_new(1 << 16);
  assert_true(bus_encode(&strict_schema, &absent, arena, &text));
  assert_string_equal(text.data,
                      "{\"key\":\"k\",\"name\":null,\"total\":null,\"limit\":null,\"urgent\":false,\"state\":null,"
                      "\"order_id\":null,\"at\":null,\"address\":null,\"items\":[],\"data\":null}");
  done();
}

TEST(encode_enum_outside_its_names_is_absent)
{
  struct sample s = absent;
  s.state = 3;
  assert_string_equal(encoded(&s), "{\"key\":\"k\",\"urgent\":false}");
  s.state = INT32_MAX;
  assert_string_equal(encoded(&s), "{\"key\":\"k\",\"urgent\":false}");
  done();
}

TEST(encode_escapes)
{
  static const struct {
    struct bus_str text;
    const char *json;
  } escapes[] = {
      {{"\"\\/", 3}, "\"\\\"\\\\/\""},
      {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
      {{"\0\x01\x1F\x1B", 4}, "\"\\u0000\\u0001\\u001f\\u001b\""},
      {{"\x7F", 1}, "\"\\u007f\""},
      {{"\xC2\x85", 2}, "\"\\u0085\""},
      {{"\xE2\x80\xA8\xE2\x80\xA9", 6}, "\"\\u2028\\u2029\""},
      {{"\xF0\x9D\x84\x9E", 4}, "\"\xF0\x9D\x84\x9E\""},
      {{"a\xFF\xC3", 3}, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {{"\xED\xA0\x80", 3}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (size_t i = 0; i < BUS_COUNT(escapes); i++) {
    struct sample s = absent;
    s.key = escapes[i].text;
    const char *text = encoded(&s);
    assert_memory_equal(text + strlen("{\"key\":"), escapes[i].json, strlen(escapes[i].json));
  }
  done();
}

TEST(encode_integers_are_exact)
{
  struct sample s = absent;
  s.limit = INT64_MAX;
  assert_string_equal(encoded(&s), "{\"key\":\"k\",\"limit\":9223372036854775807,\"urgent\":false}");
  s.limit = INT64_C(1000000000000000);
  assert_string_equal(encoded(&s), "{\"key\":\"k\",\"limit\":1000000000000000,\"urgent\":false}");
  s.limit = 0;
  assert_string_equal(encoded(&s), "{\"key\":\"k\",\"limit\":0,\"urgent\":false}");
  done();
}

TEST(encode_out_of_memory_is_told)
{
  struct bus_arena *small = bus_arena_new(16);
  struct bus_str text = {"untouched", 9};
  assert_false(bus_encode(&sample_schema, &absent, small, &text));
  assert_string_equal(text.data, "untouched");
  bus_arena_free(small);
}

TEST(encode_takes_exactly_what_it_needs)
{
  struct bus_str text;
  struct bus_arena *exact = bus_arena_new(32);
  assert_true(bus_encode(&sample_schema, &absent, exact, &text)); /* 28 bytes and NUL */
  assert_int_equal(bus_arena_used(exact), 32);
  bus_arena_free(exact);
}

/* ---- embedding: the members of one table among those of another ---- */

struct wish {
  struct bus_str colour;
  int64_t size;
};
struct asked {
  struct bus_str key;
  struct wish wish;
  bool soon;
};

static const struct bus_field wish_fields[] = {
    BUS_FIELD_STRING(struct wish, colour, BUS_TOKEN, 1, 8, BUS_REQUIRED, "a colour"),
    BUS_FIELD_INT64(struct wish, size, 1, 9, BUS_OPTIONAL, "a size"),
};
static const struct bus_schema wish_schema = BUS_SCHEMA("wish", struct wish, wish_fields);
static const struct bus_field asked_fields[] = {
    BUS_FIELD_STRING(struct asked, key, BUS_TOKEN, 1, 8, BUS_REQUIRED, "a key"),
    BUS_FIELD_EMBED(struct asked, wish, struct wish, &wish_schema),
    BUS_FIELD_BOOL(struct asked, soon, BUS_OPTIONAL, "when"),
};
static const struct bus_schema asked_schema = BUS_SCHEMA("asked", struct asked, asked_fields);

TEST(embedded_members_stand_among_the_others)
{
  const struct asked asked = {BUS_STR("k"), {BUS_STR("red"), BUS_NO_INT64}, true};
  struct asked back = {.soon = false};
  struct bus_str text;
  arena = bus_arena_new(1 << 16);
  assert_true(bus_encode(&asked_schema, &asked, arena, &text));
  assert_string_equal(text.data, "{\"key\":\"k\",\"colour\":\"red\",\"soon\":true}");
  assert_true(bus_encode_nulls(&asked_schema, &asked, arena, &text));
  assert_string_equal(text.data, "{\"key\":\"k\",\"colour\":\"red\",\"size\":null,\"soon\":true}");
  assert_true(bus_decode(&asked_schema, text, BUS_REFUSE_UNKNOWN, arena, &back, NULL));
  assert_true(bus_str_is(back.wish.colour, "red") && back.wish.size == BUS_NO_INT64 && back.soon);
  done();
}

TEST(embedded_members_are_required_and_bounded)
{
  struct asked back;
  struct bus_problems problems;
  char text[128];
  arena = bus_arena_new(1 << 16);
  assert_false(bus_decode(&asked_schema, BUS_STR("{\"key\":\"k\",\"size\":10,\"sizes\":1}"), BUS_REFUSE_UNKNOWN, arena,
                          &back, &problems));
  bus_problems_text(&problems, text, sizeof text);
  assert_string_equal(text, "colour is required; size must be an integer from 1 to 9; sizes unknown field");
  done();
}
