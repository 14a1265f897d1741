/* The cookie of a session, and the check of the header Origin. */
#include "session_cookie.h"

#include "settings.h"

#include <user_messages.h>

#define ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=Strict"

static bool is_token(struct bus_str text) {
  if (text.len != USER_TOKEN_LEN)
    return false;
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
      return false;
  }
  return true;
}

struct bus_str session_cookie_find(struct bus_str header) {
  struct bus_str found = BUS_NO_STR;
  size_t count = 0;
  while (header.len > 0) {
    struct bus_str pair = bus_str_cut(&header, ';');
    (void)bus_str_cut_start(&pair, " ");
    if (!bus_str_cut_start(&pair, SESSION_COOKIE "="))
      continue;
    found = pair;
    count++;
  }
  return count == 1 && is_token(found) ? found : BUS_NO_STR;
}

struct bus_str session_cookie_set(struct bus_str token, struct bus_arena *arena) {
  return bus_arena_printf(arena, SESSION_COOKIE "=%.*s" ATTRIBUTES, (int)token.len, token.data);
}

struct bus_str session_cookie_end(void) {
  return BUS_STR(SESSION_COOKIE "=" ATTRIBUTES "; Max-Age=0");
}

bool session_origin_is_own(struct bus_str origin, struct bus_str host) {
  if (!origin.data || !host.data || !edge_url_is_safe(origin, true))
    return false;
  struct bus_str authority = origin;
  bool has_scheme = bus_str_cut_start(&authority, "https://") || bus_str_cut_start(&authority, "http://");
  return has_scheme && bus_str_equal(authority, host);
}
