/* bus/field.h, decoding: every kind, every bound, problem texts, and nothing written on failure. */
#include <bus/field.h>

#include <stdio.h>

#include "field_sample.h"
#include "test.h"

static struct bus_arena *arena;

static bool decode(const char *json, enum bus_unknown unknown, struct sample *ret, struct bus_problems *problems) {
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 20);
  return bus_decode(&sample_schema, bus_str(json), unknown, arena, ret, problems);
}

static struct sample taken(const char *json) {
  struct sample sample;
  struct bus_problems problems;
  if (!decode(json, BUS_REFUSE_UNKNOWN, &sample, &problems))
    fail_msg("refused: %s: %s %s", json, problems.items[0].path, problems.items[0].text);
  assert_true(decode(json, BUS_REFUSE_UNKNOWN, &sample, NULL));
  return sample;
}

static void done(void) {
  bus_arena_free(arena);
  arena = NULL;
}

/* The problems on one line. */
static void assert_refused(const char *json, const char *expected) {
  static char text[4096];
  struct sample sample, before;
  struct bus_problems problems;
  memset(&sample, 0x5A, sizeof sample);
  memcpy(&before, &sample, sizeof sample);
  if (decode(json, BUS_REFUSE_UNKNOWN, &sample, &problems))
    fail_msg("taken: %s", json);
  assert_false(decode(json, BUS_REFUSE_UNKNOWN, &sample, NULL)); /* nor where nobody asks why */
  assert_memory_equal(&sample, &before, sizeof sample);
  bus_problems_text(&problems, text, sizeof text);
  assert_string_equal(text, expected);
  done();
}

TEST(decode_every_kind)
{
  struct sample s =
      taken("{\"key\":\"k!~\",\"name\":\"Zo\\u00eb\",\"total\":1000000000000,\"limit\":-5,\"urgent\":true,"
            "\"state\":\"PAID\",\"order_id\":\"017F22E2-79B0-7CC3-98C4-DC0C0C07398F\","
            "\"at\":\"2026-03-01T12:00:00.5+01:00\",\"address\":{\"city\":\"Bern\"},"
            "\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":1},{\"product_id\":\"b\",\"quantity\":1000}],"
            "\"data\": { \"b\" : [ 1 , null ] , \"a\" : \"x\\/y\" } }");
  assert_string_equal(s.key.data, "k!~");
  assert_int_equal(s.key.len, 3);
  assert_string_equal(s.name.data, "Zo\xC3\xAB");
  assert_true(s.total == INT64_C(1000000000000));
  assert_true(s.limit == -5);
  assert_true(s.urgent);
  assert_int_equal(s.state, SAMPLE_PAID);
  assert_int_equal(s.order_id.bytes[15], 0x8F);
  assert_true(s.at == INT64_C(1772362800500000));
  assert_string_equal(s.address->city.data, "Bern");
  assert_null(s.address->note.data);
  assert_int_equal(s.item_count, 2);
  assert_string_equal(s.items[0].product_id.data, "SKU-1");
  assert_true(s.items[1].quantity == 1000);
  assert_string_equal(s.data.data, "{\"b\":[1,null],\"a\":\"x/y\"}");
  done();
}

static void assert_all_absent(const struct sample *s) {
  assert_null(s->name.data);
  assert_true(s->total == BUS_NO_INT64);
  assert_true(s->limit == BUS_NO_INT64);
  assert_false(s->urgent);
  assert_int_equal(s->state, -1);
  assert_true(bus_uuid_is_nil(&s->order_id));
  assert_true(s->at == BUS_NO_TIME);
  assert_null(s->address);
  assert_null(s->items);
  assert_int_equal(s->item_count, 0);
  assert_null(s->data.data);
}

TEST(decode_absent_members)
{
  struct sample s = taken("{\"key\":\"k\"}");
  assert_all_absent(&s);
  done();
}

TEST(decode_null_is_absent)
{
  struct sample s = taken("{\"key\":\"k\",\"name\":null,\"total\":null,\"limit\":null,\"urgent\":null,\"state\":null,"
                          "\"order_id\":null,\"at\":null,\"address\":null,\"items\":null,\"data\":null}");
  assert_all_absent(&s);
  done();
}

TEST(decode_empty_is_not_absent)
{
  struct sample s = taken("{\"key\":\"k\",\"name\":\"\",\"items\":[]}");
  assert_non_null(s.name.data);
  assert_int_equal(s.name.len, 0);
  assert_non_null(s.items);
  assert_int_equal(s.item_count, 0);
  done();
}

TEST(decode_required_members)
{
  assert_refused("{}", "key is required");
  assert_refused("{\"key\":null}", "key must be a string of 1 to 8 visible ASCII characters");
  struct sample s;
  struct bus_problems problems;
  arena = bus_arena_new(1 << 20);
  assert_false(bus_decode(&strict_schema, BUS_STR("{}"), BUS_REFUSE_UNKNOWN, arena, &s, &problems));
  assert_int_equal(problems.count, 11);
  for (size_t i = 0; i < problems.count; i++)
    assert_string_equal(problems.items[i].text, "is required");
  done();
}

TEST(decode_required_json_takes_null)
{
  struct sample s;
  struct bus_problems problems;
  arena = bus_arena_new(1 << 20);
  assert_false(bus_decode(&strict_schema, BUS_STR("{\"data\":null}"), BUS_REFUSE_UNKNOWN, arena, &s, &problems));
  for (size_t i = 0; i < problems.count; i++)
    assert_string_not_equal(problems.items[i].path, "data");
  done();
}

TEST(decode_string_bounds_count_bytes)
{
  taken("{\"key\":\"12345678\"}");
  assert_refused("{\"key\":\"123456789\"}", "key must be 1 to 8 visible ASCII characters");
  assert_refused("{\"key\":\"\"}", "key must be 1 to 8 visible ASCII characters");
  taken("{\"key\":\"k\",\"name\":\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"}");
  assert_refused("{\"key\":\"k\",\"name\":\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9!\"}",
                 "name must be 0 to 12 bytes of text without control characters");
}

TEST(decode_refuses_bidirectional_controls_where_strangers_write)
{
  static const char *const controls[] = {"\\u061c", "\\u200e", "\\u200f", "\\u202a",
                                         "\\u202e", "\\u2066", "\\u2069", "\\n"};
  char json[96];
  for (size_t i = 0; i < BUS_COUNT(controls); i++) {
    snprintf(json, sizeof json, "{\"key\":\"k\",\"address\":{\"city\":\"%s!\",\"note\":\"%s\"}}",
             i + 1 == BUS_COUNT(controls) ? "" : controls[i], controls[i]);
    assert_refused(json,
                   "address.note must be 0 to 10 bytes of text without control characters and bidirectional controls");
  }
  static const char *const neighbours[] = {"\\u061b", "\\u200d", "\\u2010", "\\u2029", "\\u202f", "\\u2065", "\\u206a"};
  for (size_t i = 0; i < BUS_COUNT(neighbours); i++) {
    snprintf(json, sizeof json, "{\"key\":\"k\",\"address\":{\"city\":\"c\",\"note\":\"%s\"}}", neighbours[i]);
    taken(json);
  }
}

TEST(decode_charsets)
{
  assert_refused("{\"key\":\"a b\"}", "key must be 1 to 8 visible ASCII characters");
  assert_refused("{\"key\":\"\xC3\xA9\"}", "key must be 1 to 8 visible ASCII characters");
  assert_refused("{\"key\":\"\\u007f\"}", "key must be 1 to 8 visible ASCII characters");
  static const char *const controls[] = {"\\n",     "\\u0001", "\\u001b",  "\\u007f",
                                         "\\u0080", "\\u009f", "\xC2\x85", "\x7F"};
  for (size_t i = 0; i < BUS_COUNT(controls); i++) {
    char json[64];
    snprintf(json, sizeof json, "{\"key\":\"k\",\"name\":\"%s\"}", controls[i]);
    assert_refused(json, "name must be 0 to 12 bytes of text without control characters");
  }
  taken("{\"key\":\"k\",\"name\":\"\\u00a0 ~\"}");
  static const char *const tokens[] = {"A b", "a/b", "a,b", "\xC3\xA9", "a\\u0000"};
  for (size_t i = 0; i < 4; i++) {
    char json[96];
    snprintf(json, sizeof json, "{\"key\":\"k\",\"items\":[{\"product_id\":\"%s\",\"quantity\":1}]}", tokens[i]);
    assert_refused(json, "items[0].product_id must be 1 to 64 characters of A-Z a-z 0-9 . _ : -");
  }
  taken("{\"key\":\"k\",\"items\":[{\"product_id\":\"AZaz09._:-\",\"quantity\":1}]}");
  done();
}

TEST(decode_integers_are_strict)
{
  static const char *const wrong[] = {"0",
                                      "-1",
                                      "-0",
                                      "1.0",
                                      "10.5",
                                      "1e2",
                                      "1E0",
                                      "1000000000001",
                                      "9007199254740993",
                                      "12345678901234567890",
                                      "99999999999",
                                      "true",
                                      "\"1\"",
                                      "[1]",
                                      "{}"};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    char json[64];
    snprintf(json, sizeof json, "{\"key\":\"k\",\"total\":%s}", wrong[i]);
    if (strcmp(wrong[i], "99999999999") == 0) /* cJSON's valueint would saturate here */
      assert_true(taken(json).total == INT64_C(99999999999));
    else
      assert_refused(json, "total must be an integer from 1 to 1000000000000");
  }
  assert_true(taken("{\"key\":\"k\",\"limit\":-1000000000000}").limit == INT64_C(-1000000000000));
  assert_refused("{\"key\":\"k\",\"limit\":-1000000000001}",
                 "limit must be an integer from -1000000000000 to 1000000000000");
  done();
}

/* The scan counts numbers in the text's order; members need not come in the table's. */
TEST(decode_inexact_number_is_found_wherever_it_stands)
{
  assert_refused("{\"limit\":2,\"total\":1.5,\"key\":\"k\"}", "total must be an integer from 1 to 1000000000000");
  assert_refused("{\"items\":[{\"quantity\":1,\"product_id\":\"a\"},{\"quantity\":2.0,\"product_id\":\"b\"}],"
                 "\"total\":3,\"key\":\"k\"}",
                 "items[1].quantity must be an integer from 1 to 1000");
}

TEST(decode_other_kinds_refuse)
{
  assert_refused("{\"key\":\"k\",\"urgent\":1}", "urgent must be true or false");
  assert_refused("{\"key\":\"k\",\"urgent\":\"true\"}", "urgent must be true or false");
  assert_refused("{\"key\":\"k\",\"state\":\"paid\"}", "state must be one of NEW, PAID, DONE");
  assert_refused("{\"key\":\"k\",\"state\":1}", "state must be one of NEW, PAID, DONE");
  assert_refused("{\"key\":\"k\",\"order_id\":\"x\"}", "order_id must be a UUID, and not the nil one");
  assert_refused("{\"key\":\"k\",\"order_id\":7}", "order_id must be a UUID, and not the nil one");
  assert_refused("{\"key\":\"k\",\"order_id\":\"00000000-0000-0000-0000-000000000000\"}",
                 "order_id must be a UUID, and not the nil one");
  assert_refused("{\"key\":\"k\",\"at\":\"2026-02-30T00:00:00Z\"}",
                 "at must be a time such as 2026-03-01T12:00:00.000Z");
  assert_refused("{\"key\":\"k\",\"at\":1}", "at must be a time such as 2026-03-01T12:00:00.000Z");
  assert_refused("{\"key\":\"k\",\"address\":[]}", "address must be an object");
  assert_refused("{\"key\":\"k\",\"address\":\"Bern\"}", "address must be an object");
  assert_refused("{\"key\":\"k\",\"address\":{}}", "address.city is required");
}

TEST(decode_array_bounds)
{
  assert_refused("{\"key\":\"k\",\"items\":{}}", "items must be a list of 0 to 3 items");
  assert_refused("{\"key\":\"k\",\"items\":[1,2,3,4]}", "items must be a list of 0 to 3 items");
  assert_refused("{\"key\":\"k\",\"items\":[1,null]}", "items[0] must be an object; items[1] must be an object");
}

TEST(decode_json_kind)
{
  assert_string_equal(taken("{\"key\":\"k\",\"data\":-12}").data.data, "-12");
  assert_string_equal(taken("{\"key\":\"k\",\"data\":\"\\u000a\\u00e9\"}").data.data, "\"\\n\xC3\xA9\"");
  assert_string_equal(taken("{\"key\":\"k\",\"data\":[true,false,[],{}]}").data.data, "[true,false,[],{}]");
  assert_refused("{\"key\":\"k\",\"data\":{\"a\":[1,1.5]}}",
                 "data must hold no numbers but integers from -1000000000000 to 1000000000000");
  assert_refused("{\"key\":\"k\",\"data\":9007199254740993}",
                 "data must hold no numbers but integers from -1000000000000 to 1000000000000");
  assert_refused("{\"key\":\"k\",\"data\":\"0123456789012345678901234567890123456789012345678901234567890123\"}",
                 "data must be at most 64 bytes of JSON");
}

TEST(decode_unknown_members)
{
  struct sample s;
  struct bus_problems problems;
  static const char json[] = "{\"key\":\"k\",\"x\":{\"y\":1.5},\"address\":{\"city\":\"b\",\"zip\":1}}";
  assert_refused(json, "address.zip unknown field; x unknown field");
  assert_true(decode(json, BUS_IGNORE_UNKNOWN, &s, &problems));
  assert_refused("{\"key\":\"k\",\"KEY\":\"k\"}", "KEY unknown field");
  assert_refused("{\"key\":\"k\",\"a\\nb\\u001b \xC3\xA9\":1}", "a?b???? unknown field");
}

TEST(decode_member_names_are_case_sensitive)
{ assert_refused("{\"Key\":\"k\"}", "key is required; Key unknown field"); }

TEST(decode_long_unknown_name_is_shortened)
{
  assert_refused("{\"key\":\"k\",\"0123456789012345678901234567890123456789XYZ\":1}",
                 "0123456789012345678901234567890123456789... unknown field");
}

TEST(decode_repeated_keys_are_refused_at_every_level)
{
  struct sample s;
  struct bus_problems problems;
  assert_refused("{\"key\":\"k\",\"key\":\"k\"}", "key is given more than once");
  assert_refused("{\"key\":\"k\",\"total\":1,\"\\u0074otal\":2}", "total is given more than once");
  assert_refused("{\"key\":\"k\",\"total\":1,\"total\":2,\"total\":3}", "total is given more than once");
  assert_refused("{\"key\":\"k\",\"items\":[{\"product_id\":\"a\",\"quantity\":1,\"quantity\":1}]}",
                 "items[0].quantity is given more than once");
  assert_refused("{\"key\":\"k\",\"data\":{\"a\":[{\"b\":1,\"b\":2}]}}", "data.a[0].b is given more than once");
  assert_false(decode("{\"key\":\"k\",\"x\":[[{\"a\":0,\"c\":0,\"a\":0}]]}", BUS_IGNORE_UNKNOWN, &s, &problems));
  assert_string_equal(problems.items[0].path, "x[0][0].a");
  done();
}

TEST(decode_keys_that_differ_in_case_are_two)
{
  struct sample s;
  struct bus_problems problems;
  assert_true(decode("{\"key\":\"k\",\"a\":1,\"A\":2}", BUS_IGNORE_UNKNOWN, &s, &problems));
  done();
}

TEST(decode_tells_all_problems_at_once)
{
  assert_refused(
      "{\"total\":0,\"urgent\":3,\"address\":{\"city\":\"\"},\"items\":[{\"product_id\":\"a\",\"quantity\":1},"
      "{\"product_id\":\"!\",\"quantity\":1001}],\"zzz\":1}",
      "key is required; total must be an integer from 1 to 1000000000000; urgent must be true or false; "
      "address.city must be 1 to 40 bytes of text without control characters; "
      "items[1].product_id must be 1 to 64 characters of A-Z a-z 0-9 . _ : -; "
      "items[1].quantity must be an integer from 1 to 1000; zzz unknown field");
}

TEST(decode_counts_problems_beyond_what_it_keeps)
{
  struct sample s;
  struct bus_problems problems;
  char text[4096];
  assert_false(decode("{\"key\":\"k\",\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,"
                      "\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"r\":1,\"s\":1}",
                      BUS_REFUSE_UNKNOWN, &s, &problems));
  assert_int_equal(problems.count, 18);
  bus_problems_text(&problems, text, sizeof text);
  assert_non_null(strstr(text, "; q unknown field; and 2 more"));
  done();
}

TEST(decode_never_shows_a_string_value)
{
  struct sample s;
  struct bus_problems problems;
  char text[4096];
  assert_false(decode("{\"key\":\"secret value\",\"name\":\"secret name that is too long\",\"state\":\"secret\","
                      "\"order_id\":\"secret\",\"at\":\"secret\",\"address\":\"secret\"}",
                      BUS_REFUSE_UNKNOWN, &s, &problems));
  bus_problems_text(&problems, text, sizeof text);
  assert_null(strstr(text, "secret"));
  done();
}

TEST(decode_root_must_be_an_object)
{
  assert_refused("[]", "must be an object");
  assert_refused("null", "must be an object");
  assert_refused("\"k\"", "must be an object");
}

TEST(decode_says_where_json_breaks)
{
  assert_refused("", "must be JSON: the text is empty at byte 0");
  assert_refused("{\"key\":\"k\"", "must be JSON: ',' or '}' is expected at byte 10");
  assert_refused("{\"key\":\"a\\u0000b\"}", "must be JSON: \\u0000 is not allowed at byte 15");
  assert_refused("{\"key\":\"k\"} trailing", "must be JSON: text behind the end of the value at byte 12");
  assert_refused("{\"key\":\"k\",\"total\":01}", "must be JSON: a number begins with 0 at byte 20");
}

TEST(decode_absent_text_is_refused)
{
  struct sample s;
  struct bus_problems problems;
  arena = bus_arena_new(4096);
  assert_false(bus_decode(&sample_schema, BUS_NO_STR, BUS_REFUSE_UNKNOWN, arena, &s, &problems));
  assert_string_equal(problems.items[0].text, "must be JSON: the text is empty at byte 0");
  done();
}

TEST(decode_problems_may_be_null)
{
  struct sample s;
  assert_false(decode("{\"key\":1,\"x\":2}", BUS_REFUSE_UNKNOWN, &s, NULL));
  done();
}

/* With every limit from nothing to enough: "out of memory" or the value, and no leak in between. */
TEST(decode_out_of_memory_is_one_problem)
{
  static const char json[] =
      "{\"key\":\"k\",\"name\":\"n\",\"address\":{\"city\":\"Bern\"},\"items\":[{\"product_id\":\"a\","
      "\"quantity\":1}],\"data\":{\"a\":1}}";
  bool taken_once = false, refused_once = false;
  for (size_t limit = 0; limit < 1024; limit += 16) {
    struct sample s;
    struct bus_problems problems;
    struct bus_arena *small = bus_arena_new(limit);
    bool ok = bus_decode(&sample_schema, bus_str(json), BUS_REFUSE_UNKNOWN, small, &s, &problems);
    if (!ok) {
      refused_once = true;
      assert_false(taken_once);
      assert_int_equal(problems.count, 1);
      assert_string_equal(problems.items[0].path, "");
      assert_string_equal(problems.items[0].text, "out of memory");
      assert_true(bus_problems_no_memory(&problems));
    }
    taken_once |= ok;
    bus_arena_free(small);
  }
  assert_true(taken_once && refused_once);
}

TEST(decode_strings_live_in_the_arena)
{
  char json[] = "{\"key\":\"k\",\"name\":\"name\"}";
  struct sample s = taken(json);
  memset(json, 'x', sizeof json - 1);
  assert_string_equal(s.name.data, "name");
  done();
}

TEST(decode_many_members_take_no_quadratic_time)
{
  static char json[BUS_JSON_NODES * 16];
  size_t len = (size_t)snprintf(json, sizeof json, "{\"key\":\"k\"");
  for (int i = 0; i < BUS_JSON_NODES - 10; i++)
    len += (size_t)snprintf(json + len, sizeof json - len, ",\"m%d\":1", i);
  snprintf(json + len, sizeof json - len, "}");
  struct sample s;
  struct bus_problems problems;
  for (int i = 0; i < 10; i++)
    assert_true(decode(json, BUS_IGNORE_UNKNOWN, &s, &problems));
  done();
}

TEST(decode_deep_path_is_cut_not_overrun)
{
  static const char name[] = "01234567890123456789012345678901234567890123456789";
  char json[1024];
  snprintf(json, sizeof json, "{\"key\":\"k\",\"%s\":{\"%s\":{\"%s\":{\"a\":1,\"a\":2}}}}", name, name, name);
  struct sample s;
  struct bus_problems problems;
  assert_false(decode(json, BUS_IGNORE_UNKNOWN, &s, &problems));
  assert_int_equal(strlen(problems.items[0].path), sizeof problems.items[0].path - 1);
  done();
}

TEST(problems_added_by_hand)
{
  struct bus_problems problems = {0};
  char text[64];
  bus_problems_text(&problems, text, sizeof text);
  assert_string_equal(text, "");
  bus_problem_add(&problems, "items[1].product_id", "is there %s", "twice");
  bus_problem_add(&problems, "", "too much");
  bus_problem_add(NULL, "", "nobody listens");
  bus_problems_text(&problems, text, sizeof text);
  assert_string_equal(text, "items[1].product_id is there twice; too much");
  bus_problems_text(&problems, text, 10);
  assert_string_equal(text, "items[1].");
  bus_problems_text(&problems, text, 1);
  assert_string_equal(text, "");
}

struct named {
  struct bus_str id;
};

static bool is_id(const char *text) {
  static const struct bus_field fields[] = {
      BUS_FIELD_STRING(struct named, id, BUS_ID, 1, BUS_ID_MAX, BUS_REQUIRED, "an id")};
  static const struct bus_schema schema = BUS_SCHEMA("named", struct named, fields);
  struct named named;
  char json[128];
  snprintf(json, sizeof json, "{\"id\":\"%s\"}", text);
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 20);
  return bus_decode(&schema, bus_str(json), BUS_REFUSE_UNKNOWN, arena, &named, NULL);
}

TEST(field_ids_are_tokens_that_a_path_can_name)
{
  static const char *const ids[] = {"SKU-00001", "a.b_c:d-9",
                                    "sku:1",     "A..B",
                                    "...",       "0123456789012345678901234567890123456789012345678901234567890123"};
  static const char *const others[] = {
      "", ".", "..", "a/b", "a%20b", "\xC3\xA4", "01234567890123456789012345678901234567890123456789012345678901234"};
  for (size_t i = 0; i < BUS_COUNT(ids); i++)
    assert_true(is_id(ids[i]) && bus_id_is_valid(bus_str(ids[i])));
  for (size_t i = 0; i < BUS_COUNT(others); i++)
    assert_false(is_id(others[i]) || bus_id_is_valid(bus_str(others[i])));
  done();
}
