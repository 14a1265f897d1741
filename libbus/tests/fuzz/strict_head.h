/* A second reader of HTTP requests, as strict as RFC 9112 allows: what our server takes, this one must take for the
 * same request. It shares no code with the server. */
#pragma once

#include <bus/base.h>

struct strict_head {
  struct bus_str method, path, query; /* query: absent without '?' */
  size_t fields;
  uint64_t content_length; /* 0 where there is none */
  bool has_length;
  bool is_chunked; /* exactly so, in HTTP/1.1, and without a length */
  bool bare_end;   /* LF LF where CR LF CR LF belongs */
  size_t size;     /* bytes up to the body */
};

/* True if the head has only one meaning. Three deviations are allowed, because civetweb hides them before any callback:
 * a request line may end with any two of CR, LF, space and tab that begin with CR or LF; 16 blanks or a multiple of 16
 * may stand before it, since only malloc's alignment tells where the buffer begins; and the head may end with LF LF if
 * CR NUL follows, which in the buffer equals CR LF CR LF (the layout alone cannot see it; the server refuses it). */
bool strict_head_read(struct bus_str bytes, struct strict_head *ret);
/* A whole chunked body at the front of bytes, without extensions and trailers; *ret_taken: its bytes on the wire.
 * False: it is no such body, or is longer than size. */
bool strict_chunks_read(struct bus_str bytes, char *body, size_t size, size_t *ret_len, size_t *ret_taken);
