/* One log line as JSON: bounded, escaped, always complete. */
#include <bus/log.h>
#include <bus/timefmt.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "json_write.h"

enum { VALUE_MAX = 256, LINE_END = 3 }; /* bytes of an escaped value; "}\n" and NUL */

const char *const bus_level_names[] = {"debug", "info", "warn", "error", NULL};
const char *const bus_access_log_names[] = {"off", "errors", "all", NULL};

struct line {
  char *text;
  size_t size, len;
  bool full; /* something did not fit */
};

static void line_put(struct line *line, const char *text, size_t len) {
  if (line->full || len > line->size - LINE_END - line->len) {
    line->full = true;
    return;
  }
  memcpy(line->text + line->len, text, len);
  line->len += len;
}

enum { CUT_LEN = 3 }; /* "…" */

struct value {
  char text[VALUE_MAX];
  size_t len, fits; /* fits: how much may stay if it must be cut */
};

/* False: it does not fit as a whole. */
static bool add_whole(struct value *value, const char *bytes, size_t count) {
  if (count > sizeof value->text - value->len)
    return false;
  memcpy(value->text + value->len, bytes, count);
  value->len += count;
  if (value->len + CUT_LEN <= sizeof value->text)
    value->fits = value->len;
  return true;
}

/* Bytes without an escape may be cut anywhere: appends first those that a cut would keep. */
static bool add_plain(struct value *value, const char *bytes, size_t count) {
  size_t room = value->len == value->fits ? sizeof value->text - CUT_LEN - value->fits : 0;
  size_t first = count < room ? count : room;
  return add_whole(value, bytes, first) && add_whole(value, bytes + first, count - first);
}

static bool add_escaped(struct value *value, struct bus_str text) {
  for (size_t at = 0, taken; at < text.len; at += taken) {
    char out[BUS_JSON_ESCAPE_MAX];
    taken = bus_json_plain_run(text.data + at, text.len - at);
    if (taken > 0 && !add_plain(value, text.data + at, taken))
      return false;
    if (taken == 0 && !add_whole(value, out, bus_json_escape(text.data + at, text.len - at, out, &taken)))
      return false;
  }
  return true;
}

/* Appends the text in quotes; a cut text ends with "…". */
static void put_string(struct line *line, struct bus_str text) {
  static const char cut[] = "\xE2\x80\xA6";
  struct value value;
  value.len = value.fits = 0;
  if (!add_escaped(&value, text)) {
    memcpy(value.text + value.fits, cut, CUT_LEN);
    value.len = value.fits + CUT_LEN;
  }
  line_put(line, "\"", 1);
  line_put(line, value.text, value.len);
  line_put(line, "\"", 1);
}

static void put_key(struct line *line, const char *name) {
  line_put(line, ",", 1);
  put_string(line, bus_str(name));
  line_put(line, ":", 1);
}

static void put_member(struct line *line, const char *name, struct bus_str value) {
  put_key(line, name);
  put_string(line, value);
}

static void put_bare_member(struct line *line, const char *name, const char *value) {
  put_key(line, name);
  line_put(line, value, strlen(value));
}

static void put_number(struct line *line, const struct bus_log_field *field) {
  char text[24];
  snprintf(text, sizeof text, "%" PRId64, field->number);
  if (field->number != BUS_NO_INT64)
    put_bare_member(line, field->name, text);
}

static void put_uuid(struct line *line, const struct bus_log_field *field) {
  char text[BUS_UUID_TEXT];
  if (field->uuid == NULL || bus_uuid_is_nil(field->uuid))
    return;
  bus_uuid_format(field->uuid, text);
  put_member(line, field->name, bus_str(text));
}

static void put_trace(struct line *line, const struct bus_log_field *field) {
  char text[BUS_TRACE_ID_TEXT];
  if (!bus_trace_is_set(field->trace))
    return;
  bus_trace_id_format(field->trace, text);
  put_member(line, field->name, bus_str(text));
}

static void put_field(struct line *line, const struct bus_log_field *field) {
  switch (field->kind) {
  case BUS_LOG_STR:
    if (field->text.data)
      put_member(line, field->name, field->text);
    break;
  case BUS_LOG_INT:
    put_number(line, field);
    break;
  case BUS_LOG_UUID:
    put_uuid(line, field);
    break;
  case BUS_LOG_TRACE:
    put_trace(line, field);
    break;
  case BUS_LOG_BOOL:
    put_bare_member(line, field->name, field->number != 0 ? "true" : "false");
    break;
  case BUS_LOG_END:
    break;
  }
}

size_t bus_log_format(char *text, size_t size, bus_time now, const char *service, enum bus_level level, const char *msg,
                      const struct bus_log_field *fields) {
  assert(size >= 1024); /* time, level, service and message always fit */
  struct line line = {.text = text, .size = size};
  char time[BUS_TIME_TEXT];
  bus_time_format(now, time);
  line_put(&line, "{\"time\":", 8);
  put_string(&line, bus_str(time));
  put_member(&line, "level", bus_str(level <= BUS_ERROR ? bus_level_names[level] : "error"));
  put_member(&line, "service", bus_str(service));
  put_member(&line, "msg", bus_str(msg));
  for (; fields && fields->kind != BUS_LOG_END; fields++) {
    size_t before = line.len;
    put_field(&line, fields);
    if (line.full) { /* a field that does not fit is left out as a whole */
      line.len = before;
      line.full = false;
    }
  }
  memcpy(text + line.len, "}\n", LINE_END);
  return line.len + 2;
}
