/* Lower-case hexadecimal of bytes, and back. Private to libbus. */
#pragma once

#include <bus/base.h>

/* Writes 2 × count characters, without NUL; returns the place behind them. */
static inline char *bus_hex_write(char *text, const uint8_t *bytes, size_t count) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < count; i++) {
    *text++ = digits[bytes[i] >> 4];
    *text++ = digits[bytes[i] & 15];
  }
  return text;
}

/* The value of a hexadecimal digit; -1 for another character. Upper case counts as a digit; a stricter caller checks
 * that itself. */
static inline int bus_hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* Reads 2 × count characters; bytes are undefined where one is no digit. */
static inline bool bus_hex_read(const char *text, uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int high = bus_hex_digit(text[2 * i]), low = bus_hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return false;
    bytes[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}
