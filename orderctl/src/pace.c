/* One sleep between two messages. */
#include "pace.h"

#include <bus/clock.h>

#include <time.h>

void pace_keep(int64_t rate, int64_t *next_at) {
  int64_t wait = *next_at - bus_monotonic();
  if (wait > 0) {
    struct timespec pause = {.tv_sec = wait / BUS_SECOND, .tv_nsec = wait % BUS_SECOND * 1000};
    (void)nanosleep(&pause, NULL); /* a signal ends it early: one message is early */
  }
  *next_at = bus_monotonic() + BUS_SECOND / rate;
}
