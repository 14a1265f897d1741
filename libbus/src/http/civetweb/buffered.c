/* Bytes that civetweb has read behind the head. Its reader of chunked bodies is too lenient, civetweb has no call for
 * the raw bytes, and they are no longer in the socket; so they are looked up in its connection. */
#include "parts.h"

/* struct mg_connection of civetweb 1.14 to 1.16: request_info, response_info, some 150 bytes, then buf; less than 64
 * bytes behind that buf_size, request_len and data_len. */
enum { REACH = 240, INTS_REACH = 64 };

struct sizes {
  int buffer, head, all;
};

static bool are_sizes(const struct sizes *sizes, size_t span) {
  return sizes->buffer == HTTP_READ_BUFFER && sizes->head == (int)span && sizes->all >= sizes->head &&
         sizes->all <= sizes->buffer;
}

/* The place behind a pointer to the head's first byte; NULL where there is none. */
static const char *behind_pointer(const char *from, const char *end, const char *head) {
  for (const char *at = from; at + sizeof head <= end; at += sizeof head) {
    const char *pointer;
    memcpy(&pointer, at, sizeof pointer);
    if (pointer == head)
      return at + sizeof head;
  }
  return NULL;
}

/* Four values that are known must stand there, so another layout is told from this one, and so is a head that does not
 * begin where the buffer does or does not end where its text says. */
bool http_buffered_body(const struct mg_request_info *info, size_t span, struct bus_str *ret) {
  const char *from = (const char *)info + sizeof *info + sizeof(struct mg_response_info), *end = from + REACH;
  const char *at = behind_pointer(from, end, info->request_method);
  for (size_t i = 0; at && i < INTS_REACH && at + sizeof(struct sizes) <= end; i += sizeof(int), at += sizeof(int)) {
    struct sizes sizes;
    memcpy(&sizes, at, sizeof sizes);
    if (!are_sizes(&sizes, span))
      continue;
    *ret = (struct bus_str){info->request_method + span, (size_t)(sizes.all - sizes.head)};
    return true;
  }
  return false;
}
