/* base64url without padding (RFC 4648, section 5), in its one canonical form. Private to the tokens. */
#pragma once

#include <bus/arena.h>

/* Bytes of that many characters, at most. */
static inline size_t bus_base64url_room(size_t characters) {
  return characters / 4 * 3 + 2;
}

/* room bytes at bytes. False: a character outside the alphabet, a length that no text has, unused bits that are not
 * zero, or too long. */
bool bus_base64url_read(struct bus_str text, uint8_t *bytes, size_t room, size_t *ret_len) BUS_MUST_CHECK;
/* data is NULL when out of memory. */
struct bus_str bus_base64url_print(struct bus_arena *arena, const void *bytes, size_t len) BUS_MUST_CHECK;
