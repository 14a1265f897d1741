/* bundle_cut.c: what cannot be cut and why, what an element takes from its delivery, and data that is not looked into.
 */
#include <bus/bundle.h>

#include <stdio.h>
#include <test.h>

#define ID_1 "01890a5d-ac96-774b-bcce-b302099a8051"
#define ID_2 "01890a5d-ac96-774b-bcce-b302099a8052"
#define START(id) "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"type\":\"order.place.v1\""
#define ONE START(ID_1) ",\"data\":{}}"
#define TWO START(ID_2) ",\"data\":{}}"

static struct bus_arena *arena;
static struct bus_error err;
static struct bus_bundle_element *elements;
static size_t count;

static struct bus_envelope delivery_of(int64_t bundle_count) {
  return (struct bus_envelope){.message_id = {{9}},
                               .type = BUS_STR("order.place.v1"),
                               .correlation_id = {{8}},
                               .causation_id = {{7}},
                               .trace = {.trace_id = {6}, .span_id = {6}},
                               .app_id = BUS_STR("edge"),
                               .user_id = BUS_STR("operator"),
                               .reply_to = BUS_STR("edge.reply.1"),
                               .sender = BUS_STR("edge"),
                               .timestamp = 5 * BUS_SECOND,
                               .attempt = 3,
                               .first_failed_at = 4 * BUS_SECOND,
                               .history = BUS_STR("line"),
                               .redelivered = true,
                               .bundle = true,
                               .bundle_count = bundle_count};
}

static bool cut(int64_t bundle_count, struct bus_str body) {
  struct bus_envelope delivery = delivery_of(bundle_count);
  if (arena == NULL)
    arena = bus_arena_new(8 << 20);
  bus_arena_reset(arena);
  err = (struct bus_error){.code = BUS_OK};
  elements = NULL;
  count = 99;
  char *exact = malloc(body.len > 0 ? body.len : 1); /* a sanitizer sees a read behind its end */
  if (body.len > 0)
    memcpy(exact, body.data, body.len);
  bool done =
      bus_bundle_cut(&delivery, (struct bus_str){body.data ? exact : NULL, body.len}, arena, &elements, &count, &err);
  for (size_t i = 0; done && i < count; i++) {
    elements[i].body = bus_arena_copy(arena, elements[i].body);
    assert_non_null(elements[i].body.data);
  }
  free(exact);
  assert_true(done || (err.code == BUS_E_DECODE && elements == NULL && count == 99));
  return done;
}

static const struct {
  int64_t bundle_count;
  struct bus_str body;
  const char *text;
} refused[] = {
    {1, BUS_STR(""), "bundle: a JSON array is expected at byte 0"},
    {1, BUS_STR("{}"), "bundle: a JSON array is expected at byte 0"},
    {1, BUS_STR("\xEF\xBB\xBF[" ONE "]"), "bundle: a JSON array is expected at byte 0"},
    {1, BUS_STR(" [ ] "), "bundle: the array is empty at byte 3"},
    {1, BUS_STR("["), "bundle[0]: must be an object"},
    {1, BUS_STR("[5]"), "bundle[0]: must be an object"},
    {1, BUS_STR("[[" ONE "]]"), "bundle[0]: must be an object"},
    {1, BUS_STR("[" ONE), "bundle: ',' or ']' is expected at byte 100"},
    {1, BUS_STR("[" ONE "}"), "bundle: ',' or ']' is expected at byte 100"},
    {1, BUS_STR("[" ONE ",]"), "bundle: more elements than the 1 that the header bus-count says"},
    {2, BUS_STR("[" ONE ",]"), "bundle[1]: must be an object"},
    {1, BUS_STR("[" ONE "]x"), "bundle: text behind the end of the array at byte 101"},
    {1, BUS_STR("[" ONE "]\0"), "bundle: text behind the end of the array at byte 101"},
    {2, BUS_STR("[" ONE "]"), "bundle: 1 elements, but the header bus-count says 2"},
    {1, BUS_STR("[" ONE "," TWO "]"), "bundle: more elements than the 1 that the header bus-count says"},
    {0, BUS_STR("[" ONE "]"), "bundle: the header bus-count must be 1 to 128"},
    {129, BUS_STR("[" ONE "]"), "bundle: the header bus-count must be 1 to 128"},
    {1, BUS_NO_STR, "bundle: the body is too large"},
    {2, BUS_STR("[" ONE "," ONE "]"), "bundle[1]: its id is that of an element before it"},
    {3, BUS_STR("[" TWO "," ONE "," TWO "]"), "bundle[2]: its id is that of an element before it"},
    {1, BUS_STR("[{}]"), "bundle[0]: specversion must be \"1.0\""},
    {1, BUS_STR("[{\"specversion\":1.0,\"id\":\"" ID_1 "\"}]"), "bundle[0]: specversion must be \"1.0\""},
    {1, BUS_STR("[{\"specversion\":\"1.0\"}]"), "bundle[0]: id must be a UUID, and not the nil UUID"},
    {1, BUS_STR("[" START("5") "}]"), "bundle[0]: id must be a UUID, and not the nil UUID"},
    {1, BUS_STR("[" START("00000000-0000-0000-0000-000000000000") "}]"),
     "bundle[0]: id must be a UUID, and not the nil UUID"},
    {1, BUS_STR("[{\"specversion\":\"1.0\",\"id\":null}]"), "bundle[0]: id must be a UUID, and not the nil UUID"},
    {1, BUS_STR("[{\"specversion\":\"1.0\",\"id\":\"" ID_1 "\"}]"),
     "bundle[0]: type must be order.place.v1, the type of the AMQP message"},
    {2, BUS_STR("[" ONE ",{\"specversion\":\"1.0\",\"id\":\"" ID_2 "\",\"type\":\"order.cancel.v1\"}]"),
     "bundle[1]: type must be order.place.v1, the type of the AMQP message"},
    {1, BUS_STR("[" START(ID_1) ",\"id\":\"" ID_2 "\"}]"), "bundle[0]: id is given more than once"},
    {1, BUS_STR("[" START(ID_1) ",\"\\u0069d\":\"" ID_2 "\"}]"), "bundle[0]: id is given more than once"},
    {1, BUS_STR("[" START(ID_1) ",\"data\":{},\"data\":{}}]"), "bundle[0]: data is given more than once"},
    {1, BUS_STR("[" START(ID_1) ",\"x\":{}}]"), NULL}, /* an object of no members is one value */
    {1, BUS_STR("[" START(ID_1) ",\"x\":{\"y\":1}}]"),
     "bundle[0]: an attribute must be a JSON text, number, boolean or null: too many values"},
    {1, BUS_STR("[" START(ID_1) ",\"x\":}]"),
     "bundle[0]: an attribute must be a JSON text, number, boolean or null: the text is empty"},
    {1, BUS_STR("[" START(ID_1) ",\"x\":tru}]"),
     "bundle[0]: an attribute must be a JSON text, number, boolean or null: a value is expected"},
    {1, BUS_STR("[" START(ID_1) ",\"x\":\"\xFF\"}]"),
     "bundle[0]: an attribute must be a JSON text, number, boolean or null: invalid UTF-8"},
    {1, BUS_STR("[" START(ID_1) ",}]"), "bundle: the name of an attribute is expected at byte 90"},
    {1, BUS_STR("[" START(ID_1) ",\"data\" {}}]"), "bundle: ':' is expected at byte 97"},
    {1, BUS_STR("[" START(ID_1) ",\"data\":{\"]}]"), "bundle: a string does not end at byte 102"},
    {1, BUS_STR("[" START(ID_1) ",\"data\":{}]]"), "bundle: ',' or '}' is expected at byte 99"},
    {1, BUS_STR("[" START(ID_1) ",\"data\\"), "bundle: a string does not end at byte 96"},
};

TEST(bundle_that_cannot_be_cut_says_why)
{
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    bool done = cut(refused[i].bundle_count, refused[i].body);
    if (done != (refused[i].text == NULL) || (!done && strcmp(err.text, refused[i].text) != 0))
      fail_msg("%zu: %s", i, done ? "was cut" : err.text);
  }
}

TEST(bundle_needs_the_type_and_content_type_of_its_delivery)
{
  struct bus_envelope single = delivery_of(1), untyped = delivery_of(1);
  single.bundle = false;
  untyped.type = BUS_NO_STR;
  assert_true(cut(1, BUS_STR("[" ONE "]")));
  assert_false(bus_bundle_cut(&single, BUS_STR("[" ONE "]"), arena, &elements, &count, &err));
  assert_string_equal(err.text, "the content type is not application/cloudevents-batch+json");
  assert_false(bus_bundle_cut(&untyped, BUS_STR("[" ONE "]"), arena, &elements, &count, &err));
  assert_string_equal(err.text, "bundle: the AMQP message has no type");
}

TEST(element_takes_the_rest_from_its_delivery)
{
  assert_true(
      cut(2, BUS_STR(" [ " ONE " , " START(
                 ID_2) " , \"subject\" : \"" ID_1 "\",\"causationid\":\"" ID_1
                       "\",\"time\":\"2026-03-01T12:00:00.123Z\",\"tracestate\":\"v=\\u0022\\\\\",\"traceparent\":"
                       "\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\" , \"data\" : {\"a\": 1} } ] ")));
  const struct bus_envelope *bare = &elements[0].envelope, *full = &elements[1].envelope;
  assert_true(bus_uuid_is_nil(&bare->correlation_id) && bus_uuid_is_nil(&bare->causation_id));
  assert_false(bus_trace_is_set(&bare->trace));
  assert_int_equal(bare->timestamp, 5 * BUS_SECOND);
  assert_true(bus_str_is(bare->user_id, "operator") && bus_str_is(bare->sender, "edge"));
  assert_true(bus_str_is(bare->app_id, "edge") && bus_str_is(bare->reply_to, "edge.reply.1"));
  assert_true(bus_str_is(bare->history, "line") && bare->attempt == 3 && bare->redelivered);
  assert_int_equal(bare->first_failed_at, 4 * BUS_SECOND);
  assert_false(bare->bundle);
  assert_true(bus_uuid_equal(&full->correlation_id, &bare->message_id));
  assert_true(bus_uuid_equal(&full->causation_id, &bare->message_id));
  assert_int_equal(full->timestamp, 1772366400 * BUS_SECOND + 123 * BUS_MILLISECOND);
  assert_true(bus_trace_is_set(&full->trace));
  assert_string_equal(full->trace.state.data, "v=\"\\");
  assert_true(bus_str_is(elements[0].body, "{}") && bus_str_is(elements[1].body, "{\"a\": 1}"));
}

/* As in the headers of a single message. */
TEST(malformed_attribute_counts_as_absent)
{
  assert_true(
      cut(1, BUS_STR("[" START(ID_1) ",\"subject\":\"shop/5\",\"causationid\":5,\"time\":\"today\",\"traceparent\":"
                                     "\"01\",\"tracestate\":\"v=1\",\"source\":null,\"more\":-1.5e3}]")));
  assert_true(bus_uuid_is_nil(&elements[0].envelope.correlation_id));
  assert_true(bus_uuid_is_nil(&elements[0].envelope.causation_id));
  assert_int_equal(elements[0].envelope.timestamp, 5 * BUS_SECOND);
  assert_false(bus_trace_is_set(&elements[0].envelope.trace));
  assert_null(elements[0].envelope.trace.state.data);
  assert_non_null(elements[0].body.data);
  assert_int_equal(elements[0].body.len, 0);
}

/* The decoder refuses these alone; their neighbours are not concerned. */
TEST(data_is_not_looked_into)
{
  static const struct bus_str data[] = {BUS_STR("[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"),
                                        BUS_STR("{]"),
                                        BUS_STR("{\"a\":}"),
                                        BUS_STR("tru"),
                                        BUS_STR("\"\xFF\""),
                                        BUS_STR("{} {}"),
                                        BUS_STR("{\"a\":1,\"a\":2}"),
                                        BUS_STR("\"\\x\""),
                                        BUS_STR("")};
  char body[512];
  for (size_t i = 0; i < BUS_COUNT(data); i++) {
    int len = snprintf(body, sizeof body, "[" START(ID_1) ",\"data\":%s}," TWO "]", data[i].data);
    if (!cut(2, (struct bus_str){body, (size_t)len}))
      fail_msg("%zu: %s", i, err.text);
    assert_true(bus_str_equal(elements[0].body, data[i]) && bus_str_is(elements[1].body, "{}"));
  }
}

TEST(hostile_nesting_needs_no_stack)
{
  enum { SIZE = 1 << 20 };
  char *body = malloc(SIZE);
  size_t head = (size_t)snprintf(body, SIZE, "[" START(ID_1) ",\"data\":");
  memset(body + head, '[', SIZE - head);
  assert_false(cut(1, (struct bus_str){body, SIZE}));
  assert_non_null(strstr(err.text, "',' or '}' is expected"));
  free(body);
}

/* With quadratic time it would run into the time limit of a test. */
TEST(hostile_escapes_take_linear_time)
{
  enum { SIZE = 1 << 20 };
  char *body = malloc(SIZE);
  size_t head = (size_t)snprintf(body, SIZE, "[" START(ID_1) ",\"data\":\"");
  memset(body + head, '\\', SIZE - head);
  size_t even = (SIZE - head - 3) / 2 * 2;
  memcpy(body + head + even, "\"}]", 3);
  assert_true(cut(1, (struct bus_str){body, head + even + 3}));
  assert_int_equal(elements[0].body.len, even + 2);
  memcpy(body + head + even - 1, "\"}]", 3); /* the last backslash escapes the quotation mark */
  assert_false(cut(1, (struct bus_str){body, head + even + 2}));
  assert_non_null(strstr(err.text, "a string does not end"));
  free(body);
}
