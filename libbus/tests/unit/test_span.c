/* bus/span.h: the record's bounds, and the JSON byte for byte. */
#include <bus/span.h>

#include <cjson/cJSON.h>

#include "test.h"

static const struct bus_span_resource resource = {"edge", "instance-1", "1.2.3"};

#define PREFIX                                                                                                         \
  "{\"resourceSpans\":[{\"resource\":{\"attributes\":["                                                                \
  "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"edge\"}},"                                                   \
  "{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"instance-1\"}},"                                      \
  "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"1.2.3\"}}]},"                                             \
  "\"scopeSpans\":[{\"scope\":{\"name\":\"libbus\"},\"spans\":["
#define SUFFIX "]}]}]}"

static struct bus_span span_of(const char *traceparent, const char *parent) {
  struct bus_trace trace, caller;
  struct bus_span span;
  assert_true(bus_trace_parse(bus_str(traceparent), &trace));
  if (parent)
    assert_true(bus_trace_parse(bus_str(parent), &caller));
  bus_span_init(&span, BUS_SPAN_SERVER, &trace, parent ? caller.span_id : NULL);
  return span;
}

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define OWN "00-" TRACE "-00f067aa0ba902b7-01"
#define PARENT "00-" TRACE "-aaaaaaaaaaaaaaaa-01"

static void assert_encoded(const struct bus_span *spans, size_t count, const char *expected) {
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_str json;
  assert_true(bus_spans_encode(&resource, spans, count, arena, &json));
  assert_string_equal(json.data, expected);
  assert_int_equal(json.len, strlen(expected));
  bus_arena_free(arena);
}

TEST(span_json_is_otlp_byte_for_byte)
{
  struct bus_span spans[] = {span_of(OWN, PARENT), span_of(PARENT, NULL)};
  spans[0].began = INT64_C(1700000000123456);
  spans[0].ended = INT64_C(1700000000123999);
  bus_span_set_name(&spans[0], "%s %s", "GET", "/api/orders/{id}");
  bus_span_add_text(&spans[0], "http.request.method", BUS_STR("GET"));
  bus_span_add_int(&spans[0], "http.response.status_code", 200);
  bus_span_add_bool(&spans[0], "cached", true);
  bus_span_add_bool(&spans[0], "late", false);
  bus_span_add_text(&spans[0], "absent", BUS_NO_STR);
  spans[1].kind = BUS_SPAN_CLIENT;
  spans[1].status = BUS_SPAN_ERROR;
  spans[1].began = 7;
  spans[1].ended = 8;
  assert_encoded(
      spans, 2,
      PREFIX
      "{\"traceId\":\"" TRACE "\",\"spanId\":\"00f067aa0ba902b7\",\"parentSpanId\":\"aaaaaaaaaaaaaaaa\","
      "\"name\":\"GET /api/orders/{id}\",\"kind\":2,\"startTimeUnixNano\":\"1700000000123456000\","
      "\"endTimeUnixNano\":\"1700000000123999000\",\"attributes\":["
      "{\"key\":\"http.request.method\",\"value\":{\"stringValue\":\"GET\"}},"
      "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"200\"}},"
      "{\"key\":\"cached\",\"value\":{\"boolValue\":true}},"
      "{\"key\":\"late\",\"value\":{\"boolValue\":false}}],\"droppedAttributesCount\":0,\"status\":{\"code\":0}},"
      "{\"traceId\":\"" TRACE "\",\"spanId\":\"aaaaaaaaaaaaaaaa\",\"name\":\"\",\"kind\":3,"
      "\"startTimeUnixNano\":\"7000\",\"endTimeUnixNano\":\"8000\",\"attributes\":[],"
      "\"droppedAttributesCount\":0,\"status\":{\"code\":2}}" SUFFIX);
  assert_encoded(NULL, 0, PREFIX SUFFIX);
}

/* A text with a quotation mark, a line feed, NUL, a malformed byte, a line separator and U+00E4. */
static const char odd[] = "\"\\\n\0\xFF\xE2\x80\xA8\xC3\xA4";

TEST(odd_texts_are_escaped)
{
  struct bus_span span = span_of(OWN, NULL);
  bus_span_set_name(&span, "%s", "a\"\n\xFF");
  bus_span_add_text(&span, "odd", (struct bus_str){odd, sizeof odd - 1});
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_str json;
  assert_true(bus_spans_encode(&resource, &span, 1, arena, &json));
  assert_non_null(strstr(json.data, "\"name\":\"a\\\"\\n\xEF\xBF\xBD\""));
  assert_non_null(strstr(json.data, "\"stringValue\":\"\\\"\\\\\\n\\u0000\xEF\xBF\xBD\\u2028\xC3\xA4\""));
  cJSON *parsed = cJSON_Parse(json.data);
  assert_non_null(parsed);
  cJSON_Delete(parsed);
  bus_arena_free(arena);
}

TEST(texts_are_cut_at_the_end_of_a_character)
{
  char text[BUS_SPAN_VALUE_MAX + 2];
  struct bus_span span = span_of(OWN, NULL);
  memset(text, 'x', sizeof text);
  memcpy(text + BUS_SPAN_VALUE_MAX - 2, "\xE2\x82\xAC", 3); /* one byte too long */
  bus_span_add_text(&span, "euro", (struct bus_str){text, sizeof text});
  assert_int_equal(span.attributes[0].len, BUS_SPAN_VALUE_MAX - 2);
  memset(text, 0x80, sizeof text); /* no character at all: the cut still moves back by three bytes at most */
  bus_span_add_text(&span, "broken", (struct bus_str){text, sizeof text});
  assert_true(span.attributes[1].len >= BUS_SPAN_VALUE_MAX - 3);
  memset(text, 'n', sizeof text);
  memcpy(text + BUS_SPAN_NAME_MAX - 1, "\xC3\xA4", 2);
  bus_span_set_name(&span, "%.*s", (int)sizeof text, text);
  assert_int_equal(span.name_len, BUS_SPAN_NAME_MAX - 1);
}

TEST(attributes_beyond_the_bound_are_counted)
{
  char text[BUS_SPAN_VALUE_MAX];
  struct bus_span span = span_of(OWN, NULL);
  memset(text, 'x', sizeof text);
  for (int i = 0; i < BUS_SPAN_ATTRIBUTES_MAX + 3; i++)
    bus_span_add_text(&span, "key", (struct bus_str){text, sizeof text});
  assert_int_equal(span.attribute_count, BUS_SPAN_ATTRIBUTES_MAX);
  assert_int_equal(span.dropped_attributes, 3);
  assert_int_equal(span.text_len, BUS_SPAN_TEXT_MAX);
  assert_int_equal(span.attributes[BUS_SPAN_ATTRIBUTES_MAX - 1].len, 0);
  bus_span_add_int(&span, "more", 1);
  assert_int_equal(span.dropped_attributes, 4);
}

TEST(encoding_without_memory_fails)
{
  struct bus_span span = span_of(OWN, NULL);
  struct bus_arena *arena = bus_arena_new(64);
  struct bus_str json;
  assert_false(bus_spans_encode(&resource, &span, 1, arena, &json));
  bus_arena_free(arena);
}

TEST(links_are_encoded_and_bounded)
{
  struct bus_span span = span_of(OWN, NULL);
  struct bus_span_link links[BUS_SPAN_LINKS_MAX + 1];
  memset(links, 0xAB, sizeof links);
  span.began = 1;
  span.ended = 2;
  bus_span_add_links(&span, NULL, 0, 0);
  bus_span_add_links(&span, links, 2, 2);
#define LINK "{\"traceId\":\"abababababababababababababababab\",\"spanId\":\"abababababababab\"}"
#define BEFORE                                                                                                         \
  PREFIX "{\"traceId\":\"" TRACE "\",\"spanId\":\"00f067aa0ba902b7\",\"name\":\"\",\"kind\":2,"                        \
         "\"startTimeUnixNano\":\"1000\",\"endTimeUnixNano\":\"2000\",\"attributes\":[],\"droppedAttributesCount\":0,"
  assert_encoded(&span, 1, BEFORE "\"links\":[" LINK "," LINK "],\"status\":{\"code\":0}}" SUFFIX);
  span.link_count = 0;
  bus_span_add_links(&span, links, 1, 10);
  assert_encoded(&span, 1, BEFORE "\"links\":[" LINK "],\"droppedLinksCount\":9,\"status\":{\"code\":0}}" SUFFIX);
  bus_span_add_links(&span, links, BUS_SPAN_LINKS_MAX, BUS_SPAN_LINKS_MAX);
  assert_int_equal(span.link_count, BUS_SPAN_LINKS_MAX);
  assert_int_equal(span.dropped_links, 10);
}

TEST(a_span_that_failed_names_its_error)
{
  struct bus_span span = span_of(OWN, NULL);
  bus_span_fail(&span, BUS_STR("23505"));
  assert_int_equal(span.status, BUS_SPAN_ERROR);
  assert_string_equal(span.attributes[0].key, "error.type");
  assert_int_equal(span.attributes[0].len, 5);
}

static size_t rejected(const char *answer) {
  struct bus_arena *arena = bus_arena_new(1 << 20);
  size_t count = bus_spans_rejected(bus_str(answer), 10, arena);
  bus_arena_free(arena);
  return count;
}

TEST(a_collector_says_how_many_spans_it_rejected)
{
  assert_int_equal(rejected("{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"too old\"}}"), 3);
  assert_int_equal(rejected("{\"partialSuccess\":{\"rejectedSpans\":3}}"), 3);
  assert_int_equal(rejected("{\"partialSuccess\":{\"rejectedSpans\":\"999\"}}"), 10);
  assert_int_equal(rejected("{\"partialSuccess\":{\"rejectedSpans\":999999}}"), 10);
  static const char *const none[] = {"{}",
                                     "",
                                     "[]",
                                     "{\"partialSuccess\":{}}",
                                     "{\"partialSuccess\":{\"rejectedSpans\":-1}}",
                                     "{\"partialSuccess\":{\"rejectedSpans\":\"x\"}}",
                                     "{\"partialSuccess\":null}",
                                     "{\"partialSuccess\":{\"errorMessage\":\"a warning\"}}",
                                     "OK"};
  for (size_t i = 0; i < BUS_COUNT(none); i++)
    assert_int_equal(rejected(none[i]), 0);
}
