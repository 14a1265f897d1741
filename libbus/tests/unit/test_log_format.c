/* bus/log.h, the line: golden lines, absent fields, and that no input forges or breaks a line. */
#include <bus/log.h>

#include <cjson/cJSON.h>

#include "test.h"

static const bus_time now = INT64_C(1772366400123456);

static char line[4096];

static void format(const struct bus_log_field *fields) {
  size_t len = bus_log_format(line, sizeof line, now, "order-svc", BUS_INFO, "hello", fields);
  assert_int_equal(len, strlen(line));
}

#define FORMAT(...) format((const struct bus_log_field[]){__VA_ARGS__, {.kind = BUS_LOG_END}})
#define HEAD "{\"time\":\"2026-03-01T12:00:00.123Z\",\"level\":\"info\",\"service\":\"order-svc\",\"msg\":\"hello\""

/* One line, and JSON. */
static void assert_is_one_line(void) {
  size_t len = strlen(line);
  assert_true(len > 0 && line[len - 1] == '\n');
  for (size_t i = 0; i + 1 < len; i++)
    assert_true((unsigned char)line[i] >= 0x20 && line[i] != 0x7F);
  cJSON *tree = cJSON_Parse(line);
  assert_non_null(tree);
  cJSON_Delete(tree);
}

TEST(log_line_without_fields)
{
  format(NULL);
  assert_string_equal(line, HEAD "}\n");
  bus_log_format(line, sizeof line, now, "x", BUS_ERROR, "m", (const struct bus_log_field[]){{.kind = BUS_LOG_END}});
  assert_string_equal(line,
                      "{\"time\":\"2026-03-01T12:00:00.123Z\",\"level\":\"error\",\"service\":\"x\",\"msg\":\"m\"}\n");
}

TEST(log_line_with_every_kind)
{
  struct bus_uuid id;
  struct bus_trace trace;
  assert_true(bus_uuid_parse(BUS_STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), &id));
  assert_true(bus_trace_parse(BUS_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &trace));
  FORMAT(BUS_F_STR("s", "text"), BUS_F_VIEW("v", BUS_STR("view")), BUS_F_INT("i", -42), BUS_F_UUID("order_id", &id),
         BUS_F_TRACE(&trace), {.name = "b", .kind = BUS_LOG_BOOL, .number = 1},
         {.name = "c", .kind = BUS_LOG_BOOL, .number = 0});
  assert_string_equal(line, HEAD ",\"s\":\"text\",\"v\":\"view\",\"i\":-42,"
                                 "\"order_id\":\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\","
                                 "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"b\":true,\"c\":false}\n");
}

TEST(log_absent_fields_are_left_out)
{
  struct bus_uuid nil = {{0}};
  struct bus_trace unset = {.flags = 1};
  FORMAT(BUS_F_STR("s", NULL), BUS_F_VIEW("v", BUS_NO_STR), BUS_F_UUID("u", NULL), BUS_F_UUID("n", &nil),
         BUS_F_TRACE(NULL), BUS_F_TRACE(&unset), BUS_F_INT("i", BUS_NO_INT64), BUS_F_STR("e", ""));
  assert_string_equal(line, HEAD ",\"e\":\"\"}\n");
}

TEST(log_level_names)
{
  for (int level = BUS_DEBUG; level <= BUS_ERROR; level++)
    assert_non_null(bus_level_names[level]);
  assert_null(bus_level_names[BUS_ERROR + 1]);
  assert_string_equal(bus_level_names[BUS_WARN], "warn");
}

TEST(L1_log_injection_is_escaped)
{
  FORMAT(BUS_F_STR("a", "x\r\n{\"level\":\"error\"}"), BUS_F_STR("b", "\x1B[31mred\x07"), BUS_F_STR("c", "\"\\\t\x7F"),
         BUS_F_VIEW("d", BUS_STR("nul\0nul")), BUS_F_STR("e", "\xC2\x85\xC2\x9B\xE2\x80\xA8\xE2\x80\xA9"));
  assert_string_equal(line, HEAD ",\"a\":\"x\\r\\n{\\\"level\\\":\\\"error\\\"}\",\"b\":\"\\u001b[31mred\\u0007\","
                                 "\"c\":\"\\\"\\\\\\t\\u007f\",\"d\":\"nul\\u0000nul\","
                                 "\"e\":\"\\u0085\\u009b\\u2028\\u2029\"}\n");
  assert_is_one_line();
}

TEST(L1_log_invalid_utf8_is_replaced)
{
  FORMAT(BUS_F_STR("a", "\xFF\xC0\x80z"), BUS_F_STR("b", "\xED\xA0\x80"), BUS_F_STR("c", "\xE2\x82"));
  assert_string_equal(line, HEAD
                      ",\"a\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\",\"b\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\","
                      "\"c\":\"\xEF\xBF\xBD\xEF\xBF\xBD\"}\n");
  assert_is_one_line();
}

TEST(L1_log_message_service_and_names_are_escaped_too)
{
  static const struct bus_log_field fields[] = {{.name = "k\n", .kind = BUS_LOG_INT, .number = 1},
                                                {.kind = BUS_LOG_END}};
  bus_log_format(line, sizeof line, now, "s\"\n", BUS_INFO, "m\r\n", fields);
  assert_is_one_line();
  assert_non_null(strstr(line, "\"service\":\"s\\\"\\n\",\"msg\":\"m\\r\\n\",\"k\\n\":1}"));
}

TEST(L1_log_values_are_cut_at_256_bytes)
{
  char value[400], exact[257];
  memset(value, 'a', sizeof value);
  memset(exact, 'b', 256);
  exact[256] = '\0';
  FORMAT(BUS_F_VIEW("v", ((struct bus_str){value, sizeof value})), BUS_F_STR("w", exact));
  const char *start = strstr(line, "\"v\":\"") + 5, *end = strchr(start, '"');
  assert_int_equal(end - start, 256);
  assert_memory_equal(end - 4, "a\xE2\x80\xA6", 4);
  assert_non_null(strstr(line, exact));
  assert_is_one_line();
}

/* A cut lies between characters and between escapes, wherever it falls. */
TEST(L1_log_cut_is_between_characters)
{
  char value[600];
  for (size_t shift = 0; shift < 8; shift++) {
    memset(value, 'a', shift);
    for (size_t i = shift; i + 4 <= sizeof value; i += 4)
      memcpy(value + i, i % 8 < 4 ? "\xF0\x9D\x84\x9E" : "\x01\x1B\n\"", 4);
    FORMAT(BUS_F_VIEW("v", ((struct bus_str){value, sizeof value - 4})), BUS_F_INT("after", 7));
    assert_is_one_line();
    assert_null(strstr(line, "\xEF\xBF\xBD"));
    assert_non_null(strstr(line, "\"after\":7}"));
  }
}

TEST(log_line_that_overflows_loses_whole_fields)
{
  struct bus_log_field fields[40] = {{0}};
  char value[200], small[1024];
  memset(value, 'x', sizeof value);
  for (size_t i = 0; i < 39; i++)
    fields[i] = (struct bus_log_field){.name = "f", .kind = BUS_LOG_STR, .text = {value, sizeof value}};
  fields[38] = (struct bus_log_field){.name = "last", .kind = BUS_LOG_INT, .number = 1}; /* still has room */
  size_t len = bus_log_format(small, sizeof small, now, "order-svc", BUS_INFO, "hello", fields);
  assert_true(len < sizeof small);
  memcpy(line, small, len + 1);
  assert_is_one_line();
  assert_non_null(strstr(line, "\"last\":1}"));
}

TEST(log_smallest_line_always_fits)
{
  char text[1024], msg[2000], service[2000];
  memset(msg, '\x01', sizeof msg - 1);
  memset(service, '"', sizeof service - 1);
  msg[sizeof msg - 1] = service[sizeof service - 1] = '\0';
  size_t len = bus_log_format(text, sizeof text, BUS_NO_TIME, service, BUS_DEBUG, msg, NULL);
  assert_true(len < sizeof text);
  memcpy(line, text, len + 1);
  assert_is_one_line();
}
