/* Reads the messages of a call from the pieces in which they come. */
#include "frame.h"

#include <stdlib.h>

enum { FIRST_ROOM = 512 };

void grpc_prefix_write(uint8_t prefix[GRPC_PREFIX], uint32_t len) {
  prefix[0] = 0;
  for (int i = 1; i < GRPC_PREFIX; i++)
    prefix[i] = (uint8_t)(len >> (8 * (GRPC_PREFIX - 1 - i)));
}

static struct bus_str cut(struct bus_str *input, size_t most) {
  struct bus_str piece = {input->data, input->len < most ? input->len : most};
  input->data += piece.len;
  input->len -= piece.len;
  return piece;
}

/* One byte more than needed: for the NUL. */
static bool make_room(struct grpc_reader *reader, size_t needed) {
  if (needed < reader->room)
    return true;
  size_t room = reader->room > 0 ? reader->room : FIRST_ROOM;
  while (room <= needed)
    room *= 2;
  if (room > reader->size + 1)
    room = reader->size + 1;
  char *text = realloc(reader->text, room);
  if (text == NULL)
    return false;
  reader->text = text;
  reader->room = room;
  return true;
}

static enum grpc_frame_fault read_prefix(struct grpc_reader *reader) {
  size_t size = 0;
  for (int i = 1; i < GRPC_PREFIX; i++)
    size = size << 8 | reader->prefix[i];
  if (reader->prefix[0] > 1)
    return GRPC_FRAME_MALFORMED;
  if (reader->prefix[0] == 1)
    return GRPC_FRAME_COMPRESSED;
  if (size > reader->max)
    return GRPC_FRAME_TOO_LARGE;
  reader->size = size;
  return make_room(reader, 0) ? GRPC_FRAME_RIGHT : GRPC_FRAME_NO_MEMORY;
}

enum grpc_frame_fault grpc_reader_take(struct grpc_reader *reader, struct bus_str *input, bool *ret_whole) {
  *ret_whole = false;
  if (reader->prefix_len < GRPC_PREFIX) {
    struct bus_str piece = cut(input, GRPC_PREFIX - reader->prefix_len);
    if (piece.len > 0)
      memcpy(reader->prefix + reader->prefix_len, piece.data, piece.len);
    reader->prefix_len += piece.len;
    if (reader->prefix_len < GRPC_PREFIX)
      return GRPC_FRAME_RIGHT;
    enum grpc_frame_fault fault = read_prefix(reader);
    if (fault != GRPC_FRAME_RIGHT)
      return fault;
  }
  struct bus_str piece = cut(input, reader->size - reader->len);
  if (!make_room(reader, reader->len + piece.len))
    return GRPC_FRAME_NO_MEMORY;
  if (piece.len > 0)
    memcpy(reader->text + reader->len, piece.data, piece.len);
  reader->len += piece.len;
  reader->text[reader->len] = '\0';
  *ret_whole = reader->len == reader->size;
  return GRPC_FRAME_RIGHT;
}

void grpc_reader_next(struct grpc_reader *reader) {
  grpc_reader_done(reader);
  reader->prefix_len = reader->len = reader->size = 0;
}

bool grpc_reader_is_between(const struct grpc_reader *reader) {
  return reader->prefix_len == 0;
}

void grpc_reader_done(struct grpc_reader *reader) {
  free(reader->text);
  reader->text = NULL;
  reader->room = 0;
}
