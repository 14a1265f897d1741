/* The rate of inputs, as a mean that forgets. */
#include "pace.h"

#include <assert.h>

#define MEMORY (50 * BUS_MILLISECOND)

void pace_begin(struct pace *pace, int64_t now, size_t count) {
  assert(now >= pace->began_at);
  int64_t took = now - pace->began_at + 1;
  double rate = (double)count * (double)BUS_SECOND / (double)took;
  pace->rate += (rate - pace->rate) * (double)took / (double)(took + MEMORY);
  pace->began_at = now;
  assert(pace_is_valid(pace));
}

void pace_end(struct pace *pace, int64_t now) {
  assert(now >= pace->began_at);
  pace->took += (now - pace->began_at - pace->took) / 4;
  assert(pace_is_valid(pace));
}

int64_t pace_next(const struct pace *pace, int64_t window, double worth) {
  assert(window >= 0);
  double expected = pace->rate * (double)window / (double)BUS_SECOND;
  return expected < worth ? pace->began_at : pace->began_at + window;
}

bool pace_is_valid(const struct pace *pace) {
  return pace->rate >= 0.0 && pace->took >= 0;
}
