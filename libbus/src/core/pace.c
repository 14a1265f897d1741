/* The rate of inputs, as a mean that forgets. */
#include "pace.h"

#include <assert.h>

#define MEMORY (50 * BUS_MILLISECOND)

static double mean(double rate, size_t count, int64_t took) {
  double last = (double)count * (double)BUS_SECOND / (double)took;
  return rate + (last - rate) * (double)took / (double)(took + MEMORY);
}

void pace_begin(struct pace *pace, int64_t now, size_t count, size_t arrivals) {
  assert(now >= pace->began_at && arrivals <= count);
  int64_t took = now - pace->began_at + 1;
  pace->rate = mean(pace->rate, count, took);
  pace->arrivals = mean(pace->arrivals, arrivals, took);
  pace->began_at = now;
  assert(pace_is_valid(pace));
}

void pace_end(struct pace *pace, int64_t now) {
  assert(now >= pace->began_at);
  pace->took += (now - pace->began_at - pace->took) / 4;
  assert(pace_is_valid(pace));
}

int64_t pace_next(const struct pace *pace, double rate, int64_t window, double worth) {
  assert(window >= 0);
  double expected = rate * (double)window / (double)BUS_SECOND;
  return expected < worth ? pace->began_at : pace->began_at + window;
}

bool pace_is_valid(const struct pace *pace) {
  return pace->arrivals >= 0.0 && pace->rate >= 0.0 && pace->took >= 0;
}
