/* A ring of lines, each behind its length in two bytes. */
#include "log_ring.h"

enum { PREFIX = 2, LINE_MAX_BYTES = 0xFFFF };

static void copy_in(struct log_ring *ring, const char *bytes, size_t len) {
  size_t end = (ring->at + ring->used) % LOG_RING_BYTES, first = LOG_RING_BYTES - end;
  first = first < len ? first : len;
  memcpy(ring->bytes + end, bytes, first);
  memcpy(ring->bytes, bytes + first, len - first);
  ring->used += len;
}

static void copy_out(const struct log_ring *ring, size_t offset, char *bytes, size_t len) {
  size_t start = (ring->at + offset) % LOG_RING_BYTES, first = LOG_RING_BYTES - start;
  first = first < len ? first : len;
  memcpy(bytes, ring->bytes + start, first);
  memcpy(bytes + first, ring->bytes, len - first);
}

bool log_ring_put(struct log_ring *ring, struct bus_str line) {
  if (line.len > LINE_MAX_BYTES || line.len + PREFIX > LOG_RING_BYTES - ring->used)
    return false;
  if (ring->used == 0)
    ring->at = 0;
  const char prefix[PREFIX] = {(char)(line.len & 0xFF), (char)(line.len >> 8)};
  copy_in(ring, prefix, PREFIX);
  copy_in(ring, line.data, line.len);
  return true;
}

static size_t first_length(const struct log_ring *ring) {
  unsigned char prefix[PREFIX];
  copy_out(ring, 0, (char *)prefix, PREFIX);
  return prefix[0] | (size_t)prefix[1] << 8;
}

size_t log_ring_take(struct log_ring *ring, char *text, size_t room, uint64_t *count) {
  size_t taken = 0;
  while (ring->used > 0) {
    size_t len = first_length(ring);
    if (len > room - taken)
      break;
    copy_out(ring, PREFIX, text + taken, len);
    ring->at = (ring->at + PREFIX + len) % LOG_RING_BYTES;
    ring->used -= PREFIX + len;
    taken += len;
    (*count)++;
  }
  return taken;
}
