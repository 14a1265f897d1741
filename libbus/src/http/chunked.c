/* The chunked coding as a state machine. */
#include "chunked.h"

#include "../core/hex.h"

enum { SIZE_DIGITS_MAX = 8 };

enum state { SIZE, SIZE_LF, DATA, DATA_CR, DATA_LF, LAST_CR, LAST_LF, END, MALFORMED, TOO_LARGE };

void http_chunked_init(struct http_chunked *reader, size_t body_limit) {
  *reader = (struct http_chunked){.state = SIZE, .decoded_limit = body_limit, .wire_limit = 2 * body_limit};
}

static enum state after_size_byte(struct http_chunked *reader, char c) {
  int digit = bus_hex_digit(c);
  if (c == '\r' && reader->digits > 0)
    return SIZE_LF;
  if (digit < 0 || reader->digits == SIZE_DIGITS_MAX)
    return MALFORMED;
  reader->digits++;
  reader->size = reader->size << 4 | (uint32_t)digit;
  return SIZE;
}

static enum state after_size_line(struct http_chunked *reader) {
  if (reader->size > reader->decoded_limit - reader->decoded)
    return TOO_LARGE;
  reader->left = reader->size;
  return reader->size == 0 ? LAST_CR : DATA;
}

static enum state next_chunk(struct http_chunked *reader) {
  reader->size = 0;
  reader->digits = 0;
  return SIZE;
}

/* One byte of framing. */
static enum state after(struct http_chunked *reader, char c) {
  switch (reader->state) {
  case SIZE:
    return after_size_byte(reader, c);
  case SIZE_LF:
    return c == '\n' ? after_size_line(reader) : MALFORMED;
  case DATA_CR:
    return c == '\r' ? DATA_LF : MALFORMED;
  case DATA_LF:
    return c == '\n' ? next_chunk(reader) : MALFORMED;
  case LAST_CR:
    return c == '\r' ? LAST_LF : MALFORMED;
  case LAST_LF:
    return c == '\n' ? END : MALFORMED;
  default:
    return MALFORMED;
  }
}

static struct bus_str take_bytes(struct http_chunked *reader, struct bus_str *input, size_t len) {
  struct bus_str taken = {input->data, len};
  *input = (struct bus_str){input->data + len, input->len - len};
  reader->wire += len;
  if (reader->wire > reader->wire_limit)
    reader->state = TOO_LARGE;
  return taken;
}

static struct bus_str take_data(struct http_chunked *reader, struct bus_str *input) {
  size_t len = input->len < reader->left ? input->len : reader->left;
  reader->left -= (uint32_t)len;
  reader->decoded += len;
  if (reader->left == 0)
    reader->state = DATA_CR;
  return take_bytes(reader, input, len);
}

enum http_chunked_result http_chunked_next(struct http_chunked *reader, struct bus_str *input,
                                           struct bus_str *ret_data) {
  while (input->len > 0 && reader->state < END) {
    if (reader->state == DATA) {
      struct bus_str data = take_data(reader, input);
      if (reader->state == TOO_LARGE)
        break;
      *ret_data = data;
      return HTTP_CHUNKED_DATA;
    }
    reader->state = (int)after(reader, input->data[0]);
    (void)take_bytes(reader, input, 1); /* a view that is not needed: the byte was framing */
  }
  return reader->state == END         ? HTTP_CHUNKED_END
         : reader->state == MALFORMED ? HTTP_CHUNKED_MALFORMED
         : reader->state == TOO_LARGE ? HTTP_CHUNKED_TOO_LARGE
                                      : HTTP_CHUNKED_MORE;
}
