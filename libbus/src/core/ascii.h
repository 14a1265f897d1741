/* Characters and numbers of protocols, whatever the locale. Private to libbus. */
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

/* Reads 1 to `most` digits, at most 18, and nothing else. */
static inline bool ascii_number(struct bus_str text, size_t most, int64_t *ret) {
  int64_t number = 0;
  if (text.len < 1 || text.len > most)
    return false;
  for (size_t i = 0; i < text.len; i++) {
    if (!ascii_is_digit(text.data[i]))
      return false;
    number = number * 10 + (text.data[i] - '0');
  }
  *ret = number;
  return true;
}

/* The text without such characters at its ends. */
static inline struct bus_str ascii_trim(struct bus_str text, const char *blanks) {
  while (text.len > 0 && text.data[0] != '\0' && strchr(blanks, text.data[0]))
    text = (struct bus_str){text.data + 1, text.len - 1};
  while (text.len > 0 && text.data[text.len - 1] != '\0' && strchr(blanks, text.data[text.len - 1]))
    text.len--;
  return text;
}
