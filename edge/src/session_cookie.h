/* The cookie in which a browser keeps a refresh token: its text, and which pages may use it. Pure. */
#ifndef EDGE_SESSION_COOKIE_H
#define EDGE_SESSION_COOKIE_H

#include <bus/arena.h>

/* __Host-: browsers take such a cookie only with Secure and Path=/, and without Domain, so no other host sets it.
 * Browsers treat loopback as secure, also over http. */
#define SESSION_COOKIE "__Host-refresh"

/* The token in the header Cookie; absent: none of that name, or two, or a value that is no refresh token. */
struct bus_str session_cookie_find(struct bus_str header);
/* The values of Set-Cookie. Without Max-Age the cookie ends with the browser. Absent when out of memory. */
struct bus_str session_cookie_set(struct bus_str token, struct bus_arena *arena);
struct bus_str session_cookie_end(void);
/* Is the request of a page of this host? origin, host: the headers of these names. Plain http counts on loopback alone.
 */
bool session_origin_is_own(struct bus_str origin, struct bus_str host) BUS_MUST_CHECK;

#endif
