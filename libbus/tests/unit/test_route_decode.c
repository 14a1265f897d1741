/* Decoding of a request by the tables of its row: kinds of text, fallbacks, the key, the hash, and what is named. */
#include <bus/hash.h>
#include <bus/route.h>

#include <stdio.h>

#include "test.h"

struct ask {
  struct bus_uuid id;
  struct bus_str name, word, cursor, idempotency_key, text, hash;
  int64_t limit, seq, checked;
  int state;
  bool deep;
  bus_time at;
};
static const char *const states[] = {"ON", "OFF", NULL};
static const struct bus_field path[] = {
    BUS_FIELD_UUID(struct ask, id, BUS_REQUIRED, "which"),
    BUS_FIELD_STRING(struct ask, name, BUS_ID, 1, 8, BUS_REQUIRED, "whose"),
};
static const struct bus_field query[] = {
    BUS_FIELD_INT64(struct ask, limit, 1, 100, BUS_OPTIONAL, "how many", .fallback = "20"),
    BUS_FIELD_STRING(struct ask, word, BUS_VISIBLE, 1, 8, BUS_OPTIONAL, "a word"),
    BUS_FIELD_STRING(struct ask, cursor, BUS_TOKEN, 1, 8, BUS_OPTIONAL, "an earlier cursor", .opaque = true),
    BUS_FIELD_ENUM(struct ask, state, states, BUS_OPTIONAL, "state"),
    BUS_FIELD_BOOL(struct ask, deep, BUS_OPTIONAL, "deep"),
    BUS_FIELD_TIME(struct ask, at, BUS_OPTIONAL, "when"),
};
static const struct bus_field body[] = {
    BUS_FIELD_STRING(struct ask, idempotency_key, BUS_VISIBLE, 1, 8, BUS_OPTIONAL, "key"),
    BUS_FIELD_STRING(struct ask, text, BUS_TEXT, 1, 8, BUS_OPTIONAL, "text", .fallback = "none"),
    BUS_FIELD_INT64(struct ask, seq, 0, 9, BUS_OPTIONAL, "seq"),
};

static void check(void *request, struct bus_problems *problems) {
  struct ask *ask = request;
  ask->checked++;
  if (ask->seq == 9)
    bus_problem_add(problems, "seq", "is nine");
}

static const struct bus_http_input input = {.size = sizeof(struct ask),
                                            .path = BUS_TABLE(struct ask, path),
                                            .query = BUS_TABLE(struct ask, query),
                                            .body = BUS_TABLE(struct ask, body),
                                            .body_may_be_empty = true,
                                            .key = &body[0],
                                            .hash = offsetof(struct ask, hash),
                                            .check = check};
static struct bus_arena *arena;
static struct bus_problems problems;

static const struct ask *read_at(const char *id, const char *text_query, const char *text, const char *key) {
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 16);
  const struct bus_str segments[] = {bus_str(id), {"NAME/rest", 4}};
  const struct bus_http_given given = {segments, bus_str(text_query), bus_str(text), bus_str(key)};
  return bus_http_decode(&input, &given, arena, &problems);
}

static const struct ask *read(const char *text_query, const char *text, const char *key) {
  return read_at("018f0000-0000-7000-8000-000000000001", text_query, text, key);
}

static void assert_wrong(const struct ask *ask, const char *expected) {
  char text[1024];
  assert_null(ask);
  bus_problems_text(&problems, text, sizeof text);
  assert_string_equal(text, expected);
}

static void end(void) {
  bus_arena_free(arena);
  arena = NULL;
}

TEST(every_part_is_decoded_into_one_struct)
{
  const struct ask *ask = read("limit=7&word=a%20b&state=OFF&deep=true&at=2026-03-01T12:00:00Z&cursor=c", "{}", "k");
  assert_wrong(ask, "word must be 1 to 8 visible ASCII characters");
  ask =
      read("limit=007&word=ab&state=OFF&deep=true&at=2026-03-01T12:00:00Z&cursor=c", "{\"text\":\"t\",\"seq\":3}", "k");
  assert_non_null(ask);
  assert_int_equal(ask->id.bytes[15], 1);
  assert_true(bus_str_is(ask->name, "NAME") && bus_str_is(ask->word, "ab") && bus_str_is(ask->cursor, "c"));
  assert_true(bus_str_is(ask->text, "t") && bus_str_is(ask->idempotency_key, "k"));
  assert_true(ask->limit == 7 && ask->state == 1 && ask->deep && ask->seq == 3 && ask->checked == 1);
  assert_int_equal(ask->at, INT64_C(1772366400000000));
  end();
}

TEST(absent_members_are_absent_or_have_their_fallback)
{
  const struct ask *ask = read(NULL, "", "k");
  assert_non_null(ask);
  assert_true(ask->limit == 20 && bus_str_is(ask->text, "none"));
  assert_true(ask->word.data == NULL && ask->state == -1 && !ask->deep && ask->at == BUS_NO_TIME);
  assert_int_equal(ask->seq, BUS_NO_INT64);
  ask = read("", "{\"text\":null}", "k");
  assert_true(bus_str_is(ask->text, "none"));
  end();
}

TEST(a_form_is_read_as_a_query_and_its_other_names_are_ignored)
{
  static const struct bus_field form[] = {
      BUS_FIELD_STRING(struct ask, word, BUS_VISIBLE, 1, 8, BUS_OPTIONAL, "a word"),
      BUS_FIELD_INT64(struct ask, seq, 0, 9, BUS_OPTIONAL, "seq"),
  };
  const struct bus_http_input form_input = {
      .size = sizeof(struct ask), .body = BUS_TABLE(struct ask, form), .body_is_form = true};
  static const struct {
    const char *body, *problem;
  } cases[] = {{"word=a%2Bb&other=x&seq=3", NULL},
               {"word=a&word=b", "word is malformed or stands more than once"},
               {"seq=10", "seq must be an integer from 0 to 9"},
               {"word=%zz", "word is malformed or stands more than once"}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    arena = bus_arena_new(1 << 16);
    const struct bus_http_given given = {.body = bus_str(cases[i].body)};
    const struct ask *ask = bus_http_decode(&form_input, &given, arena, &problems);
    if (cases[i].problem)
      assert_wrong(ask, cases[i].problem);
    else
      assert_true(ask && bus_str_is(ask->word, "a+b") && ask->seq == 3);
    end();
  }
}

TEST(a_path_that_a_field_refuses_is_no_problem_but_names_nothing)
{
  assert_null(read_at("x", "limit=0", "no JSON", "k"));
  assert_int_equal(problems.count, 0);
  assert_null(read_at("00000000-0000-0000-0000-000000000000", "", "", "k"));
  assert_int_equal(problems.count, 0);
  end();
}

TEST(everything_wrong_is_named_at_once_body_first)
{
  assert_wrong(read("limit=0&word=&cursor=%C3%A4&state=on&deep=1&at=now&what=1", "{\"seq\":10,\"more\":1}", "\"k"),
               "seq must be an integer from 0 to 9; more unknown field; "
               "Idempotency-Key must be 1 to 8 visible ASCII characters, bare or in quotation marks; "
               "limit must be an integer from 1 to 100; word must be 1 to 8 visible ASCII characters; "
               "cursor must be an earlier cursor; state must be one of ON, OFF; deep must be true or false; "
               "at must be a time such as 2026-03-01T12:00:00.000Z; has an unknown query parameter");
  assert_wrong(read("limit=1&limit=2&word=%zz", "{}", "k"),
               "limit is malformed or stands more than once; word is malformed or stands more than once");
  end();
}

TEST(integers_of_a_query_are_plain_digits)
{
  static const char *const bad[] = {"", "0", "101", "-1", "%2B1", "1.0", "1e1", "+1", "1+", "0x10", "99999999999999"};
  char text[64];
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    snprintf(text, sizeof text, "limit=%s", bad[i]);
    assert_wrong(read(text, "", "k"), "limit must be an integer from 1 to 100");
  }
  end();
}

TEST(a_key_is_needed_once_and_must_agree)
{
  assert_wrong(read("", "", NULL), "idempotency_key is required");
  assert_wrong(read("", "{\"idempotency_key\":null}", NULL),
               "idempotency_key must be a string of 1 to 8 visible ASCII characters");
  assert_true(bus_str_is(read("", "{\"idempotency_key\":\"a\"}", NULL)->idempotency_key, "a"));
  assert_true(bus_str_is(read("", "{\"idempotency_key\":\"a\"}", "\"a\"")->idempotency_key, "a"));
  assert_wrong(read("", "{\"idempotency_key\":\"a\",\"seq\":9}", "b"),
               "idempotency_key differs from the header Idempotency-Key; seq is nine");
  end();
}

TEST(a_key_that_only_the_header_has_may_be_absent)
{
  const struct bus_str segments[] = {BUS_STR("018f0000-0000-7000-8000-000000000001"), BUS_STR("NAME")};
  struct bus_http_given given = {segments, BUS_STR(""), BUS_STR("{\"seq\":1}"), BUS_NO_STR};
  struct bus_http_input in_header = input;
  in_header.key = NULL;
  static const struct bus_field seq[] = {BUS_FIELD_INT64(struct ask, seq, 0, 9, BUS_OPTIONAL, "seq")};
  in_header.body = BUS_TABLE(struct ask, seq);
  in_header.header_key = &body[0];
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 16);
  const struct ask *ask = bus_http_decode(&in_header, &given, arena, &problems);
  assert_true(ask && ask->idempotency_key.data == NULL);
  given.key = BUS_STR("\"a b\"");
  assert_wrong(bus_http_decode(&in_header, &given, arena, &problems),
               "Idempotency-Key must be 1 to 8 visible ASCII characters, bare or in quotation marks");
  given.key = BUS_STR("\"ab\"");
  ask = bus_http_decode(&in_header, &given, arena, &problems);
  assert_true(ask && bus_str_is(ask->idempotency_key, "ab") && ask->seq == 1);
  end();
}

TEST(the_check_runs_beside_wrong_parameters_and_not_over_a_wrong_body)
{
  assert_wrong(read("limit=0", "{\"seq\":9}", "k"), "limit must be an integer from 1 to 100; seq is nine");
  assert_wrong(read("", "{\"seq\":9,\"text\":5}", "k"),
               "text must be a string of 1 to 8 bytes of text without control characters");
  end();
}

TEST(the_hash_is_of_the_body_without_its_key)
{
  char expected[BUS_SHA256_TEXT];
  bus_sha256_hex(BUS_STR("{\"text\":\"none\",\"seq\":1}"), expected);
  const struct ask *ask = read("limit=3", "{\"seq\":1,\"idempotency_key\":\"a\"}", NULL);
  assert_true(bus_str_is(ask->hash, expected) && bus_str_is(ask->idempotency_key, "a"));
  assert_true(bus_str_is(read("", "{ \"seq\": 1 }", "b")->hash, expected));
  end();
}

TEST(a_body_without_a_key_has_its_hash)
{
  char expected[BUS_SHA256_TEXT];
  const struct bus_str segments[] = {BUS_STR("018f0000-0000-7000-8000-000000000001"), BUS_STR("NAME")};
  const struct bus_http_given given = {segments, BUS_STR(""), BUS_STR("{\"seq\":1}"), BUS_NO_STR};
  struct bus_http_input keyless = input;
  keyless.key = NULL;
  bus_arena_free(arena);
  arena = bus_arena_new(1 << 16);
  const struct ask *ask = bus_http_decode(&keyless, &given, arena, &problems);
  bus_sha256_hex(BUS_STR("{\"text\":\"none\",\"seq\":1}"), expected);
  assert_non_null(ask);
  assert_true(bus_str_is(ask->hash, expected));
  end();
}

TEST(without_memory_that_is_the_one_problem)
{
  const struct bus_str segments[] = {BUS_STR("018f0000-0000-7000-8000-000000000001"), BUS_STR("NAME")};
  const struct bus_http_given given = {segments, BUS_STR("limit=7&word=ab"), BUS_STR("{\"seq\":1}"), BUS_STR("k")};
  size_t refused = 0;
  for (size_t size = 64; size < 4096; size += 64) {
    struct bus_arena *small = bus_arena_new(size);
    if (bus_http_decode(&input, &given, small, &problems) == NULL) {
      refused++;
      assert_true(problems.count > 0);
    }
    bus_arena_free(small);
  }
  assert_true(refused > 0);
}
