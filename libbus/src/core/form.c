/* Splits forms and queries and undoes their escapes. */
#include <bus/form.h>

#include "hex.h"
#include "utf8.h"

bool bus_form_next(struct bus_str *rest, struct bus_str *ret_name, struct bus_str *ret_value) {
  while (rest->len > 0 && rest->data[0] == '&')
    (void)bus_str_cut(rest, '&');
  if (rest->len == 0)
    return false;
  *ret_value = bus_str_cut(rest, '&');
  *ret_name = bus_str_cut(ret_value, '=');
  return true;
}

/* The byte that the escape at i stands for, or -1. */
static int unescape(struct bus_str encoded, size_t i) {
  uint8_t byte;
  return encoded.len - i >= 3 && bus_hex_read(encoded.data + i + 1, &byte, 1) ? byte : -1;
}

bool bus_form_decode(struct bus_str encoded, char *text, size_t *ret_len) {
  size_t len = 0;
  for (size_t i = 0; i < encoded.len; i++) {
    int byte = (unsigned char)encoded.data[i];
    if (byte == '+') {
      byte = ' ';
    } else if (byte == '%') {
      byte = unescape(encoded, i);
      i += 2;
    }
    if (byte < 0)
      return false;
    text[len++] = (char)byte;
  }
  text[len] = '\0';
  if (!bus_utf8_is_clean(text, len))
    return false;
  *ret_len = len;
  return true;
}

/* data is NULL where it is malformed, or out of memory. */
static struct bus_str decode_text(struct bus_str encoded, struct bus_arena *arena) {
  char *text = bus_arena_alloc(arena, encoded.len + 1);
  size_t len;
  return text && bus_form_decode(encoded, text, &len) ? (struct bus_str){text, len} : BUS_NO_STR;
}

bool bus_form_find(struct bus_str form, const char *name, struct bus_arena *arena, struct bus_str *ret) {
  struct bus_str key, value, found = BUS_NO_STR;
  while (bus_form_next(&form, &key, &value)) {
    key = decode_text(key, arena);
    if (key.data == NULL)
      return false;
    if (!bus_str_is(key, name))
      continue;
    value = decode_text(value, arena);
    if (found.data || value.data == NULL)
      return false;
    found = value;
  }
  *ret = found;
  return true;
}

struct bus_str bus_form_unknown(struct bus_str form, const char *const *names, struct bus_arena *arena) {
  struct bus_str key, value;
  while (bus_form_next(&form, &key, &value))
    if (!bus_str_is_one_of(decode_text(key, arena), names))
      return key;
  return BUS_NO_STR;
}
