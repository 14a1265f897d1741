/* Small texts from outside (ids, times, traces, forms) and texts on their way out (log lines, JSON strings). The first
 * byte chooses. */
#include "fuzz.h"

#include <bus/form.h>
#include <bus/log.h>
#include <bus/timefmt.h>

#include <cjson/cJSON.h>
#include <time.h>

#include "json_scan.h"
#include "json_write.h"
#include "utf8.h"

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static void uuid(struct bus_str text) {
  struct bus_uuid parsed;
  char again[BUS_UUID_TEXT];
  if (!bus_uuid_parse(text, &parsed))
    return;
  bus_uuid_format(&parsed, again);
  FUZZ_CHECK(text.len == BUS_UUID_TEXT - 1 && strlen(again) == text.len);
  for (size_t i = 0; i < text.len; i++)
    FUZZ_CHECK(lower(text.data[i]) == again[i]);
}

/* The C library's calendar agrees; it knows no leap second and no offset. */
static void compare_time(const char *text, bus_time time) {
  struct tm tm = {0};
  char *end, *point = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
  FUZZ_CHECK(point && *point == '.');
  int64_t ms = strtol(point + 1, &end, 10);
  FUZZ_CHECK(end == point + 4 && strcmp(end, "Z") == 0);
  int64_t read = (int64_t)timegm(&tm) * BUS_SECOND + ms * BUS_MILLISECOND;
  FUZZ_CHECK(time >= read && time - read < BUS_MILLISECOND);
}

static void time_text(struct bus_str text) {
  bus_time time, again;
  char formatted[BUS_TIME_TEXT], twice[BUS_TIME_TEXT];
  if (!bus_time_parse(text, &time))
    return;
  bus_time_format(time, formatted);
  compare_time(formatted, time);
  FUZZ_CHECK(bus_time_parse(bus_str(formatted), &again));
  bus_time_format(again, twice);
  FUZZ_CHECK(strcmp(formatted, twice) == 0);
}

static void any_time(struct bus_str bytes) {
  char formatted[BUS_TIME_TEXT];
  bus_time again, time = (bus_time)fuzz_number(&bytes, 8);
  bus_time_format(time, formatted);
  FUZZ_CHECK(strlen(formatted) == strlen("2026-03-01T12:00:00.123Z"));
  FUZZ_CHECK(bus_time_parse(bus_str(formatted), &again));
}

static void trace(struct bus_str text) {
  struct bus_trace parsed, again;
  char formatted[BUS_TRACEPARENT_TEXT];
  if (!bus_trace_parse(text, &parsed))
    return;
  FUZZ_CHECK(bus_trace_is_set(&parsed));
  bus_trace_format(&parsed, formatted);
  FUZZ_CHECK(bus_trace_parse(bus_str(formatted), &again));
  FUZZ_CHECK(memcmp(&parsed, &again, offsetof(struct bus_trace, state)) == 0);
}

static bool is_clean(struct bus_str text) {
  uint32_t code;
  for (size_t at = 0, size; at < text.len; at += size) {
    size = bus_utf8_next(text.data + at, text.len - at, &code);
    if (size == 0 || bus_utf8_is_control(code))
      return false;
  }
  return true;
}

static void form_value(struct bus_str encoded) {
  char *text = malloc(encoded.len + 1), *escaped = malloc(3 * encoded.len + 1), *again = malloc(3 * encoded.len + 1);
  size_t len, again_len;
  FUZZ_CHECK(text && escaped && again);
  if (bus_form_decode(encoded, text, &len)) {
    FUZZ_CHECK(len <= encoded.len && text[len] == '\0' && is_clean((struct bus_str){text, len}));
    for (size_t i = 0; i < len; i++)
      (void)snprintf(escaped + 3 * i, 4, "%%%02X", (unsigned char)text[i]); /* fits */
    FUZZ_CHECK(bus_form_decode((struct bus_str){escaped, 3 * len}, again, &again_len));
    FUZZ_CHECK(bus_str_equal((struct bus_str){text, len}, (struct bus_str){again, again_len}));
  }
  free(text);
  free(escaped);
  free(again);
}

static void form(struct bus_str text) {
  struct bus_str rest = text, name, value;
  const char *end = text.data + text.len;
  while (bus_form_next(&rest, &name, &value)) {
    FUZZ_CHECK(name.data >= text.data && name.data + name.len <= value.data && value.data + value.len <= end);
    FUZZ_CHECK(rest.data >= value.data + value.len && rest.data + rest.len == end);
    form_value(name);
    form_value(value);
  }
  FUZZ_CHECK(rest.len == 0);
}

/* As a string in JSON; what is not UTF-8 is replaced, all else comes back. */
static void json_string(struct bus_str text) {
  struct bus_json_scan scan;
  struct bus_json_writer counter = {NULL, 0};
  bus_json_string(&counter, text);
  struct bus_json_writer writer = {malloc(counter.len + 1), 0};
  FUZZ_CHECK(writer.text != NULL);
  bus_json_string(&writer, text);
  FUZZ_CHECK(writer.len == counter.len);
  writer.text[writer.len] = '\0';
  if (text.len == 0 || memchr(text.data, '\0', text.len) == NULL) {
    FUZZ_CHECK(bus_json_scan((struct bus_str){writer.text, writer.len}, 1, NULL, &scan));
    cJSON *parsed = cJSON_Parse(writer.text);
    FUZZ_CHECK(cJSON_IsString(parsed));
    FUZZ_CHECK(!is_clean(text) || bus_str_is(text, parsed->valuestring));
    cJSON_Delete(parsed);
  }
  free(writer.text);
}

/* One line of JSON, whatever the values are. */
static void log_line(struct bus_str rest) {
  char line[1024 + 512];
  size_t size = 1024 + (size_t)fuzz_byte(&rest) * 2;
  struct bus_uuid id = {{0}};
  struct bus_trace trace_of = {.flags = 1};
  int64_t number = (int64_t)fuzz_number(&rest, 8);
  id.bytes[0] = trace_of.trace_id[3] = fuzz_byte(&rest);
  char *msg = fuzz_text(fuzz_part(&rest)), *text = fuzz_text(fuzz_part(&rest));
  struct bus_str view = fuzz_part(&rest), other = fuzz_part(&rest);
  const struct bus_log_field fields[] = {BUS_F_STR("a", text),
                                         BUS_F_VIEW("b", view),
                                         BUS_F_INT("c", number),
                                         BUS_F_UUID("d", &id),
                                         BUS_F_TRACE(&trace_of),
                                         BUS_F_VIEW("e", other),
                                         {.name = "f", .kind = BUS_LOG_BOOL, .number = number},
                                         {.kind = BUS_LOG_END}};
  size_t len = bus_log_format(line, size, number, "edge", BUS_WARN, msg, fields);
  FUZZ_CHECK(len < size && line[len] == '\0' && strlen(line) == len && line[len - 1] == '\n');
  FUZZ_CHECK(is_clean((struct bus_str){line, len - 1}));
  cJSON *parsed = cJSON_ParseWithLengthOpts(line, len + 1, NULL, true);
  FUZZ_CHECK(cJSON_IsObject(parsed) && cJSON_GetObjectItemCaseSensitive(parsed, "msg"));
  cJSON_Delete(parsed);
  free(msg);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const modes[])(struct bus_str) = {uuid, time_text, any_time, trace, form, json_string, log_line};
  struct bus_str rest = fuzz_input(data, size);
  uint8_t mode = fuzz_byte(&rest);
  char *exact = fuzz_exact(rest);
  modes[mode % BUS_COUNT(modes)]((struct bus_str){exact, rest.len});
  free(exact);
  return 0;
}
