/* Reads a chunked body byte by byte as RFC 9112, 7.1 writes it, without extensions and trailers. Pure. */
#pragma once

#include <bus/base.h>

enum http_chunked_result {
  HTTP_CHUNKED_MORE,      /* the input is used up */
  HTTP_CHUNKED_DATA,      /* some bytes of the body */
  HTTP_CHUNKED_END,       /* the empty chunk and the empty line after it were read */
  HTTP_CHUNKED_MALFORMED, /* for ever */
  HTTP_CHUNKED_TOO_LARGE, /* for ever: more of the body, or more on the wire, than the limits allow */
};

struct http_chunked {
  int state;
  uint32_t size, left; /* of the chunk */
  int digits;          /* of the chunk's size so far: at most 8 */
  size_t decoded, decoded_limit, wire, wire_limit;
};

/* The wire may carry twice the body's limit. */
void http_chunked_init(struct http_chunked *reader, size_t body_limit);
/* Takes bytes off the front of *input. DATA: *ret_data is a view into them; call again, for there may be more. */
enum http_chunked_result http_chunked_next(struct http_chunked *reader, struct bus_str *input,
                                           struct bus_str *ret_data) BUS_MUST_CHECK;
