/* Writing JSON: escaping, integers, and the two passes. */
#include "json_write.h"

#include <inttypes.h>
#include <stdio.h>

#include "hex.h"
#include "utf8.h"

static bool needs_escape(uint32_t code) {
  return code == '"' || code == '\\' || bus_utf8_is_control(code) || code == 0x2028 || code == 0x2029;
}

static char short_escape(uint32_t code) {
  switch (code) {
  case '"':
  case '\\':
    return (char)code;
  case '\b':
    return 'b';
  case '\f':
    return 'f';
  case '\n':
    return 'n';
  case '\r':
    return 'r';
  case '\t':
    return 't';
  default:
    return '\0';
  }
}

size_t bus_json_escape(const char *text, size_t len, char out[BUS_JSON_ESCAPE_MAX], size_t *ret_taken) {
  uint32_t code;
  size_t count = bus_utf8_next(text, len, &code);
  *ret_taken = count == 0 ? 1 : count;
  if (count == 0) {
    memcpy(out, "\xEF\xBF\xBD", 3);
    return 3;
  }
  if (!needs_escape(code)) {
    memcpy(out, text, count);
    return count;
  }
  out[0] = '\\';
  out[1] = short_escape(code);
  if (out[1] != '\0')
    return 2;
  out[1] = 'u';
  bus_hex_write(out + 2, (uint8_t[]){(uint8_t)(code >> 8), (uint8_t)code}, 2);
  return 6;
}

void bus_json_raw(struct bus_json_writer *writer, struct bus_str text) {
  if (writer->text && text.len > 0)
    memcpy(writer->text + writer->len, text.data, text.len);
  writer->len += text.len;
}

void bus_json_char(struct bus_json_writer *writer, char c) {
  bus_json_raw(writer, (struct bus_str){&c, 1});
}

void bus_json_string(struct bus_json_writer *writer, struct bus_str text) {
  char out[BUS_JSON_ESCAPE_MAX];
  bus_json_char(writer, '"');
  for (size_t at = 0, taken; at < text.len; at += taken) {
    size_t len = bus_json_escape(text.data + at, text.len - at, out, &taken);
    bus_json_raw(writer, (struct bus_str){out, len});
  }
  bus_json_char(writer, '"');
}

void bus_json_int64(struct bus_json_writer *writer, int64_t value) {
  char digits[24];
  int len = snprintf(digits, sizeof digits, "%" PRId64, value);
  bus_json_raw(writer, (struct bus_str){digits, (size_t)len});
}

bool bus_json_build(struct bus_arena *arena, void (*write)(struct bus_json_writer *writer, const void *context),
                    const void *context, struct bus_str *ret) {
  struct bus_json_writer writer = {NULL, 0};
  write(&writer, context);
  size_t len = writer.len;
  writer = (struct bus_json_writer){bus_arena_alloc(arena, len + 1), 0};
  if (writer.text == NULL)
    return false;
  write(&writer, context);
  *ret = (struct bus_str){writer.text, len};
  return true;
}
