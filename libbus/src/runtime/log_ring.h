/* The bounded ring of log lines between the threads that log and the one that writes. No locks of its own. */
#pragma once

#include <bus/base.h>

enum { LOG_RING_BYTES = 1024 * 1024 };

/* Zeroed: empty. An empty ring begins at its start again, so a log that is read in time touches few pages. */
struct log_ring {
  size_t at, used;
  char bytes[LOG_RING_BYTES];
};

/* False: the line does not fit, or is longer than 65,535 bytes. */
bool log_ring_put(struct log_ring *ring, struct bus_str line) BUS_MUST_CHECK;
/* Moves as many whole lines to `text` as fit; returns their bytes, and adds their number to *count. `room` must be
 * enough for the longest line. */
size_t log_ring_take(struct log_ring *ring, char *text, size_t room, uint64_t *count);
