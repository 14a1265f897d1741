/* Finds head errors that civetweb's lenient parser accepted, by reading the buffer that it parsed in place. Pure. */
#pragma once

#include <bus/base.h>

/* A word of the head: NUL-terminated inside the parser's buffer. */
struct http_layout_field {
  const char *name, *value;
};

struct http_layout {
  const char *method, *target, *query, *version; /* query: NULL without '?', whose place then holds a NUL */
  const struct http_layout_field *fields;
  size_t field_count;
};

/* The parser's buffer comes from malloc, and a request that was preceded by nothing starts there. */
enum { HTTP_LAYOUT_ALIGNMENT = 16 };

/* Bytes from the method to the end of the empty line. */
size_t http_layout_span(const struct http_layout *layout);

/*
 * civetweb overwrites separators with NULs, skips what it forgives, and stops silently at a line that it does not
 * understand. So the distances between its words tell what stood there. True when that was exactly: one space between
 * the words of the request line, CRLF after every line, a colon right after each name, and an empty line after the last
 * field that it reports, and nothing before the method (blank lines there make civetweb take the head for the body).
 * LF LF at the very end cannot be told from CR LF CR LF where the buffer's next two bytes are CR NUL: head.c looks at
 * the number of bytes that civetweb took for the head.
 */
bool http_layout_is_canonical(const struct http_layout *layout);
