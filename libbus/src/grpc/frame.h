/* Length-prefixed messages: a byte that says whether the message is compressed, four bytes of its length, its bytes.
 * Pure. */
#pragma once

#include <bus/base.h>

enum { GRPC_PREFIX = 5 };

enum grpc_frame_fault {
  GRPC_FRAME_RIGHT,
  GRPC_FRAME_COMPRESSED, /* its first byte is 1 */
  GRPC_FRAME_MALFORMED,  /* its first byte is neither 0 nor 1 */
  GRPC_FRAME_TOO_LARGE,
  GRPC_FRAME_NO_MEMORY,
};

/* Gathers one message at a time; the memory grows with the bytes that came, whatever the prefix says. */
struct grpc_reader {
  size_t max; /* bytes of a message */
  uint8_t prefix[GRPC_PREFIX];
  size_t prefix_len;
  char *text; /* NUL-terminated once it is whole; malloc's */
  size_t len, size, room;
};

/* Takes bytes of *input, up to the end of a message. *ret_whole: text and len are a message; grpc_reader_next must come
 * before further bytes are read. */
enum grpc_frame_fault grpc_reader_take(struct grpc_reader *reader, struct bus_str *input, bool *ret_whole);
/* Forgets the message. */
void grpc_reader_next(struct grpc_reader *reader);
/* Is it between two messages? */
bool grpc_reader_is_between(const struct grpc_reader *reader);
void grpc_reader_done(struct grpc_reader *reader);

void grpc_prefix_write(uint8_t prefix[GRPC_PREFIX], uint32_t len);
