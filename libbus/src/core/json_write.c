/* Writing JSON: escaping, integers, and the two passes. */
#include "json_write.h"

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

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Sets the top bit of a byte that is `byte`, and perhaps of bytes above it. */
static uint64_t find_byte(uint64_t bytes, uint8_t byte) {
  uint64_t same = bytes ^ EACH(byte);
  return (same - EACH(1)) & ~same;
}

static bool are_plain(uint64_t bytes) {
  uint64_t others =
      bytes | (bytes - EACH(0x20)) | find_byte(bytes, 0x7F) | find_byte(bytes, '"') | find_byte(bytes, '\\');
  return (others & EACH(0x80)) == 0;
}

size_t bus_json_plain_run(const char *text, size_t len) {
  size_t count = 0;
  for (uint64_t bytes; len - count >= sizeof bytes; count += sizeof bytes) {
    memcpy(&bytes, text + count, sizeof bytes);
    if (!are_plain(bytes))
      break;
  }
  while (count < len && text[count] >= 0x20 && text[count] < 0x7F && text[count] != '"' && text[count] != '\\')
    count++;
  return count;
}

void bus_json_string(struct bus_json_writer *writer, struct bus_str text) {
  char out[BUS_JSON_ESCAPE_MAX];
  bus_json_char(writer, '"');
  for (size_t at = 0, taken; at < text.len; at += taken) {
    taken = bus_json_plain_run(text.data + at, text.len - at);
    if (taken > 0) {
      bus_json_raw(writer, (struct bus_str){text.data + at, taken});
      continue;
    }
    size_t len = bus_json_escape(text.data + at, text.len - at, out, &taken);
    bus_json_raw(writer, (struct bus_str){out, len});
  }
  bus_json_char(writer, '"');
}

void bus_json_int64(struct bus_json_writer *writer, int64_t value) {
  char digits[24], *at = digits + sizeof digits;
  uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do
    *--at = (char)('0' + left % 10);
  while ((left /= 10) > 0);
  if (value < 0)
    *--at = '-';
  bus_json_raw(writer, (struct bus_str){at, (size_t)(digits + sizeof digits - at)});
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
