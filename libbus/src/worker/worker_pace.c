/* When a batch begins: at once at a low rate, a moment after the last one at a high rate. Pure. */
#include "worker_internal.h"

#include <bus/base.h>

#define MEMORY (50 * BUS_MILLISECOND)
#define WORTH_WAITING 16.0 /* inputs */

void pace_begin(struct pace *pace, int64_t now, size_t count) {
  int64_t took = now - pace->began_at + 1;
  double rate = (double)count * (double)BUS_SECOND / (double)took;
  pace->rate += (rate - pace->rate) * (double)took / (double)(took + MEMORY);
  pace->began_at = now;
}

int64_t pace_next(const struct pace *pace, int64_t window) {
  double expected = pace->rate * (double)window / (double)BUS_SECOND;
  return expected < WORTH_WAITING ? pace->began_at : pace->began_at + window;
}
