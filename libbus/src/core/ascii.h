/* Characters of protocols, whatever the locale. Private to libbus. */
#pragma once

#include <bus/base.h>

static inline bool ascii_is_digit(char c) {
  return c >= '0' && c <= '9';
}

static inline bool ascii_is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

static inline bool ascii_is_alphanumeric(char c) {
  return ascii_is_digit(c) || ascii_is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* The text without such characters at its ends. */
static inline struct bus_str ascii_trim(struct bus_str text, const char *blanks) {
  while (text.len > 0 && text.data[0] != '\0' && strchr(blanks, text.data[0]))
    text = (struct bus_str){text.data + 1, text.len - 1};
  while (text.len > 0 && text.data[text.len - 1] != '\0' && strchr(blanks, text.data[text.len - 1]))
    text.len--;
  return text;
}
