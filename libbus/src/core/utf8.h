/* Well-formed UTF-8 (Unicode 15, table 3-7). Private to libbus's pure half. */
#pragma once

#include <bus/base.h>

/* Bytes of the character at the front: 1 to 4; 0 where there is none or it is malformed (overlong, surrogate, too
 * large, cut off). *ret_code, which may be NULL, is its code point. */
size_t bus_utf8_next(const char *text, size_t len, uint32_t *ret_code);

/* C0, DEL and C1. */
static inline bool bus_utf8_is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F);
}

/* Unicode's Bidi_Control characters, which change the direction of the text around them. */
static inline bool bus_utf8_is_bidi_control(uint32_t code) {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

/* Well-formed, and without controls. */
bool bus_utf8_is_clean(const char *text, size_t len);
/* Puts '?' in the place of every byte and character that is malformed or a control; `lines`: line feeds may stay. */
void bus_utf8_clean(char *text, size_t len, bool lines);
