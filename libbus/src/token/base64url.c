/* base64url: no padding, no white space, no second way to write the same bytes. */
#include "base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value_of(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool bus_base64url_read(struct bus_str text, uint8_t *bytes, size_t room, size_t *ret_len) {
  size_t len = text.len / 4 * 3 + (text.len % 4 ? text.len % 4 - 1 : 0), at = 0;
  if (text.len % 4 == 1 || len > room)
    return false;
  uint32_t bits = 0;
  unsigned count = 0;
  for (size_t i = 0; i < text.len; i++) {
    int value = value_of(text.data[i]);
    if (value < 0)
      return false;
    bits = bits << 6 | (uint32_t)value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[at++] = (uint8_t)(bits >> count);
      bits &= (1U << count) - 1;
    }
  }
  if (bits != 0)
    return false;
  *ret_len = at;
  return true;
}

struct bus_str bus_base64url_print(struct bus_arena *arena, const void *data, size_t len) {
  const uint8_t *bytes = data;
  char *text = bus_arena_alloc(arena, len / 3 * 4 + 4), *at = text;
  if (text == NULL)
    return BUS_NO_STR;
  uint32_t bits = 0;
  unsigned count = 0;
  for (size_t i = 0; i < len; i++) {
    bits = bits << 8 | bytes[i];
    for (count += 8; count >= 6; count -= 6)
      *at++ = alphabet[bits >> (count - 6) & 63];
    bits &= (1U << count) - 1;
  }
  if (count > 0)
    *at++ = alphabet[bits << (6 - count) & 63];
  return (struct bus_str){text, (size_t)(at - text)};
}
